"""Charts and selections by chance, with what a person who counts by the calendar expects of them."""

import hashlib
import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from libs.contracts.identity.practices import Practice
from libs.contracts.messaging.mailbox import Letter
from libs.contracts.records.exports import Kind, Selection
from libs.vault.content import Content
from libs.vault.media import Media
from services.records.domain.document import Arrival, Document, imported
from services.records.domain.found import Document as Found
from services.records.domain.labs import test_key
from services.records.domain.result import (
    LOINC,
    Code,
    Moment,
    Precision,
    ReferenceRange,
    Result,
    ResultStatus,
    Value,
    ValueKind,
)
from tests.records.exporting import charts

ZONES = ("America/Denver", "America/New_York", "America/Santiago", "Australia/Lord_Howe")
"""Clocks that change in both halves of the world: at midnight, and by half an hour."""
NAMES = (
    "Hemoglobin",
    "Glucosa en ayunas",
    "Hämatokrit",
    "Калий",
    "Na⁺ <serum> & plasma",
    '<img src=x onerror="alert(1)">',
    "血糖 \u202egnp",
    "=1+1",
    "Ω" * 300,
)
VALUES = (
    Value(kind=ValueKind.TEXT, text="No growth\n  after 5 days"),
    Value(kind=ValueKind.TEXT, text="=cmd|' /C calc'!A0 </td></tr>"),
    Value(kind=ValueKind.RATIO, text="1:128"),
    Value(kind=ValueKind.RANGE, text="2-5", unit="/HPF"),
    Value(kind=ValueKind.CODED, text="Detected"),
    Value(kind=ValueKind.TIME, text="2026-03-08"),
    Value(kind=ValueKind.ABSENT, text="Specimen clotted"),
    Value(kind=ValueKind.ABSENT, text=""),
)
CODES = (
    Code(system=LOINC, code="718-7"),
    Code(system="text", code="Sed rate"),
    Code(system="", code="LOCAL 7"),
    Code(system="MY LAB", code="a b"),
    Code(system="urn:oid:1.2.3.4", code="X"),
)


TAKEN_BACK = (ResultStatus.ENTERED_IN_ERROR, ResultStatus.CANCELLED)
"""What is cancelled stays, and says so, while its test has any other result; the other goes."""


class Expected(NamedTuple):
    """What is in a selection."""

    results: set[str]
    """By what their source calls them."""
    titles: set[str]
    letters: set[UUID]

    @property
    def counts(self) -> tuple[int, int, int]:
        return len(self.results), len(self.titles), len(self.letters)


