"""The activity log in words: who, what, and when, a sentence for each entry."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from uuid import UUID

from gateway.wording import clock, day, local_day
from libs.contracts.activity import Act
from libs.contracts.records.activity import Actor, Entry
from libs.contracts.visa import Capacity

OPERATOR = UUID(int=0)

DOCUMENT = {Act.SAW_DOCUMENT, Act.DOWNLOADED_DOCUMENT, Act.ADDED_DOCUMENT}
MESSAGE = {Act.SAW_MESSAGE, Act.WROTE_MESSAGE}
SENT = {Act.SENT_RECORD, Act.REVOKED_SENT_RECORD}
"""What says the address that it went to."""
PERSON = {
    Act.INVITED_PERSON,
    Act.CANCELLED_INVITATION,
    Act.CHANGED_ACCESS,
    Act.REVOKED_ACCESS,
}

FORMATS = {
    "pdf": "PDF",
    "ccda": "C-CDA",
    "fhir": "FHIR",
    "zip": "ZIP",
    "html": "one page",
}
"""What a download is called."""

WORDS: dict[Act, tuple[str, str]] = {
    Act.REGISTERED: ("registered", ""),
    Act.LOGGED_IN: ("logged in", ""),
    Act.RESET_FACTORS: ("turned off your two-step verification", ""),
    Act.SAW_HEALTH: ("looked at the Health page", ""),
    Act.SAW_TEST: ("looked at every result of", "a test"),
    Act.SAW_DOCUMENTS: ("looked at the list of documents", ""),
    Act.SAW_DOCUMENT: ("opened", "a document"),
    Act.DOWNLOADED_DOCUMENT: ("downloaded", "a document"),
    Act.SAW_RECORD: ("looked at the record as one page", ""),
    Act.DOWNLOADED_RECORD: ("downloaded the record", ""),
    Act.SENT_RECORD: ("sent the record to", "somebody"),
    Act.OPENED_SENT_RECORD: ("opened the record that was sent", ""),
    Act.REVOKED_SENT_RECORD: ("revoked the record sent to", "somebody"),
    Act.ANSWERED_SENT_RECORD: ("wrote back about the record that was sent", ""),
    Act.LOCKED_SENT_RECORD: ("tried too many passwords at the record sent", ""),
    Act.ADDED_DOCUMENT: ("added", "a document"),
    Act.ADDED_RESULT: ("added a result of", "a test"),
    Act.CORRECTED_RESULT: ("corrected a result of", "a test"),
    Act.IMPORTED: ("sent new results or documents", ""),
    Act.SAW_PATIENT: ("looked up name, birth date and email address", ""),
    Act.EMERGENCY_ACCESS: ("opened the record in an emergency, for 60 minutes", ""),
    Act.ADDED_PATIENT: ("added this record", ""),
    Act.INVITED_PATIENT: ("sent an invitation to register", ""),
    Act.DEACTIVATED_PATIENT: ("closed this record to you and yours in the portal", ""),
    Act.REACTIVATED_PATIENT: ("opened this record to you and yours again", ""),
    Act.CHANGED_EMAIL: ("changed the email address that the practice writes to", ""),
    Act.SAW_MESSAGE: ("opened", "a message"),
    Act.WROTE_MESSAGE: ("wrote", "a message"),
    Act.DOWNLOADED_FILE: ("opened a file of a message", ""),
    Act.INVITED_PERSON: ("sent an invitation to", "somebody"),
    Act.CANCELLED_INVITATION: ("took back the invitation of", "somebody"),
    Act.ACCEPTED_ACCESS: ("accepted the access to this record", ""),
    Act.CHANGED_ACCESS: ("changed the access of", "somebody"),
    Act.REVOKED_ACCESS: ("ended the access of", "somebody"),
}
"""What was done, and what to call what it was done to where that has no name."""

KINDS: dict[str, tuple[str, frozenset[Act]]] = {
    "looked": (
        "Looked at the record",
        frozenset(
            {
                Act.SAW_HEALTH,
                Act.SAW_TEST,
                Act.SAW_DOCUMENTS,
                Act.SAW_DOCUMENT,
                Act.SAW_RECORD,
                Act.SAW_PATIENT,
                Act.EMERGENCY_ACCESS,
            }
        ),
    ),
    "downloaded": (
        "Downloaded",
        frozenset({Act.DOWNLOADED_DOCUMENT, Act.DOWNLOADED_RECORD, Act.DOWNLOADED_FILE}),
    ),
    "changed": (
        "Added or changed",
        frozenset(
            {
                Act.ADDED_PATIENT,
                Act.ADDED_DOCUMENT,
                Act.ADDED_RESULT,
                Act.CORRECTED_RESULT,
                Act.IMPORTED,
                Act.CHANGED_EMAIL,
            }
        ),
    ),
    "sent": (
        "Sent to somebody",
        frozenset(
            {Act.OPENED_SENT_RECORD, Act.ANSWERED_SENT_RECORD, Act.LOCKED_SENT_RECORD, *SENT}
        ),
    ),
    "messages": ("Messages", frozenset(MESSAGE)),
    "access": (
        "Log-in and access",
        frozenset(
            {
                Act.REGISTERED,
                Act.LOGGED_IN,
                Act.RESET_FACTORS,
                Act.INVITED_PATIENT,
                Act.DEACTIVATED_PATIENT,
                Act.REACTIVATED_PATIENT,
                Act.ACCEPTED_ACCESS,
                *PERSON,
            }
        ),
    ),
}
"""What the page can be narrowed to, by the value in its address."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """Something that somebody did, once or several times in a row."""

    who: str
    done: str
    what: str
    is_named: bool
    """Whether `what` is a name, which stands out."""
    act: Act
    subject: str
    reason: str
    times: int
    first: datetime
    last: datetime

    @property
    def about(self) -> str:
        """Which page of the record it can be looked up on, if any."""
        if self.act in DOCUMENT:
            return "document"
        return "message" if self.act in MESSAGE else ""

    def sentence(self) -> str:
        """All of it in words: "Ana Ruiz, for you, downloaded Biopsy"."""
        return " ".join(part for part in (self.who, self.done, self.what) if part)

    def when(self, zone: str) -> str:
        """2:14 pm; or, of several, 3 times, 2:01 pm to 2:14 pm"""
        if self.times == 1:
            return clock(self.last, zone)
        first, last = clock(self.first, zone), clock(self.last, zone)
        span = last if first == last else f"{first} to {last}"
        return f"{self.times} times, {span}"


def called(actor: Actor | Entry, *, you: UUID, practice: str) -> str:
    """Who did it, as whom."""
    name = actor.name if isinstance(actor, Actor) else actor.actor_name
    match actor.capacity:
        case Capacity.SELF:
            return "You" if actor.actor_id == you else name or "The patient"
        case Capacity.DELEGATE:
            return f"{name}, for you," if isinstance(actor, Entry) else name
        case Capacity.STAFF:
            return f"{name}, at {practice or 'your practice'}"
        case Capacity.MACHINE:
            if actor.actor_id == OPERATOR:
                return "The operator of this portal"
            return f"A computer of {practice or 'your practice'}"
        case Capacity.RECIPIENT:
            return name


def line(entries: Iterable[Entry], *, you: UUID, practice: str, people: Mapping[str, str]) -> Line:
    """What one or several entries say that differ in nothing but their time, the newest first.

    `people` has whom an invitation went to, by its id.
    """
    told = list(entries)
    entry = told[0]
    done, otherwise = WORDS[entry.act]
    name = entry.what
    if entry.act is Act.REVOKED_ACCESS and entry.capacity is Capacity.DELEGATE:
        done, otherwise = "gave up the access to this record", ""
    elif entry.act in PERSON:
        name = people.get(entry.subject, "")
    elif entry.act in SENT:
        name = entry.subject
    elif entry.act in (Act.SAW_RECORD, Act.DOWNLOADED_RECORD):
        name = _taken(entry.subject)
    elif entry.act is Act.OPENED_SENT_RECORD and entry.subject != entry.actor_name:
        done, name = f"{done}, with software that calls them", entry.subject
    return Line(
        who=called(entry, you=you, practice=practice),
        done=done,
        what=name or otherwise,
        is_named=bool(name),
        act=entry.act,
        subject=entry.subject,
        reason=entry.reason,
        times=len(told),
        first=told[-1].at,
        last=entry.at,
    )


def _taken(subject: str) -> str:
    """What somebody took away, and of which days: as PDF, from 1 March 2026 to 31 March 2026"""
    form, _, days = subject.rpartition(" ")
    first, _, last = days.partition("/")
    parts = [f"as {FORMATS[form]}"] if form in FORMATS else []
    parts += [
        f"{word} {day(date.fromisoformat(one))}"
        for word, one in (("from", first), ("up to", last))
        if one not in ("", "..")
    ]
    return ", ".join(parts)


def by_day(
    entries: Iterable[Entry], *, you: UUID, practice: str, people: Mapping[str, str], zone: str
) -> list[tuple[str, list[Line]]]:
    """The page's lines under their days; what was done several times in a row is one line."""

    def alike(entry: Entry) -> tuple[UUID, str, Act, str, str]:
        return entry.actor_id, entry.capacity, entry.act, entry.subject, entry.reason

    return [
        (
            heading,
            [
                line(same, you=you, practice=practice, people=people)
                for _, same in groupby(found, key=alike)
            ],
        )
        for heading, found in groupby(entries, key=lambda entry: local_day(entry.at, zone))
    ]
