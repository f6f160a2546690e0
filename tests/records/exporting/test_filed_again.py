"""Every file of the corpus as it is filed: exported, and filed from that, it is the same results."""

import unicodedata
from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from libs.runtime.database import Connection, Pool, transaction
from services.records import filing
from services.records.domain.chart import Chart
from services.records.domain.patient import entry
from services.records.domain.result import Result
from services.records.exporting import ccda as cda_writing
from services.records.exporting import fhir as fhir_writing
from services.records.exporting import loading
from services.records.exporting.pieces import Pieces
from services.records.formats import ccda, fhir
from services.records.store import patients
from tests.corpus import needs_corpus
from tests.records.exporting import charts
from tests.records.exporting.test_round_trip import EITHER, Read, found_in, read
from tests.servers import Servers

PRACTICE = charts.PRACTICE


@pytest.fixture
async def pool(clean: Servers) -> AsyncIterator[Pool]:
    async with asyncpg.create_pool(
        clean.database_url("records"), server_settings={"search_path": "records"}
    ) as opened:
        yield opened


async def filed(db: Connection, results: list[Result]) -> UUID:
    """A new patient who has them."""
    patient_id = uuid4()
    somebody = entry(
        given="Rosa", family="Alvarez", birth_date=date(1961, 4, 12), email="", mrn="",
        today=charts.NOW.date(),
    )  # fmt: skip
    place = PRACTICE.practice_id, patient_id
    await patients.add_patients(db, place[0], [(patient_id, somebody)], now=charts.NOW)
    await filing.file_results(db, *place, results, import_id=None, now=charts.NOW)
    return patient_id


async def shown(db: Connection, patient_id: UUID) -> list[tuple[Any, ...]]:
    """What Health shows of somebody, in no order."""
    rows = await db.fetch(
        """
        SELECT r.test_key, name, kind, value, number, comparator, unit, range_low, range_high,
               range_text, flag, status, r.collected_at, precision, zoned, specimen, performer,
               orderer, comment
          FROM result r
          JOIN latest_result l ON l.practice_id = r.practice_id AND l.patient_id = r.patient_id
                              AND l.test_key = r.test_key
         WHERE r.practice_id = $1 AND r.patient_id = $2 AND rank < 6
        """,
        PRACTICE.practice_id,
        patient_id,
    )
    return sorted((tuple(map(_seen, row)) for row in rows), key=str)


def _seen(part: Any) -> Any:
    """As a clinical document can say it: without runs of spaces, and what nobody can see."""
    if not isinstance(part, str):
        return part
    return " ".join("".join(one for one in part if unicodedata.category(one) != "Cf").split())


@needs_corpus
@pytest.mark.parametrize(
    ("reader", "writer"),
    [(fhir.read, fhir_writing.bundle), (ccda.read, cda_writing.document)],
    ids=["FHIR", "C-CDA"],
)
async def test_every_file_is_filed_the_same_from_what_was_exported_of_it(
    pool: Pool, reader: Read, writer: Callable[[Chart], Pieces]
) -> None:
    """With what a file says twice, corrects or takes back."""
    differ, many = [], 0
    for came, path in EITHER:
        async with transaction(pool, practice=PRACTICE.practice_id) as db:
            here = await filed(db, found_in(came, path)[0])
            chart = await loading.load(
                db, PRACTICE, here, charts.EVERYTHING, letters=[], now=charts.NOW
            )
            there = await filed(db, read(reader, charts.whole(writer(chart)))[0])
            before, after = await shown(db, here), await shown(db, there)
        many += len(before)
        if before != after or len(before) != len(chart.results):
            differ.append(path.name)
    assert differ == []
    assert many > 1000
