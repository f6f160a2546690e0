"""Results into a record: once, corrected, taken back, and the latest of each test."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.contracts.records.health import Flag
from libs.runtime import database
from libs.runtime.database import Pool, transaction
from services.records import filing
from services.records.domain import labs
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
from services.records.filing import Filed
from services.records.store import patients
from services.records.store import results as store
from tests.servers import Servers

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PRACTICE = uuid4()
HEMOGLOBIN = Code(system=LOINC, code="718-7", display="Hemoglobin")


def number(text: str, unit: str = "g/dL", comparator: str = "") -> Value:
    return Value(
        kind=ValueKind.QUANTITY,
        text=comparator + text,
        number=Decimal(text),
        comparator=comparator,
        unit=unit,
    )


def result(source: str = "a", **changes: Any) -> Result:
    given: dict[str, Any] = {
        "source_id": source,
        "patient_key": "p",
        "code": HEMOGLOBIN,
        "name": "Hemoglobin",
        "value": number("13.1"),
        "status": ResultStatus.FINAL,
        "collected": Moment(at=NOON, precision=Precision.INSTANT),
        "ranges": (ReferenceRange(low=Decimal("12.0"), high=Decimal("15.5")),),
    }
    return Result(**given | changes)


@pytest.fixture
async def pool(clean: Servers) -> AsyncIterator[Pool]:
    async with asyncpg.create_pool(
        clean.database_url("records"),
        server_settings={"search_path": "records"},
        init=database._speak_json,
    ) as made:
        yield made


@pytest.fixture
async def rosa(pool: Pool) -> UUID:
    return await add_patient(pool)


async def add_patient(pool: Pool) -> UUID:
    patient_id = uuid4()
    somebody = entry(
        given="Rosa",
        family="Alvarez",
        birth_date=NOON.date(),
        email="",
        mrn="",
        today=NOON.date(),
    )
    async with transaction(pool, practice=PRACTICE) as db:
        await patients.add_patients(db, PRACTICE, [(patient_id, somebody)], now=NOON)
    return patient_id


async def file(pool: Pool, patient: UUID, *found: Result) -> Filed:
    async with transaction(pool, practice=PRACTICE) as db:
        return await filing.file_results(
            db, PRACTICE, patient, found, import_id=None, now=datetime.now(UTC)
        )


async def latest(pool: Pool, patient: UUID) -> dict[str, str]:
    """The latest value of each test, by its name and unit."""
    async with transaction(pool, practice=PRACTICE) as db:
        rows = await store.list_latest(db, PRACTICE, patient)
    return {
        f"{row['name']} {row['unit']}".strip(): row["value"]
        for row in rows
        if row["id"] == row["latest_id"]
    }


async def test_the_same_file_twice_changes_nothing(pool: Pool, rosa: UUID) -> None:
    found = [
        result(str(at), collected=Moment(at=NOON + timedelta(days=at), precision=Precision.DAY))
        for at in range(50)
    ]
    assert await file(pool, rosa, *found) == Filed(taken=50)
    assert await file(pool, rosa, *found) == Filed(unchanged=50)


async def test_a_correction_shows_the_new_value_and_keeps_the_old_one(
    pool: Pool, rosa: UUID
) -> None:
    await file(pool, rosa, result())
    corrected = result(value=number("12.9"), status=ResultStatus.CORRECTED)
    assert await file(pool, rosa, corrected) == Filed(corrected=1)
    assert await latest(pool, rosa) == {"Hemoglobin g/dL": "12.9"}
    async with transaction(pool, practice=PRACTICE) as db:
        kept = await store.get_id(db, PRACTICE, rosa, "a")
        before = await store.list_before(db, PRACTICE, [kept])
    assert [row["value"] for row in before] == ["13.1"]


async def test_a_preliminary_result_that_comes_late_changes_nothing(pool: Pool, rosa: UUID) -> None:
    await file(pool, rosa, result())
    late = result(value=number("9.9"), status=ResultStatus.PRELIMINARY)
    assert await file(pool, rosa, late) == Filed(unchanged=1)
    assert await latest(pool, rosa) == {"Hemoglobin g/dL": "13.1"}


@pytest.mark.parametrize("status", [ResultStatus.CANCELLED, ResultStatus.ENTERED_IN_ERROR])
async def test_what_is_taken_back_is_no_longer_the_latest(
    pool: Pool, rosa: UUID, status: ResultStatus
) -> None:
    before = Moment(at=NOON - timedelta(days=9), precision=Precision.DAY)
    await file(pool, rosa, result("old", value=number("14.0"), collected=before), result("new"))
    taken_back = result("new", status=status, value=Value(kind=ValueKind.ABSENT, text=""))
    assert await file(pool, rosa, taken_back) == Filed(withdrawn=1)
    assert await latest(pool, rosa) == {"Hemoglobin g/dL": "14.0"}
    early = result("late", status=status, value=Value(kind=ValueKind.ABSENT, text=""))
    assert await file(pool, rosa, early) == Filed(unchanged=1)
    assert await file(pool, rosa, result("late")) == Filed(unchanged=1)
    assert await latest(pool, rosa) == {"Hemoglobin g/dL": "14.0"}


async def test_what_was_cancelled_before_it_came_is_shown_as_that_and_is_never_the_latest(
    pool: Pool, rosa: UUID
) -> None:
    cancelled = result("early", status=ResultStatus.CANCELLED, value=number("99"))
    bare = result(
        "bare",
        status=ResultStatus.CANCELLED,
        value=Value(kind=ValueKind.ABSENT, text="", unit="g/dL"),
    )
    assert await file(pool, rosa, cancelled, bare) == Filed(taken=1, unchanged=1)
    assert await latest(pool, rosa) == {}
    assert await file(pool, rosa, result("new")) == Filed(taken=1)
    assert await file(pool, rosa, result("early", value=number("99"))) == Filed(unchanged=1)
    assert await latest(pool, rosa) == {"Hemoglobin g/dL": "13.1"}
    async with transaction(pool, practice=PRACTICE) as db:
        rows = await store.list_latest(db, PRACTICE, rosa)
    assert sorted((row["value"], row["status"]) for row in rows) == [
        ("13.1", "final"),
        ("99", "cancelled"),
    ]


async def test_results_with_other_units_or_codes_never_share_a_line(pool: Pool, rosa: UUID) -> None:
    other = Code(system="urn:oid:1.2.3", code="718-7")
    await file(
        pool,
        rosa,
        result("a"),
        result("b", value=number("131", "g/L")),
        result("c", code=other, name="Local"),
        result("d", value=Value(kind=ValueKind.TEXT, text="clotted")),
    )
    assert await latest(pool, rosa) == {
        "Hemoglobin g/dL": "13.1",
        "Hemoglobin g/L": "131",
        "Local g/dL": "13.1",
        "Hemoglobin": "clotted",
    }


async def test_the_latest_is_the_latest_instant_in_whatever_order_they_come(pool: Pool) -> None:
    """Strings would say otherwise: 23:00-05:00 is after 02:00Z of the next day."""
    times = {
        "first": "2026-03-01T23:00:00+00:00",
        "second": "2026-03-02T02:00:00+00:00",
        "last": "2026-03-01T23:00:00-05:00",
        "undated": None,
    }
    for order in permutations(times):
        patient = await add_patient(pool)
        for name in order:
            at = times[name]
            moment = (
                Moment(at=datetime.fromisoformat(at), precision=Precision.INSTANT) if at else None
            )
            await file(
                pool,
                patient,
                result(name, value=Value(kind=ValueKind.TEXT, text=name), collected=moment),
            )
        assert await latest(pool, patient) == {"Hemoglobin": "last"}


async def test_two_filings_at_once_are_one_after_the_other(pool: Pool, rosa: UUID) -> None:
    import asyncio

    found = [result(str(at)) for at in range(20)]
    filed = await asyncio.gather(*(file(pool, rosa, *found) for _ in range(8)))
    assert sorted(one.taken for one in filed) == [0] * 7 + [20]


async def test_every_text_is_kept_as_it_was_written(pool: Pool, rosa: UUID) -> None:
    odd = [
        "<script>alert(1)</script>",
        "\u202etxt.exe",
        "Ω≈ç√",
        "'; DROP TABLE result;--",
        "👩🏽‍🔬",
    ]
    for at, text in enumerate(odd):
        code = Code(system="text", code=text)
        value = Value(kind=ValueKind.TEXT, text=text)
        await file(pool, rosa, result(f"{at}", code=code, name=text, value=value, comment=text))
    assert await latest(pool, rosa) == {text: text for text in odd}


@pytest.mark.parametrize(
    ("value", "flags", "ranges", "flag"),
    [
        (number("11.9"), (), (("12.0", "15.5"),), Flag.LOW),
        (number("12.0"), (), (("12.0", "15.5"),), Flag.NORMAL),
        (number("15.5"), (), (("12.0", "15.5"),), Flag.NORMAL),
        (number("15.6"), (), (("12.0", "15.5"),), Flag.HIGH),
        (number("31"), (), ((None, "30"),), Flag.HIGH),
        (number("59"), (), (("60", None),), Flag.LOW),
        (number("0.1", comparator="<"), (), (("0.5", "2"),), Flag.LOW),
        (number("0.5", comparator="<"), (), (("0.5", "2"),), Flag.LOW),
        (number("1.0", comparator="<"), (), (("0.5", "2"),), Flag.UNKNOWN),
        (number("2.5", comparator="<"), (), ((None, "14"),), Flag.NORMAL),
        (number("90", comparator=">"), (), (("60", None),), Flag.NORMAL),
        (number("90", comparator=">"), (), ((None, "14"),), Flag.HIGH),
        (number("38"), (), (("46", "38"),), Flag.UNKNOWN),
        (number("1"), (), (("1", "2"), ("3", "4")), Flag.UNKNOWN),
        (number("13.1"), ("HH",), (("12.0", "15.5"),), Flag.VERY_HIGH),
        (number("13.1"), ("A", "LL"), (), Flag.VERY_LOW),
        (number("13.1"), ("N",), (("14", "15"),), Flag.NORMAL),
        (Value(kind=ValueKind.TEXT, text="positive"), ("A",), (), Flag.ABNORMAL),
        (Value(kind=ValueKind.TEXT, text="positive"), (), (("1", "2"),), Flag.UNKNOWN),
    ],
)
def test_a_flag_is_the_laboratorys_or_follows_from_its_range(
    value: Value, flags: tuple[str, ...], ranges: tuple[Any, ...], flag: Flag
) -> None:
    bands = tuple(
        ReferenceRange(low=Decimal(low) if low else None, high=Decimal(high) if high else None)
        for low, high in ranges
    )
    assert labs.flag(result(value=value, flags=flags, ranges=bands)) is flag


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(code=st.text(max_size=60), unit=st.text(max_size=20), other=st.text(max_size=20))
def test_a_tests_address_is_safe_and_its_own(code: str, unit: str, other: str) -> None:
    one = labs.test_key(result(code=Code(system="x", code=code), value=number("1", unit)))
    two = labs.test_key(result(code=Code(system="x", code=code), value=number("1", other)))
    assert (one == two) == (unit == other)
    assert one.replace("-", "").replace(".", "").isalnum()
    assert replace(result(), name=code).name == code


async def test_what_a_file_says_of_one_result_twice_is_a_correction_and_stays_so(
    pool: Pool, rosa: UUID
) -> None:
    file_ = [result(), result(value=number("12.0")), result("b"), result()]
    assert await file(pool, rosa, *file_) == Filed(taken=2, corrected=1, unchanged=1)
    assert await file(pool, rosa, *file_) == Filed(unchanged=4)
    async with transaction(pool, practice=PRACTICE) as db:
        rows = await store.list_latest(db, PRACTICE, rosa)
        before = await store.list_before(db, PRACTICE, [row["id"] for row in rows])
    assert sorted(row["value"] for row in rows) == ["12.0", "13.1"]
    assert [row["value"] for row in before] == ["13.1"]


def at(hours: int) -> Moment:
    return Moment(at=NOON + timedelta(hours=hours), precision=Precision.INSTANT)


@pytest.mark.parametrize(
    ("new", "is_taken"),
    [
        ({"issued": at(2), "value": number("9")}, True),
        ({"issued": at(0), "value": number("9")}, False),
        ({"issued": at(0), "value": number("9"), "status": ResultStatus.CORRECTED}, False),
        ({"value": number("9"), "status": ResultStatus.CORRECTED}, True),
        ({"issued": at(2), "value": number("9"), "status": ResultStatus.PRELIMINARY}, False),
        ({"issued": at(2), "status": ResultStatus.CANCELLED}, True),
        ({"issued": at(2)}, False),
    ],
)
async def test_of_two_readings_the_one_that_was_issued_later_stands(
    pool: Pool, rosa: UUID, new: dict[str, Any], is_taken: bool
) -> None:
    await file(pool, rosa, result(issued=at(1)))
    filed = await file(pool, rosa, result(**new))
    assert filed.corrected + filed.withdrawn == int(is_taken)
    assert filed.unchanged == int(not is_taken)


async def test_a_cancelled_result_that_is_issued_again_stands_again(pool: Pool, rosa: UUID) -> None:
    await file(pool, rosa, result(issued=at(1)))
    cancelled = result(issued=at(2), status=ResultStatus.CANCELLED)
    assert await file(pool, rosa, cancelled) == Filed(withdrawn=1)
    assert await latest(pool, rosa) == {}
    assert await file(pool, rosa, result(issued=at(3))) == Filed(corrected=1)
    assert await latest(pool, rosa) == {"Hemoglobin g/dL": "13.1"}


async def test_a_correction_to_another_unit_moves_the_result_to_another_test(
    pool: Pool, rosa: UUID
) -> None:
    await file(pool, rosa, result("a"), result("b", collected=at(-9), value=number("14")))
    await file(pool, rosa, result("a", value=number("131", "g/L"), status=ResultStatus.CORRECTED))
    assert await latest(pool, rosa) == {"Hemoglobin g/dL": "14", "Hemoglobin g/L": "131"}


async def test_what_a_database_cannot_hold_is_marked_and_loses_nothing_else(
    pool: Pool, rosa: UUID
) -> None:
    odd = "a\0b\ud800c"
    await file(
        pool,
        rosa,
        result(odd * 999, name=odd, value=Value(kind=ValueKind.TEXT, text=odd), comment=odd),
        result("n", value=number("1e999999", unit="x")),
        result("m", value=number("1e-999999", unit="y")),
        result("i", value=number("NaN", unit="z")),
    )
    shown = await latest(pool, rosa)
    assert shown["a\ufffdb\ufffdc"] == "a\ufffdb\ufffdc"
    assert [shown[f"Hemoglobin {unit}"] for unit in "xyz"] == ["1e999999", "1e-999999", "NaN"]


FOUND = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.sampled_from([None, 0, 1, 2]),
        st.sampled_from(list(ResultStatus)),
        st.sampled_from(["1", "2"]),
        st.sampled_from(["g/dL", "g/L"]),
    ),
    max_size=8,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(files=st.lists(FOUND, max_size=4))
async def test_the_latest_is_what_a_look_at_all_results_would_say(
    pool: Pool, files: list[list[Any]]
) -> None:
    patient = await add_patient(pool)
    for found in files:
        said = [
            result(
                source,
                collected=None if hours is None else at(hours),
                status=status,
                value=number(value, unit),
            )
            for source, hours, status, value, unit in found
        ]
        filed = await file(pool, patient, *said)
        total = filed.taken + filed.unchanged + filed.corrected + filed.withdrawn
        assert total == len(said)
        assert await file(pool, patient, *said) == Filed(unchanged=len(said))
    async with transaction(pool, practice=PRACTICE) as db:
        kept = await db.fetch(
            "SELECT test_key, result_id, total, collected_at FROM latest_result WHERE patient_id = $1",
            patient,
        )
        everything = await db.fetch("SELECT * FROM result WHERE patient_id = $1", patient)
    long_ago = NOON - timedelta(days=9)
    standing: dict[str, list[Any]] = {}
    for row in everything:
        if row["rank"] < labs.GONE:
            standing.setdefault(row["test_key"], []).append(row)
    newest = {
        key: max(rows, key=lambda row: (row["collected_at"] or long_ago, row["id"]))
        for key, rows in standing.items()
    }
    assert {row["test_key"]: (row["result_id"], row["total"]) for row in kept} == {
        key: (row["id"], len(standing[key])) for key, row in newest.items()
    }
