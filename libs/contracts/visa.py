"""Who may act for whom: statements that one service signs and another checks by itself.

A statement travels sealed (see `libs.runtime.seal`): its JSON and an Ed25519 signature. Both kinds
live 10 seconds, so that a partition can prolong nobody's access by more than that.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from libs.contracts.base import Contract

LIFETIME = timedelta(seconds=10)


class Passport(Contract):
    """Identity says: this account is logged in, in this session."""

    session_id: UUID
    account_id: UUID
    name: str
    proven_at: datetime | None = None
    """When they last proved who they are with password, and code where codes are on."""
    issued_at: datetime
    expires_at: datetime


class Capacity(StrEnum):
    """As whom someone acts on a record."""

    SELF = "self"
    DELEGATE = "delegate"
    STAFF = "staff"
    MACHINE = "machine"
    RECIPIENT = "recipient"
    """In the activity log only: whom a record was sent to. No visa says so."""


class Limit(StrEnum):
    """A part of a record that a grant may hold. A patient's own grant holds all of them."""

    RESULTS = "results"
    DOCUMENTS = "documents"
    MESSAGES = "messages"
    SENDING = "sending"


class Role(StrEnum):
    """What a member of staff does at a practice."""

    ADMINISTRATOR = "administrator"
    CLINICIAN = "clinician"
    FRONT_DESK = "front_desk"


class Visa(Contract):
    """Delegation says: this account may act for this patient. Identity says the same for staff.

    A staff or machine visa holds for the whole practice and names no patient.
    """

    capacity: Capacity
    practice_id: UUID
    patient_id: UUID | None = None
    limits: frozenset[Limit] = frozenset()
    role: Role | None = None
    account_id: UUID
    """For a machine, the id of its practice key."""
    session_id: UUID | None = None
    actor_name: str = ""
    """The acting person's name, for "Ana Ruiz for Rosa Alvarez"."""
    grant_id: UUID | None = None
    """What it came of; None for staff and machines, and in visas of before grants were named."""
    revision: int = 0
    """How often the patient had changed that grant by then."""
    issued_at: datetime
    expires_at: datetime