class Held(NamedTuple):
    """A document's bytes, by what they are found."""

    sha256: str
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A chart, and what is wanted of it."""

    practice: Practice
    patient_id: UUID
    now: datetime
    results: list[Result]
    corrected: list[Result]
    """What the laboratory says of some of them later."""
    documents: list[Found]
    letters: list[Letter]
    chosen: Selection

    def expected(self, *, of: Selection | None = None) -> Expected:
        """What is in this selection, or in the one that is chosen."""
        if of:
            return replace(self, chosen=of).expected()
        return Expected(
            results={
                one.source_id
                for one in self._shown()
                if self._holds(Kind.LABS, self._day(one.collected))
            },
            titles={
                one.title
                for one in self.documents
                if self._holds(Kind.DOCUMENTS, self._day(one.dated))
            },
            letters={
                one.message_id
                for one in self.letters
                if self._holds(Kind.MESSAGES, one.sent_at.astimezone(self._zone).date())
            },
        )

    def _shown(self) -> list[Result]:
        """The results as they stand at last, without those that are gone."""
        last = {one.source_id: one for one in self.results if not _is_never_shown(one)}
        for one in self.corrected:
            before = last.get(one.source_id)
            if before and not (_is_cancelled(before) and one.status is ResultStatus.CORRECTED):
                last[one.source_id] = one
        stand = [one for one in last.values() if one.status not in TAKEN_BACK]
        tests = {test_key(one) for one in stand}
        cancelled = filter(_is_cancelled, last.values())
        return stand + [one for one in cancelled if test_key(one) in tests]

    def filed(self, found: Found, content: Content) -> Document:
        by = Arrival(
            practice_id=self.practice.practice_id,
            patient_id=self.patient_id,
            added_at=self.now,
            added_by=uuid4(),
        )
        return imported(found, content, Media(media_type="text/plain"), by=by, zone=self._zone)

    def contents(self) -> list[Held]:
        return [
            Held(hashlib.sha256(one.content).hexdigest(), one.content) for one in self.documents
        ]

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.practice.time_zone)

    def _holds(self, kind: Kind, day: date) -> bool:
        start, end = self.chosen.start, self.chosen.end
        return (
            kind in self.chosen.kinds
            and (start is None or start <= day)
            and (end is None or day <= end)
        )

    def _day(self, at: Moment | None) -> date:
        if at is None:
            return self.now.astimezone(self._zone).date()
        if at.precision is Precision.INSTANT and at.zoned:
            return at.at.astimezone(self._zone).date()
        return at.at.date()


def drawn(chance: random.Random, size: int | None) -> Drawn:
    """A chart of so many results, or a few."""
    zone = chance.choice(ZONES)
    results = [
        _result(number, chance, zone)
        for number in range(chance.randrange(25) if size is None else size)
    ]
    return Drawn(
        practice=charts.PRACTICE.model_copy(update={"time_zone": zone}),
        patient_id=uuid4(),
        now=_edge(chance, zone) + timedelta(days=365),
        results=results,
        corrected=[_corrected(one, chance) for one in results if chance.random() < 0.2],
        documents=[_document(number, chance, zone) for number in range(chance.randrange(5))],
        letters=[
            charts.letter(chance.choice(NAMES), "It itches.\n<b>Now.</b>", at=_edge(chance, zone))
            for _ in range(chance.randrange(4))
        ],
        chosen=_selection(chance, zone),
    )


@cache
def changes(zone: str) -> tuple[date, ...]:
    """The days on which clocks change there, and a new year."""
    noons = [datetime(2025, 1, 1, 12, tzinfo=ZoneInfo(zone)) + timedelta(n) for n in range(730)]
    changed = [
        after.date() for before, after in pairwise(noons) if before.utcoffset() != after.utcoffset()
    ]
    assert len(changed) == 4
    return *changed, date(2026, 1, 1)


def _edge(chance: random.Random, zone: str) -> datetime:
    """A moment about such a day: on a half hour by UTC, or a second beside it."""
    day = datetime.combine(chance.choice(changes(zone)), datetime.min.time(), tzinfo=UTC)
    beside = timedelta(minutes=30 * chance.randrange(-32, 80), seconds=chance.choice((-1, 0, 1)))
    return day + beside


def _moment(chance: random.Random, zone: str) -> Moment | None:
    precision = chance.choice([*Precision, Precision.INSTANT, Precision.INSTANT, None])
    if precision is None:
        return None
    at = _edge(chance, zone)
    if precision is Precision.INSTANT:
        return Moment(at=at, precision=precision, zoned=chance.random() < 0.7)
    at = at.replace(hour=0, minute=0, second=0)
    if precision is not Precision.DAY:
        at = at.replace(day=1)
    if precision is Precision.YEAR:
        at = at.replace(month=1)
    return Moment(at=at, precision=precision, zoned=False)


def _value(chance: random.Random) -> Value:
    number = Decimal(chance.randrange(-50, 9000)) / 10
    unit, comparator = chance.choice(["", "g/dL", "x 10^3/uL"]), chance.choice(["", "<", ">="])
    text = f"{comparator}{number}"
    measured = Value(
        kind=ValueKind.QUANTITY, text=text, number=number, comparator=comparator, unit=unit
    )
    return chance.choice([measured, measured, *VALUES])


def _is_cancelled(one: Result) -> bool:
    return one.status is ResultStatus.CANCELLED


def _is_never_shown(one: Result) -> bool:
    """Where it came so: it was never true, or nothing came but that it is cancelled."""
    is_bare = one.value.kind is ValueKind.ABSENT and not one.value.text
    return one.status is ResultStatus.ENTERED_IN_ERROR or (_is_cancelled(one) and is_bare)


def _result(number: int, chance: random.Random, zone: str) -> Result:
    return Result(
        source_id=f"made {number}",
        patient_key="",
        code=chance.choice(CODES),
        name=chance.choice(NAMES),
        value=_value(chance),
        status=chance.choice(
            [
                ResultStatus.FINAL,
                ResultStatus.PRELIMINARY,
                ResultStatus.CANCELLED,
                ResultStatus.UNKNOWN,
                ResultStatus.ENTERED_IN_ERROR,
            ]
        ),
        collected=_moment(chance, zone),
        ranges=chance.choice(
            [
                (),
                (ReferenceRange(low=Decimal("3.5"), high=Decimal("5.0"), text="3.5–5.0"),),
                (ReferenceRange(text="Not detected"),),
            ]
        ),
        comment=chance.choice(["", "Repeated.\nConfirmed.", "<script>alert(1)</script>"]),
    )


def _corrected(one: Result, chance: random.Random) -> Result:
    """Something else, or that it never should have been said."""
    if chance.random() < 0.4:
        return replace(one, status=chance.choice(TAKEN_BACK))
    again = Value(kind=ValueKind.TEXT, text=f"{one.value.text} again")
    return replace(one, value=again, status=ResultStatus.CORRECTED)


def _document(number: int, chance: random.Random, zone: str) -> Found:
    name = chance.choice(charts.HOSTILE_NAMES)
    return Found(
        source_id=f"paper {number}",
        patient_key="",
        title=f"{number} {chance.choice(NAMES)}"[:290],
        file_name=name,
        media_type="text/plain",
        content=f"{number}".encode(),
        dated=_moment(chance, zone),
    )


def _selection(chance: random.Random, zone: str) -> Selection:
    days = sorted(
        chance.choice(changes(zone)) + timedelta(days=chance.randrange(-1, 2)) for _ in range(2)
    )
    start, end = chance.choice(
        [(None, None), (days[0], None), (None, days[1]), (days[0], days[1]), (days[0], days[0])]
    )
    kinds = frozenset(chance.sample(list(Kind), chance.randint(1, 3)))
    return Selection(kinds=kinds, start=start, end=end)
