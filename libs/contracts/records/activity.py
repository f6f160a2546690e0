"""The activity log of a patient's record: who did what, and when. Nothing of it is ever changed.

Each entry holds the hash of the one before, so that nobody can change, remove or add one unseen;
docs/activity.md says how a hash is made.
"""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from libs.contracts.activity import Act
from libs.contracts.base import Reply, Request
from libs.contracts.visa import Capacity


class Entry(Reply):
    """One entry, with everything that its hash is made of but practice and patient."""

    number: int
    """Its place, from 1."""
    at: datetime
    actor_id: UUID
    """The account; for a machine, its practice key; the nil id for the operator's command."""
    actor_name: str = Field(repr=False)
    """As it was then; "" for a machine."""
    capacity: Capacity
    act: Act
    subject: str
    """What it was done to, as `Act` says: an id, the key of a test, or ""."""
    reason: str = Field(repr=False)
    previous: str
    """The hash of the entry before, in hexadecimal; 64 zeros before the first."""
    hash: str
    what: str = Field(default="", repr=False)
    """What the document or test is called today; no part of what is hashed."""


class Actor(Reply):
    """Somebody who stands in the log."""

    actor_id: UUID
    name: str
    capacity: Capacity


class ActivityPage(Reply):
    """Newest first; `after` is handed back for the next page, 0 at the end."""

    entries: tuple[Entry, ...]
    actors: tuple[Actor, ...]
    """Everybody in this log, by name, for the filter."""
    after: int


class ListActivity(Request[ActivityPage]):
    """A page of the log, for the patient; delegates and staff stand in it and don't see it."""

    subject = "request.records.list_activity"
    visa: str = Field(repr=False)
    patient_id: UUID
    actor_id: UUID | None = None
    acts: frozenset[Act] = frozenset()
    """Only these; none for all."""
    start: datetime | None = None
    end: datetime | None = None
    """The first moment that is too late."""
    after: int = 0


class ActivityPart(Reply):
    """Some of the log in its own order, and how it ends as a whole."""

    practice_id: UUID
    entries: tuple[Entry, ...]
    last_number: int
    last_hash: str


class ReadActivity(Request[ActivityPart]):
    """The entries that follow on `number`, for a download; with number 0, from the first."""

    subject = "request.records.read_activity"
    visa: str = Field(repr=False)
    patient_id: UUID
    number: int
