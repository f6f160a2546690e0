"""The activity log of a record: a chain in which each entry holds the hash of the one before.

What is hashed is written down so that anybody can do it again (docs/activity.md).
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from libs.contracts.activity import Act
from libs.contracts.visa import Capacity, Visa

BEFORE_THE_FIRST = bytes(32)


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who did something, and as whom."""

    id: UUID
    name: str
    capacity: Capacity


def actor_of(visa: Visa) -> Actor:
    """Whoever shows this visa."""
    return Actor(id=visa.account_id, name=visa.actor_name, capacity=visa.capacity)


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """Something that is to stand in a patient's log."""

    patient_id: UUID
    actor: Actor
    act: Act
    subject: str = ""
    reason: str = ""
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """How a chain ends; number 0 before its first entry."""

    number: int = 0
    hash: bytes = BEFORE_THE_FIRST


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """Something that stands in a patient's log."""

    practice_id: UUID
    patient_id: UUID
    number: int
    at: datetime
    actor_id: UUID
    actor_name: str
    capacity: str
    act: str
    subject: str
    reason: str
    previous: bytes
    hash: bytes = b""


def canonical(entry: Entry) -> bytes:
    """What is hashed: an object in the JSON Canonicalization Scheme (RFC 8785)."""
    said = {
        "act": entry.act,
        "actor_id": str(entry.actor_id),
        "actor_name": entry.actor_name,
        "at": moment(entry.at),
        "capacity": entry.capacity,
        "number": entry.number,
        "patient_id": str(entry.patient_id),
        "practice_id": str(entry.practice_id),
        "previous": entry.previous.hex(),
        "reason": entry.reason,
        "subject": entry.subject,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def moment(at: datetime) -> str:
    """A time in UTC to the microsecond, as it is hashed."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def hashed(entry: Entry) -> bytes:
    """SHA-256 over the entry, and so over all that came before it."""
    return hashlib.sha256(canonical(entry)).digest()


def chained(head: Head, practice_id: UUID, happened: Happened) -> Entry:
    """The next entry of a chain."""
    entry = Entry(
        practice_id=practice_id,
        patient_id=happened.patient_id,
        number=head.number + 1,
        at=happened.at,
        actor_id=happened.actor.id,
        actor_name=happened.actor.name,
        capacity=happened.actor.capacity.value,
        act=happened.act.value,
        subject=happened.subject,
        reason=happened.reason,
        previous=head.hash,
    )
    return replace(entry, hash=hashed(entry))


class Check:
    """A chain that is gone through from its first entry, or from one that held, to its last."""

    def __init__(self, last: Head | None = None) -> None:
        self.last = last or Head()

    def next(self, entry: Entry) -> str:
        """What is wrong with the entry that comes next; "" for one that holds."""
        due = self.last.number + 1
        if entry.number > due:
            return f"entry {due} is missing"
        if entry.number < due:
            return f"entry {entry.number} stands where entry {due} should"
        if hashed(entry) != entry.hash:
            return f"entry {due} is not as it was written"
        if entry.previous != self.last.hash:
            return f"entry {due} does not follow on the entry before it"
        self.last = Head(number=entry.number, hash=entry.hash)
        return ""

    def end(self, head: Head) -> str:
        """What is wrong with how the chain ends."""
        if head.number > self.last.number:
            return f"entry {self.last.number + 1} is missing"
        if head.number < self.last.number:
            return f"entry {head.number + 1} was added after the end"
        if head != self.last:
            return f"entry {head.number} is not the one that the log ended with"
        return ""


def first_bad(entries: Iterable[Entry], head: Head, *, after: Head | None = None) -> str:
    """What is wrong with a chain, and with which entry first; "" for one that holds.

    With `after`, the entries are those that follow on one up to which it held.
    """
    check = Check(after)
    for entry in entries:
        if bad := check.next(entry):
            return bad
    return check.end(head)
