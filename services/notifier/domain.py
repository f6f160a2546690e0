"""The rules of sending: when to try again, and when to stop. Nothing here waits or writes."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity.letters import LetterKind
from libs.contracts.notifier import MailState, Refusal

NO_PRACTICE = UUID(int=0)
"""The practice of a letter that is about an account, not about a practice."""
PATIENCE = timedelta(days=4)
"""How long a mail server may put us off (RFC 5321, 4.5.4.1: 4 to 5 days)."""
PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=30),
    timedelta(hours=1),
)
LEASE = timedelta(seconds=30)
"""How long a job stays with a worker that does not say it is still at it."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """An e-mail that is owed, or was."""

    practice_id: UUID
    id: UUID
    kind: LetterKind
    reference_id: UUID
    version: int
    state: MailState
    recipient: str
    answer: str
    tries: int
    queued_at: datetime
    due_at: datetime | None
    sent_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a try ended: the state it leads to, and what the other side said."""

    state: MailState
    answer: str = ""


@dataclass(frozen=True, kw_only=True)
class Owed:
    """How much is owed, and for how long: in letters, and in seconds of the oldest."""

    queued: int
    retrying: int
    overdue: float
    """Since the oldest that is due was due; 0 if none is."""
    oldest_retry: float
    """Since the oldest that was put off was first owed; 0 if there is none."""


def announced_at(event_id: UUID) -> datetime:
    """When an event was made: its id says so, in milliseconds (RFC 9562, 5.7).

    One whose id does not say it is taken for new.
    """
    if event_id.version != 7:  # noqa: PLR2004
        return datetime.max.replace(tzinfo=UTC)
    return datetime.fromtimestamp((event_id.int >> 80) / 1000, tz=UTC)


def next_try(job: Job, *, now: datetime) -> datetime | None:
    """When to try again after a try that was put off; None when patience is at its end.

    The pause grows and is spread by a tenth, so that a thousand letters don't come back at once.
    """
    pause = PAUSES[min(job.tries, len(PAUSES)) - 1]
    due = now + pause * random.uniform(1, 1.1)  # noqa: S311  (spreads load, hides nothing)
    return due if due < job.queued_at + PATIENCE else None


def judge(code: int, text: str) -> Outcome:
    """What a mail server's answer means (RFC 5321, 4.2.1): 2 sent, 4 later, 5 never."""
    answer = f"{code} {' '.join(text.split())}"[:300]
    if code < 300:  # noqa: PLR2004
        return Outcome(state=MailState.SENT, answer=answer)
    if code >= 500:  # noqa: PLR2004
        return Outcome(state=MailState.BOUNCED, answer=answer)
    return Outcome(state=MailState.RETRYING, answer=answer)


def retriable(job: Job) -> None:
    """Staff may send again what did not arrive; never what did, or what is out of date."""
    if job.state not in (MailState.RETRYING, MailState.BOUNCED, MailState.FAILED):
        raise Refused(Refusal.NOT_RETRIABLE)
