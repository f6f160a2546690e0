"""A record that is taken to another practice is there what it was here."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.records.exports import Format, Kind
from libs.contracts.records.health import Status
from libs.contracts.records.imports import ImportState
from services.records.exporting import fhir
from tests.records import office
from tests.records.exporting import charts
from tests.records.office import Office
from tests.records.test_exports import result, whole
from tests.servers import Servers

WANTED = frozenset({Kind.LABS, Kind.DOCUMENTS})


@pytest.fixture
async def practice(clean: Servers) -> AsyncIterator[Office]:
    async with office.opened(clean, with_identity=True) as opened:
        yield opened


async def results(practice: Office, patient_id: UUID) -> list[tuple[Any, ...]]:
    rows = await practice.sql(
        """
        SELECT test_key, name, kind, value, number, comparator, unit, range_low, range_high,
               range_text, flag, status, collected_at, precision, zoned, specimen, performer,
               orderer, comment
          FROM result
         WHERE practice_id = $1 AND patient_id = $2 AND rank < 6
        """,
        practice.practice_id,
        patient_id,
    )
    return sorted((tuple(row) for row in rows), key=str)


async def earlier(practice: Office, patient_id: UUID) -> list[tuple[Any, ...]]:
    """What corrected results said, with the number of each among those of its result."""
    rows = await practice.sql(
        """
        SELECT r.collected_at, b.number, b.value, b.unit, b.corrected_at
          FROM result_before b
          JOIN result r ON r.practice_id = b.practice_id AND r.id = b.result_id
         WHERE r.practice_id = $1 AND r.patient_id = $2
         ORDER BY r.collected_at, b.number
        """,
        practice.practice_id,
        patient_id,
    )
    return [tuple(row) for row in rows]


async def documents(practice: Office, patient_id: UUID) -> list[tuple[Any, ...]]:
    rows = await practice.sql(
        """
        SELECT title, kind, sha256, dated, precision, replaced_by IS NULL
          FROM document
         WHERE practice_id = $1 AND patient_id = $2 AND withdrawn_at IS NULL
           AND media_type <> 'application/cda+xml'
        """,
        practice.practice_id,
        patient_id,
    )
    return sorted((tuple(row) for row in rows), key=str)


@pytest.mark.parametrize("form", [Format.FHIR, Format.CCDA])
async def test_a_record_is_the_same_where_it_is_taken_to(practice: Office, form: Format) -> None:
    """The clinical document itself lies there besides, as every one that comes in does."""
    rosa = await practice.add_patient()
    for bundle in _laboratory():
        came = await practice.bring(bundle, patient_id=rosa)
        assert came.state is ImportState.DONE
    await result(practice, rosa, datetime(2026, 3, 8, 6, 59, 59, tzinfo=UTC))
    await practice.file(rosa, b"tea " * 1000, title="Zwölf <Blätter>", file_name="../ä.txt")
    await practice.file(rosa, b"%PDF-1.7 x", title="Scan", kind="", dated=date(2026, 3, 9))
    taken = await whole(practice, rosa, form, kinds=WANTED)

    other = practice.another()
    await other.add_practice()
    there = await other.add_patient()
    brought = await other.bring(taken, patient_id=there)

    assert brought.state is ImportState.DONE
    assert await results(other, there) == await results(practice, rosa)
    assert await earlier(other, there) == await earlier(practice, rosa)
    assert len(await earlier(other, there)) == 2
    assert await documents(other, there) == await documents(practice, rosa)
    statuses = ["cancelled", "corrected", "final"]
    assert sorted(row[11] for row in await results(other, there)) == statuses
    again = await other.bring(taken, patient_id=there)
    assert again.state is ImportState.DONE
    assert len(await results(other, there)) == 3
    assert len(await earlier(other, there)) == 2


def _laboratory() -> Iterator[bytes]:
    """What a laboratory says of two results, and says of them later: one it corrects twice, and one
    it takes back.
    """
    rosa = charts.ROSA.model_copy(update={"family": "Alvarez", "mrn": ""})
    stays, goes = charts.measured([charts.albumin(), charts.albumin()])
    goes = replace(goes, collected_at=charts.NOW - timedelta(days=9))
    for hours, value, corrected, taken_back in (
        (0, "3.4", Status.FINAL, Status.FINAL),
        (1, "3.3", Status.CORRECTED, Status.FINAL),
        (2, "3.1", Status.CORRECTED, Status.CANCELLED),
    ):
        issued = charts.NOW + timedelta(hours=hours)
        said = replace(
            stays, value=value, number=Decimal(value), status=corrected, issued_at=issued
        )
        beside = replace(goes, status=taken_back, issued_at=issued)
        yield charts.whole(fhir.bundle(charts.chart([said, beside], person=rosa)))
