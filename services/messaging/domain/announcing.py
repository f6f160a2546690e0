"""The rules of announcements: when somebody is told."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from libs.contracts.messaging.announcements import Frequency

MORNING = time(8)
"""When a day's e-mail goes, where the practice is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What an account chose."""

    frequency: Frequency
    quiet_from: int | None = None
    quiet_until: int | None = None
    time_zone: str = "UTC"


FOR_PATIENTS = Choice(frequency=Frequency.AT_ONCE)
FOR_STAFF = Choice(frequency=Frequency.NEVER)


def due(choice: Choice, *, now: datetime) -> datetime | None:
    """When to tell of something that came now; None for never."""
    local = now.astimezone(ZoneInfo(choice.time_zone))
    if choice.frequency is Frequency.NEVER:
        return None
    if choice.frequency is Frequency.DAILY:
        return _next(local, MORNING)
    if choice.quiet_from is None or choice.quiet_until is None:
        return now
    begins, ends = choice.quiet_from, choice.quiet_until
    quiet = begins <= local.hour < ends if begins <= ends else not ends <= local.hour < begins
    return _next(local, time(ends)) if quiet else now


def _next(local: datetime, at: time) -> datetime:
    """The next time that a clock there shows this."""
    today = datetime.combine(local.date(), at, tzinfo=local.tzinfo)
    return today if today > local else today + timedelta(days=1)
