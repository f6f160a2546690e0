"""Practices: what they say of themselves, and who speaks for them without logging in."""

from uuid import UUID

from pydantic import Field

from libs.contracts.base import Done, Reply, Request


class Link(Reply):
    """One of the practice's own resources."""

    title: str
    url: str
    about: str = ""


class Practice(Reply):
    """A practice, as its pages and letters show it."""

    practice_id: UUID
    name: str
    phone: str
    address: str
    hours: str
    emergency: str
    """What to do in an emergency, in the practice's own words."""
    time_zone: str
    resources: tuple[Link, ...] = ()


class ShowPractice(Request[Practice]):
    """What a practice says of itself. This is public."""

    subject = "request.identity.show_practice"
    askers = ("gateway", "notifier", "records")
    practice_id: UUID


class Practices(Reply):
    practices: tuple[Practice, ...]


class PracticeSettings(Reply):
    """What a practice says of itself, and where it is written to."""

    practice: Practice
    contact_email: str


class ShowPracticeSettings(Request[PracticeSettings]):
    """For everyone who works there."""

    subject = "request.identity.show_practice_settings"
    visa: str = Field(repr=False)


RESOURCES_AT_MOST = 20


class SavePractice(Request[Done]):
    """What a practice says of itself from now on, by an administrator."""

    subject = "request.identity.save_practice"
    visa: str = Field(repr=False)
    name: str
    phone: str
    address: str
    hours: str
    emergency: str
    time_zone: str
    contact_email: str
    resources: tuple[Link, ...] = ()


class ListPractices(Request[Practices]):
    """Every practice of this installation, for the operator."""

    subject = "request.identity.list_practices"
    askers = ("operator",)


class PracticeAdded(Reply):
    practice_id: UUID
    import_key: str = Field(repr=False)
    """The key for the ingestion endpoint, told this once; only its hash is kept."""


class AddPractice(Request[PracticeAdded]):
    """A new practice. Adding one whose id is there already changes it and keeps its key."""

    subject = "request.identity.add_practice"
    askers = ("operator",)
    practice_id: UUID
    name: str
    phone: str
    address: str
    hours: str
    emergency: str
    time_zone: str
    contact_email: str
    resources: tuple[Link, ...] = ()


class PracticeAccess(Reply):
    """A staff or machine visa, sealed."""

    practice_id: UUID
    visa: str = Field(repr=False)


class AdmitMachine(Request[PracticeAccess]):
    """A machine visa for whoever holds this practice key, told apart by its SHA-256."""

    subject = "request.identity.admit_machine"
    key_hash: bytes = Field(repr=False)


class AdmitOperator(Request[PracticeAccess]):
    """A machine visa for the operator at the command line, for one practice."""

    subject = "request.identity.admit_operator"
    askers = ("operator",)
    practice_id: UUID
