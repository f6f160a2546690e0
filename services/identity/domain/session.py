"""The rules of a session: 15 minutes without activity, 12 hours at most."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity.factors import PROVEN_FOR
from libs.contracts.identity.refusals import Refusal

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=12)
TOUCHED_EVERY = timedelta(seconds=1)
"""A session's last use is written down no more often than this. With the gateway's 4 seconds, its
idle time is exact to 5."""
DEVICE = 100
"""Characters of a device's name that are kept."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """Somebody is logged in, in one browser."""

    id: UUID
    account_id: UUID
    practice_id: UUID | None
    """Of the staff seat that it is for; None for a patient."""
    device: str
    source: str
    started_at: datetime
    last_seen_at: datetime
    previous_login_at: datetime | None
    proven_at: datetime | None
    """When everything that a log-in asks for was last shown here."""

    @property
    def idle_ends_at(self) -> datetime:
        return self.last_seen_at + IDLE

    @property
    def ends_at(self) -> datetime:
        return self.started_at + LONGEST

    def holds(self, *, now: datetime) -> bool:
        """Neither idle for too long nor too old; each end is no longer inside."""
        return now < self.idle_ends_at and now < self.ends_at

    def stale(self, *, now: datetime) -> bool:
        """Whether its last use is to be written down anew."""
        return now >= self.last_seen_at + TOUCHED_EVERY


def check_proven(session: Session, *, now: datetime) -> None:
    """Whoever is logged in has shown a moment ago who they are; else they are asked again."""
    if session.proven_at is None or now >= session.proven_at + PROVEN_FOR:
        raise Refused(Refusal.PROOF_NEEDED)


def shortened(source: str) -> str:
    """Where a session was begun, without saying all of it: 203.0.113.x"""
    if ":" in source:
        return source.split("::", 1)[0] + "::"
    parts = source.split(".")
    return ".".join([*parts[:3], "x"]) if len(parts) == 4 else "unknown"  # noqa: PLR2004


def printable(device: str) -> str:
    """A device's name as a list can show it."""
    return "".join(character for character in device if character.isprintable())[:DEVICE]
