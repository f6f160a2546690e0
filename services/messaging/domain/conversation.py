"""The rules of a conversation: who waits since when, whose it is, and what may be answered."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.settings import FIRST_HOURS, FIRST_TEAM
from libs.contracts.messaging.writing import Category


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """Where a category's conversations go, and within how many hours they are answered."""

    team: str = FIRST_TEAM
    answer_within_hours: int = FIRST_HOURS


@dataclass(frozen=True, kw_only=True, slots=True)
class Colleague:
    """A member of staff."""

    account_id: UUID
    name: str
    administrator: bool = False
    """They take from somebody what that one can't answer any more, being ill or gone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """Messages that belong together."""

    practice_id: UUID
    id: UUID
    patient_id: UUID
    category: Category
    team: str
    subject: bytes
    """Sealed."""
    opened_at: datetime
    last_id: UUID
    last_at: datetime
    open: bool = True
    waiting_since: datetime | None = None
    due_at: datetime | None = None
    claimed_by: UUID | None = None
    claimed_name: str = ""

    def late(self, *, now: datetime) -> bool:
        """Past the time that patients were told."""
        return self.due_at is not None and self.due_at <= now


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """A place in the queue. It stays where it is when the conversation that was there moves on."""

    waiting_since: datetime | None
    last_at: datetime
    id: UUID

    @classmethod
    def of(cls, known: Conversation) -> "Position":
        """Where a conversation is now."""
        return cls(waiting_since=known.waiting_since, last_at=known.last_at, id=known.id)

    @classmethod
    def parse(cls, text: str) -> "Position | None":
        """As a page gave it; None, the beginning, for what is no place."""
        try:
            since, last_at, id_ = text.split("/")
            return cls(
                waiting_since=_moment(since) if since else None,
                last_at=_moment(last_at),
                id=UUID(id_),
            )
        except (ValueError, OverflowError):
            return None

    def __str__(self) -> str:
        since = self.waiting_since.isoformat() if self.waiting_since else ""
        return f"{since}/{self.last_at.isoformat()}/{self.id}".replace("+00:00", "Z")


def written_to(
    known: Conversation, message_id: UUID, route: Route, *, now: datetime
) -> Conversation:
    """The patient wrote: it waits, from the first message that has no answer. It opens again."""
    opened = known if known.open else replace(known, claimed_by=None, claimed_name="", open=True)
    waiting_since = opened.waiting_since or now
    return replace(
        opened,
        last_id=message_id,
        last_at=now,
        waiting_since=waiting_since,
        due_at=opened.due_at or due(waiting_since, route),
    )


def answered(
    known: Conversation, message_id: UUID, by: Colleague, *, now: datetime
) -> Conversation:
    """Somebody of the care team wrote: nobody waits, and it is theirs unless it was already."""
    held = claimed(replace(known, open=True), by)
    return replace(held, last_id=message_id, last_at=now, waiting_since=None, due_at=None)


def claimed(known: Conversation, by: Colleague) -> Conversation:
    """It is theirs, if it is nobody else's."""
    if not known.open:
        raise Refused(Refusal.CLOSED)
    if known.claimed_by not in (None, by.account_id):
        raise Refused(Refusal.CLAIMED_BY_ANOTHER)
    return replace(known, claimed_by=by.account_id, claimed_name=by.name)


def released(known: Conversation, by: Colleague) -> Conversation:
    """It is anybody's again; only its owner lets it go, or an administrator."""
    _in_hand(known, by)
    return replace(known, claimed_by=None, claimed_name="")


def handed_over(
    known: Conversation, by: Colleague, *, to: Colleague | None, team: str
) -> Conversation:
    """A colleague's, or a team's to claim. What nobody has claimed, anybody may pass on."""
    if not known.open:
        raise Refused(Refusal.CLOSED)
    if known.claimed_by is not None:
        _in_hand(known, by)
    return replace(
        known,
        team=team or known.team,
        claimed_by=to.account_id if to else None,
        claimed_name=to.name if to else "",
    )


def closed(known: Conversation, by: Colleague) -> Conversation:
    """It needs nothing more; a conversation that a colleague has claimed is theirs to close."""
    if known.claimed_by is not None:
        _own(known, by)
    return replace(
        known, open=False, waiting_since=None, due_at=None, claimed_by=None, claimed_name=""
    )


def reopened(known: Conversation, route: Route, *, waiting_since: datetime | None) -> Conversation:
    """It is open again, and nobody's; whoever had no answer waits as they did before."""
    if known.open:
        return known
    return replace(
        known,
        open=True,
        waiting_since=waiting_since,
        due_at=due(waiting_since, route) if waiting_since else None,
    )


def due(waiting_since: datetime, route: Route) -> datetime:
    """By when there should be an answer."""
    return waiting_since + timedelta(hours=route.answer_within_hours)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _in_hand(known: Conversation, by: Colleague) -> None:
    """Theirs to give to others."""
    if not (by.administrator and known.open and known.claimed_by):
        _own(known, by)


def _own(known: Conversation, by: Colleague) -> None:
    if not known.open:
        raise Refused(Refusal.CLOSED)
    if known.claimed_by != by.account_id:
        raise Refused(Refusal.NOT_YOURS)
