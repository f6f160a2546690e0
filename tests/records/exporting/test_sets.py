"""For any chart and any selection, each form holds the same items, which were counted before."""

import io
import random
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from libs.contracts.identity.practices import Practice
from libs.contracts.records.exports import Counted, Format, Kind, Selection
from libs.runtime.database import Connection, Pool, transaction
from services.records import filing
from services.records.domain.chart import Chart
from services.records.domain.patient import entry
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
from services.records.exporting import files, loading
from services.records.exporting.pieces import Checksum
from services.records.store import patients
from tests.records.exporting import charts
from tests.records.test_exports import UUIDS, in_ccda, in_fhir, in_page, text_of
from tests.servers import Servers

CHARTS = 500
LARGE = {137: 5000, 401: 2500}
"""How many results the largest have, by their number; the others have up to 24."""
AS_PDF = 50
"""Every so many are looked at as PDF and as an archive too."""
NAMES = ("Hemoglobin", "Glucosa en ayunas", "Hämatokrit", "Калий", "Na⁺ <serum> & plasma")
ZONE = ZoneInfo(charts.PRACTICE.time_zone)
EDGES = tuple(
    datetime(*day, hour, minute, tzinfo=UTC)
    for day in ((2026, 3, 8), (2026, 3, 9), (2025, 11, 2), (2025, 11, 3), (2026, 1, 1))
    for hour, minute in ((5, 59), (6, 0), (6, 59), (7, 0), (0, 0))
)
"""Midnights where the practice is, its clocks' changes, and a minute before."""


@pytest.fixture
async def pool(clean: Servers) -> AsyncIterator[Pool]:
    async with asyncpg.create_pool(
        clean.database_url("records"), server_settings={"search_path": "records"}
    ) as opened:
        yield opened


def moment(chance: random.Random) -> Moment | None:
    precision = chance.choice([*Precision, Precision.INSTANT, None])
    if precision is None:
        return None
    at = chance.choice(EDGES) if chance.random() < 0.4 else datetime(2025, 6, 1, tzinfo=UTC)
    at += timedelta(minutes=chance.randrange(500_000)) if chance.random() < 0.6 else timedelta()
    if precision is Precision.INSTANT:
        return Moment(at=at, precision=precision, zoned=chance.random() < 0.7)
    at = at.replace(hour=0, minute=0)
    if precision is not Precision.DAY:
        at = at.replace(day=1)
    if precision is Precision.YEAR:
        at = at.replace(month=1)
    return Moment(at=at, precision=precision, zoned=False)


def result(number: int, chance: random.Random) -> Result:
    value = Decimal(chance.randrange(-50, 9000)) / 10
    return Result(
        source_id=f"made {number}",
        patient_key="",
        code=Code(system=LOINC, code=f"{number % 40}-8"),
        name=chance.choice(NAMES),
        value=chance.choice(
            [
                Value(
                    kind=ValueKind.QUANTITY,
                    text=str(value),
                    number=value,
                    unit=chance.choice(["", "g/dL", "x 10^3/uL"]),
                ),
                Value(kind=ValueKind.TEXT, text="No growth\n  after 5 days"),
                Value(kind=ValueKind.RATIO, text="1:128"),
                Value(kind=ValueKind.ABSENT, text="Specimen clotted"),
            ]
        ),
        status=chance.choice(
            [ResultStatus.FINAL, ResultStatus.PRELIMINARY, ResultStatus.CORRECTED]
        ),
        collected=moment(chance),
        ranges=(ReferenceRange(low=Decimal("3.5"), high=Decimal("5.0"), text="3.5–5.0"),),
        comment=chance.choice(["", "Repeated.\nConfirmed."]),
    )


def selection(chance: random.Random) -> Selection:
    days = sorted(
        (chance.choice(EDGES).date() + timedelta(days=chance.randrange(-1, 2))) for _ in range(2)
    )
    start, end = chance.choice(
        [(None, None), (days[0], None), (None, days[1]), (days[0], days[1]), (days[0], days[0])]
    )
    return Selection(kinds=frozenset({Kind.LABS}), start=start, end=end)


def is_chosen(one: Result, chosen: Selection, arrived: datetime) -> bool:
    """By the practice's calendar, as a person would count it out."""
    day = _day(one.collected, arrived)
    return (chosen.start is None or chosen.start <= day) and (
        chosen.end is None or day <= chosen.end
    )


def _day(at: Moment | None, arrived: datetime) -> date:
    if at is None:
        return arrived.astimezone(ZONE).date()
    if at.precision is Precision.INSTANT and at.zoned:
        return at.at.astimezone(ZONE).date()
    return at.at.date()


async def _filed(
    db: Connection, practice: Practice, patient_id: UUID, results: list[Result], now: datetime
) -> None:
    somebody = entry(
        given="Rosa", family="Alvarez", birth_date=date(1961, 4, 12), email="", mrn="",
        today=now.date(),
    )  # fmt: skip
    await patients.add_patients(db, practice.practice_id, [(patient_id, somebody)], now=now)
    place = practice.practice_id, patient_id
    await filing.file_results(db, *place, results, import_id=None, now=now)


async def _step() -> None:
    """Nobody waits for it here."""


async def _form(chart: Chart, wanted: Format) -> bytes:
    made = [piece async for piece in files.pieces(chart, wanted, step=_step, fetch=charts.nothing)]
    return b"".join(bytes(4) if isinstance(one, Checksum) else one for one in made)  # type: ignore[misc]


async def test_any_selection_of_any_chart_is_the_same_set_in_every_form(pool: Pool) -> None:
    practice, now = charts.PRACTICE, datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
    for number in range(CHARTS):
        chance = random.Random(number)
        count = LARGE.get(number, chance.randrange(25))
        results, patient_id = [result(one, chance) for one in range(count)], uuid4()
        chosen = selection(chance)
        async with transaction(pool, practice=practice.practice_id) as db:
            await _filed(db, practice, patient_id, results, now)
            counted: Counted = await loading.count(db, practice, patient_id, chosen, letters=0)
            chart = await loading.load(db, practice, patient_id, chosen, letters=(), now=now)
        expected = sum(is_chosen(one, chosen, now) for one in results)
        items = {str(one.id) for one in chart.results}
        told = f"chart {number}: {chosen}"
        assert (counted.results, len(items)) == (expected, expected), told
        assert in_page(await _form(chart, Format.HTML)) == items, told
        assert in_fhir(await _form(chart, Format.FHIR)) == items, told
        assert in_ccda(await _form(chart, Format.CCDA)) == items, told
        if number % AS_PDF == 0:
            assert set(UUIDS.findall(text_of(await _form(chart, Format.PDF)))) == items, told
            with zipfile.ZipFile(io.BytesIO(await _form(chart, Format.ZIP))) as archive:
                [bundle] = [name for name in archive.namelist() if name.endswith(".fhir.json")]
                assert in_fhir(archive.read(bundle)) == items, told
