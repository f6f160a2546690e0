"""A record that is taken to another practice is there what it was here."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.records.exports import Format, Kind
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
    came = await practice.bring(_laboratory(), patient_id=rosa)
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
    assert await documents(other, there) == await documents(practice, rosa)
    assert len(await results(other, there)) == 2
    again = await other.bring(taken, patient_id=there)
    assert again.state is ImportState.DONE
    assert len(await results(other, there)) == 2


def _laboratory() -> bytes:
    """A laboratory's bundle, as this product would write one."""
    rosa = charts.ROSA.model_copy(update={"family": "Alvarez", "mrn": ""})
    chart = charts.chart(charts.measured([charts.albumin()]), person=rosa)
    return charts.whole(fhir.bundle(chart))
