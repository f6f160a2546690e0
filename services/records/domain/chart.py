"""What is handed over of a record: the items of a selection, whatever they are made into.

Nothing here knows a format; nothing here waits, writes, or reads a clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.contracts.identity.practices import Practice
from libs.contracts.messaging.mailbox import Letter
from libs.contracts.records.exports import Kind, Selection
from libs.contracts.records.health import Flag, Status
from libs.contracts.records.moments import Precision
from libs.contracts.records.patients import Person
from libs.contracts.visa import Limit, Visa
from services.records.domain.document import Document
from services.records.domain.result import Before

FIRST_DAY, LAST_DAY = date(2, 1, 1), date(9998, 12, 31)
"""Beyond these there is no end to a selection: another zone could have no such moment."""
LIMITS = {Kind.LABS: Limit.RESULTS, Kind.DOCUMENTS: Limit.DOCUMENTS, Kind.MESSAGES: Limit.MESSAGES}
"""The part of a record that each kind is."""


def may_choose(visa: Visa, kinds: frozenset[Kind]) -> bool:
    """Whether this visa holds all that is chosen."""
    return bool(kinds) and all(LIMITS[kind] in visa.limits for kind in kinds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """A result, as it is on the screen."""

    id: UUID
    system: str
    code: str
    name: str
    kind: str
    value: str
    number: Decimal | None
    comparator: str
    unit: str
    range_low: Decimal | None
    range_high: Decimal | None
    range_text: str
    flag: Flag
    status: Status
    collected_at: datetime | None
    precision: Precision
    zoned: bool
    issued_at: datetime | None
    specimen: str
    performer: str
    orderer: str
    comment: str
    day: date
    """The day that it is selected by."""
    before: tuple[Before, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """A selection of a patient's record with everything in it but the documents' content."""

    person: Person
    practice: Practice
    selection: Selection
    made_at: datetime
    results: Sequence[Measured]
    documents: Sequence[Document]
    messages: Sequence[Letter]

    @property
    def zone(self) -> ZoneInfo:
        """Where the practice's days begin and end."""
        return ZoneInfo(self.practice.time_zone)

    @property
    def file_name(self) -> str:
        """What its files are called, without an ending."""
        return file_name(self.made_at, self.practice)


def file_name(made_at: datetime, practice: Practice) -> str:
    """By the practice's day, without an ending; no name in it, for it may lie about."""
    return f"health-record-{made_at.astimezone(ZoneInfo(practice.time_zone)):%Y-%m-%d}"


def bounds(selection: Selection, time_zone: str) -> tuple[datetime | None, datetime | None]:
    """The first moment of a selection, and the first one after it."""
    zone = ZoneInfo(time_zone)
    start = selection.start if selection.start and selection.start > FIRST_DAY else None
    end = selection.end if selection.end and selection.end < LAST_DAY else None
    return _midnight(start, zone), _midnight(end + timedelta(days=1) if end else None, zone)


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    """The moment at which a day begins there; where a clock skips midnight, the one after it."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC) if day else None
