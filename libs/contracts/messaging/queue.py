"""The practice's queue: conversations that wait for the care team, and whose they are."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Done, Event, Reply, Request
from libs.contracts.messaging.mailbox import Message
from libs.contracts.messaging.writing import Category, Draft

NOTE_LIMIT = 2_000
"""Characters of a note among staff."""


class Shown(StrEnum):
    """Which conversations a page of the queue shows."""

    UNCLAIMED = "unclaimed"
    """Open, wait for an answer, and nobody's yet."""
    MINE = "mine"
    OPEN = "open"
    CLOSED = "closed"


class Case(Reply):
    """A conversation as staff see it in the queue."""

    conversation_id: UUID
    patient_id: UUID
    subject: str = Field(repr=False)
    preview: str = Field(repr=False)
    """The beginning of its latest message."""
    category: Category
    team: str
    open: bool
    waiting_since: datetime | None = None
    """When the oldest message without an answer came; None where nobody waits."""
    due_at: datetime | None = None
    claimed_by: UUID | None = None
    claimed_name: str = ""
    on_behalf: str = Field(default="", repr=False)
    """Who wrote the latest message, where that was not the patient."""
    last_at: datetime


class Waiting(Reply):
    """How many conversations there are of each sort."""

    unclaimed: int
    late: int
    """Unclaimed or claimed, and past their due time."""
    mine: int
    open: int


class CountWaiting(Request[Waiting]):
    """The numbers of the queue, for the visa's account."""

    subject = "request.messaging.count_waiting"
    visa: str = Field(repr=False)


class Queue(Reply):
    """Longest wait first (closed ones: newest first); `after` leads to the next page."""

    cases: tuple[Case, ...]
    counts: Waiting
    teams: tuple[str, ...]
    after: str = ""


class ListQueue(Request[Queue]):
    """A page of the queue."""

    subject = "request.messaging.list_queue"
    visa: str = Field(repr=False)
    shown: Shown = Shown.UNCLAIMED
    category: Category | None = None
    team: str = ""
    patient_id: UUID | None = None
    q: str = Field(default="", max_length=200, repr=False)
    """Words that one of its messages has in it, all of them."""
    after: str = ""


class Note(Reply):
    """Said among staff; no patient ever sees it."""

    note_id: UUID
    author: str
    written_at: datetime
    text: str = Field(repr=False)


class Step(StrEnum):
    """What was done with a conversation."""

    CLAIMED = "claimed"
    RELEASED = "released"
    HANDED_OVER = "handed_over"
    ANSWERED = "answered"
    CLOSED = "closed"
    REOPENED = "reopened"


class Entry(Reply):
    """One line of a conversation's history."""

    step: Step
    by: str
    to: str = ""
    at: datetime


class CaseFile(Reply):
    """All that staff see of a conversation: its messages, notes and history."""

    case: Case
    messages: tuple[Message, ...]
    notes: tuple[Note, ...]
    history: tuple[Entry, ...]
    draft: Draft | None = None
    """This account's unfinished answer."""
    teams: tuple[str, ...]
    before: str = ""


class ShowCase(Request[CaseFile]):
    """A conversation. Looking marks nothing."""

    subject = "request.messaging.show_case"
    visa: str = Field(repr=False)
    conversation_id: UUID
    before: str = ""


class MarkSeen(Request[Done]):
    """Somebody of the care team has opened it: patients see that."""

    subject = "request.messaging.mark_seen"
    visa: str = Field(repr=False)
    conversation_id: UUID


class Claim(Request[Case]):
    """It is mine to answer. One of many at once gets it; CLAIMED_BY_ANOTHER for the others."""

    subject = "request.messaging.claim"
    visa: str = Field(repr=False)
    conversation_id: UUID


class Release(Request[Case]):
    """It is anybody's again."""

    subject = "request.messaging.release"
    visa: str = Field(repr=False)
    conversation_id: UUID


class HandOver(Request[Case]):
    """It is a colleague's, or a team's to claim, from here on."""

    subject = "request.messaging.hand_over"
    visa: str = Field(repr=False)
    conversation_id: UUID
    account_id: UUID | None = None
    name: str = ""
    """The colleague's, as they write themselves."""
    team: str = ""


class Close(Request[Case]):
    """It needs nothing more."""

    subject = "request.messaging.close"
    visa: str = Field(repr=False)
    conversation_id: UUID


class Reopen(Request[Case]):
    """A case that was closed is open again."""

    subject = "request.messaging.reopen"
    visa: str = Field(repr=False)
    conversation_id: UUID


class AddNote(Request[Note]):
    """A note among staff."""

    subject = "request.messaging.add_note"
    visa: str = Field(repr=False)
    key: UUID
    conversation_id: UUID
    text: str = Field(max_length=20_000, repr=False)


class CaseChanged(Event):
    """A conversation stands elsewhere in the queue, or was opened by the care team."""

    subject = "event.messaging.case_changed"
    listeners = ("gateway",)
    practice_id: UUID
    patient_id: UUID
    conversation_id: UUID
