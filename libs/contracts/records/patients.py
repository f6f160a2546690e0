"""Patients of a practice, for its staff; and who somebody is, for a page about them."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Done, Event, Reply, Request
from libs.contracts.identity.invitations import InvitationState

CSV_LIMIT = 1024 * 1024
"""The largest list of patients, in bytes of UTF-8; at most 5,000 lines."""


class Patient(Reply):
    """A patient of a practice, as its staff see them."""

    patient_id: UUID
    given: str
    family: str
    birth_date: date
    email: str = Field(repr=False)
    """"" for none on file."""
    mrn: str
    state: InvitationState
    state_since: datetime
    invitation_expires_at: datetime | None = None
    new_link_wanted: bool = False
    active: bool = True
    """False while it is deactivated: closed to the patient, since when, by whom and why."""
    deactivated_at: datetime | None = None
    deactivated_by: str = ""
    deactivation_reason: str = Field(default="", repr=False)
    added_at: datetime


class PatientList(Reply):
    """In order of family name; `after` is handed back for the next page, "" at the end."""

    patients: tuple[Patient, ...]
    after: str
    total: int
    """Patients of the practice."""
    registered: int
    waiting: int
    """Invited, not registered yet."""
    attention: int
    """Bounced, expired, locked, or asking for a new link."""


class ListPatients(Request[PatientList]):
    """The practice's patients, by a part of name, e-mail or record number."""

    subject = "request.records.list_patients"
    visa: str = Field(repr=False)
    q: str = ""
    birth_date: date | None = None
    state: InvitationState | None = None
    attention: bool = False
    """Only those that need someone to look."""
    deactivated: bool = False
    """Only those whose record is closed to them."""
    after: str = ""


class ShowPatient(Request[Patient]):
    """One patient of the practice, for its staff."""

    subject = "request.records.show_patient"
    visa: str = Field(repr=False)
    patient_id: UUID


class PatientAdded(Reply):
    patient_id: UUID


class AddPatient(Request[PatientAdded]):
    """A new patient; with `invite` and an address, the registration letter follows."""

    subject = "request.records.add_patient"
    askers = ("gateway", "operator")
    visa: str = Field(repr=False)
    key: UUID
    """The form's idempotency key: the same form again answers the same."""
    given: str = Field(repr=False)
    family: str = Field(repr=False)
    birth_date: date = Field(repr=False)
    email: str = Field(default="", repr=False)
    mrn: str = Field(default="", repr=False)
    invite: bool = True
    even_so: bool = False


class Line(Reply):
    """What became of one line of a list of patients."""

    number: int
    outcome: str
    """`added`, `unchanged`, or a code of `Refusal`."""
    name: str = Field(default="", repr=False)


class LinesRead(Reply):
    lines: tuple[Line, ...]
    added: int
    unchanged: int
    refused: int
    preview: bool


class ImportPatients(Request[LinesRead]):
    """A CSV list: given name, family name, birth date, e-mail, MRN, in any order of columns.

    A preview reads and checks every line, and adds nobody.
    """

    subject = "request.records.import_patients"
    askers = ("gateway", "operator")
    visa: str = Field(repr=False)
    content: bytes = Field(repr=False)
    invite: bool = True
    preview: bool = False


class CorrectEmail(Request[Done]):
    """Another address for a patient; one not registered yet is invited there."""

    subject = "request.records.correct_email"
    visa: str = Field(repr=False)
    key: UUID
    patient_id: UUID
    email: str = Field(repr=False)


class InvitePatient(Request[Done]):
    """The first registration letter to a patient who was added without one."""

    subject = "request.records.invite_patient"
    visa: str = Field(repr=False)
    key: UUID
    patient_id: UUID


class Contact(Reply):
    """What identity needs to invite someone."""

    given: str = Field(repr=False)
    family: str = Field(repr=False)
    birth_date: date = Field(repr=False)
    email: str = Field(repr=False)


class DescribeContact(Request[Contact]):
    """How to reach a patient, for the invitation that is due."""

    subject = "request.records.describe_contact"
    askers = ("identity",)
    practice_id: UUID
    patient_id: UUID


class InvitationWanted(Event):
    """A patient is to be invited, at the address that records holds now."""

    subject = "event.records.invitation_wanted"
    followers = ("identity",)
    practice_id: UUID
    patient_id: UUID
    version: int


class Person(Reply):
    """Whose record it is."""

    patient_id: UUID
    practice_id: UUID
    given: str
    family: str
    birth_date: date
    mrn: str = ""
    active: bool = True
    """False while the practice has deactivated the record."""


class People(Reply):
    """Whoever of them is a patient here."""

    people: tuple[Person, ...]


class NamePatients(Request[People]):
    """Who these patients are, for pages that are about something else of theirs: 100 at most.

    Staff may ask for any of their practice; anybody else for the visa's own patient.
    """

    subject = "request.records.name_patients"
    visa: str = Field(repr=False)
    patient_ids: tuple[UUID, ...] = Field(max_length=100)
