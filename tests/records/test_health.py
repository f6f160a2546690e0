"""Health: the latest of each test, its history, and what staff type in and correct."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.contracts.base import Refused
from libs.contracts.records.health import (
    AddResult,
    CorrectResult,
    Flag,
    Health,
    ShowHealth,
    ShowTest,
    Status,
)
from libs.contracts.records.health import Test as LabTest
from libs.contracts.records.refusals import Refusal
from libs.contracts.visa import Capacity, Limit, Role
from libs.runtime.broker import ask
from libs.runtime.clock import utcnow
from services.records.domain.catalogue import _ENTRIES, CATALOGUE, GROUPS
from tests.corpus import CORPUS, needs_corpus
from tests.readability import reading_age
from tests.records.office import Office, together

MAY = datetime(2026, 5, 2, 12, tzinfo=UTC)


def typing(practice: Office, patient_id: UUID, value: str = "3.1", **said: Any) -> AddResult:
    given: dict[str, Any] = {
        "visa": practice.staff,
        "key": uuid4(),
        "test_name": "Albumin",
        "loinc": "1751-7",
        "unit": "g/dL",
        "range_low": "3.5",
        "range_high": "5.0",
        "collected_at": MAY,
    }
    return AddResult(patient_id=patient_id, value=value, **given | said)


async def add(practice: Office, patient_id: UUID, value: str = "3.1", **said: Any) -> UUID:
    return (await ask(practice.broker, typing(practice, patient_id, value, **said))).result_id


async def health(practice: Office, patient_id: UUID, **said: Any) -> Health:
    given = {"visa": practice.patient(patient_id)} | said
    return await ask(practice.broker, ShowHealth(patient_id=patient_id, **given), within=10)


async def shown_tests(practice: Office, patient_id: UUID, **said: Any) -> tuple[LabTest, ...]:
    tests = (await health(practice, patient_id, **said)).tests
    assert tests is not None
    return tests


async def correct(practice: Office, patient_id: UUID, result_id: UUID, value: str) -> UUID:
    asked = CorrectResult(
        visa=practice.staff,
        key=uuid4(),
        patient_id=patient_id,
        result_id=result_id,
        value=value,
    )
    return (await ask(practice.broker, asked)).result_id


async def test_a_typed_result_is_shown_with_all_that_its_sentence_needs(practice: Office) -> None:
    rosa = await practice.add_patient(mrn="A-1")
    await add(practice, rosa, "3.4", collected_at=MAY - timedelta(days=90))
    newest = await add(practice, rosa, comment="Taken fasting.\nSecond try.")
    shown = await health(practice, rosa)
    assert (shown.person.patient_id, shown.person.family) == (rosa, "Alvarez")
    assert (shown.documents, shown.documents_total) == ((), 0)
    assert shown.tests is not None
    (test,) = shown.tests
    assert (test.name, test.group, test.code, test.unit, test.total) == (
        "Albumin", "Liver and kidneys", "1751-7", "g/dL", 2,
    )  # fmt: skip
    assert test.about
    latest = test.latest
    assert (latest.result_id, latest.value, latest.number) == (newest, "3.1", Decimal("3.1"))
    assert (latest.flag, latest.status, latest.kind) == (Flag.LOW, Status.FINAL, "quantity")
    assert latest.range is not None
    assert (latest.range.low, latest.range.high) == (Decimal("3.5"), Decimal("5.0"))
    assert (latest.collected_at, latest.comment) == (MAY, "Taken fasting.\nSecond try.")
    assert [one.value for one in test.history] == ["3.1", "3.4"]
    alone = await ask(
        practice.broker,
        ShowTest(visa=practice.patient(rosa), patient_id=rosa, test_key=test.key),
    )
    assert alone.test == test


async def test_a_corrected_result_shows_the_new_value_and_every_earlier_one(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    first = await add(practice, rosa)
    assert await correct(practice, rosa, first, "4.1") == first
    assert await correct(practice, rosa, first, "4.2") == first
    (test,) = await shown_tests(practice, rosa)
    assert (test.latest.value, test.latest.status, test.latest.flag, test.total) == (
        "4.2", Status.CORRECTED, Flag.NORMAL, 1,
    )  # fmt: skip
    assert [(one.value, one.unit) for one in test.latest.earlier] == [
        ("4.1", "g/dL"),
        ("3.1", "g/dL"),
    ]
    with pytest.raises(Refused, match=Refusal.UNKNOWN_RESULT):
        await correct(practice, rosa, uuid4(), "1")
    ana = await practice.add_patient("Ana")
    with pytest.raises(Refused, match=Refusal.UNKNOWN_RESULT):
        await correct(practice, ana, first, "1")


async def test_a_form_sent_twenty_times_keeps_one_result(practice: Office) -> None:
    rosa = await practice.add_patient()
    asked = typing(practice, rosa)
    kept = await together(*(ask(practice.broker, asked, within=10) for _ in range(20)))
    assert len({one.result_id for one in kept}) == 1
    (test,) = await shown_tests(practice, rosa)
    assert test.total == 1


async def test_what_came_after_the_last_visit_is_new(practice: Office) -> None:
    rosa = await practice.add_patient()
    await add(practice, rosa)
    since = utcnow()
    await add(practice, rosa, "140", test_name="Sodium", loinc="2951-2", unit="mmol/L")
    new = {test.name: test.latest.new for test in await shown_tests(practice, rosa, since=since)}
    assert new == {"Albumin": False, "Sodium": True}


async def test_tests_stand_in_their_groups_in_the_order_in_which_they_are_read(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    for name, loinc in (
        ("Mood", ""), ("Na", "2951-2"), ("Plt", "777-3"), ("Hgb", "718-7"), ("Air", ""),
    ):  # fmt: skip
        await add(practice, rosa, "1", test_name=name, loinc=loinc)
    assert [test.name for test in await shown_tests(practice, rosa)] == [
        "Hemoglobin", "Platelets", "Sodium", "Air", "Mood",
    ]  # fmt: skip


async def test_tests_of_one_name_are_told_apart(practice: Office) -> None:
    rosa = await practice.add_patient()
    await add(practice, rosa, "1", test_name="Glucose SerPl", loinc="2345-7", unit="mg/dL")
    await add(practice, rosa, "2", test_name="Glucose Bld", loinc="2339-0", unit="mg/dL")
    await add(practice, rosa, "3", test_name="Glucose Bld", loinc="2339-0", unit="mmol/L")
    named = {(test.name, test.unit) for test in await shown_tests(practice, rosa)}
    assert named == {
        ("Glucose (Glucose SerPl)", "mg/dL"),
        ("Glucose (Glucose Bld)", "mg/dL"),
        ("Glucose", "mmol/L"),
    }


@pytest.mark.parametrize(
    ("value", "kind", "number", "comparator"),
    [
        ("3.10", "quantity", "3.10", ""),
        ("-0.5", "quantity", "-0.5", ""),
        ("<0.1", "quantity", "0.1", "<"),
        ("≥ 90", "quantity", "90", ">="),
        ("1:128", "ratio", None, ""),
        ("5-10", "range", None, ""),
        ("Positive", "text", None, ""),
        ("٣", "text", None, ""),
        ("1e400000", "text", None, ""),
    ],
)
async def test_a_value_is_shown_as_it_was_typed(
    practice: Office, value: str, kind: str, number: str | None, comparator: str
) -> None:
    rosa = await practice.add_patient()
    await add(practice, rosa, value, loinc="")
    (test,) = await shown_tests(practice, rosa)
    latest = test.latest
    assert (latest.value, latest.kind, latest.comparator) == (value, kind, comparator)
    assert (None if latest.number is None else str(latest.number)) == number


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"value": " "}, Refusal.VALUE_NOT_USABLE),
        ({"value": "3\0"}, Refusal.VALUE_NOT_USABLE),
        ({"value": "a" * 2001}, Refusal.VALUE_NOT_USABLE),
        ({"unit": "g\0"}, Refusal.VALUE_NOT_USABLE),
        ({"test_name": ""}, Refusal.VALUE_NOT_USABLE),
        ({"loinc": "albumin"}, Refusal.VALUE_NOT_USABLE),
        ({"range_low": "low"}, Refusal.VALUE_NOT_USABLE),
        ({"comment": "\0"}, Refusal.VALUE_NOT_USABLE),
        ({"collected_at": utcnow() + timedelta(days=2)}, Refusal.TIME_IMPOSSIBLE),
    ],
)
async def test_what_is_no_result_is_refused_with_the_reason(
    practice: Office, said: dict[str, Any], why: Refusal
) -> None:
    rosa = await practice.add_patient()
    with pytest.raises(Refused, match=f"^{why}$"):
        await add(practice, rosa, **{"value": "3.1"} | said)
    assert await shown_tests(practice, rosa) == ()


async def test_a_limit_leaves_its_part_of_the_page_out(practice: Office) -> None:
    rosa = await practice.add_patient()
    await add(practice, rosa)
    without = practice.patient(rosa, {Limit.DOCUMENTS})
    shown = await health(practice, rosa, visa=without)
    assert (shown.tests, shown.documents) == (None, ())
    shown = await health(practice, rosa, visa=practice.patient(rosa, {Limit.RESULTS}))
    assert (len(shown.tests or ()), shown.documents) == (1, None)
    (test,) = await shown_tests(practice, rosa)
    with pytest.raises(Refused, match=Refusal.NOT_ALLOWED):
        await ask(practice.broker, ShowTest(visa=without, patient_id=rosa, test_key=test.key))


async def test_nobody_sees_a_record_that_is_not_theirs(practice: Office) -> None:
    rosa, ana = await practice.add_patient(), await practice.add_patient("Ana")
    result_id = await add(practice, rosa)
    (test,) = await shown_tests(practice, rosa)
    other = practice.another()
    for visa, why in (
        (practice.patient(ana), Refusal.NOT_ALLOWED),
        (practice.machine, Refusal.NOT_ALLOWED),
        (other.staff, Refusal.UNKNOWN_PATIENT),
        (other.patient(rosa), Refusal.UNKNOWN_PATIENT),
    ):
        for refused in await together(
            ask(practice.broker, ShowHealth(visa=visa, patient_id=rosa)),
            ask(practice.broker, ShowTest(visa=visa, patient_id=rosa, test_key=test.key)),
        ):
            assert isinstance(refused, Refused)
            assert refused.code == why
    with pytest.raises(Refused, match=Refusal.UNKNOWN_TEST):
        await ask(
            practice.broker,
            ShowTest(visa=practice.patient(ana), patient_id=ana, test_key=test.key),
        )
    with pytest.raises(Refused, match=Refusal.UNKNOWN_PATIENT):
        await ask(practice.broker, typing(other, rosa))
    with pytest.raises(Refused, match=Refusal.UNKNOWN_PATIENT):
        await correct(other, rosa, result_id, "1")
    desk = practice.visa(Capacity.STAFF, role=Role.FRONT_DESK)
    for visa in (practice.patient(rosa), practice.machine, desk):
        with pytest.raises(Refused, match=Refusal.NOT_ALLOWED):
            await add(practice, rosa, visa=visa)


@needs_corpus
async def test_every_naughty_string_is_a_value_as_it_is_or_is_refused(practice: Office) -> None:
    strings: list[str] = json.loads(
        (CORPUS / "misc/big-list-of-naughty-strings__blns.json").read_text("utf-8")
    )
    rosa = await practice.add_patient()
    kept = {}
    for at, naughty in enumerate(dict.fromkeys(strings)):
        said = {"test_name": f"Test {at}", "loinc": "", "comment": naughty}
        (added,) = await together(add(practice, rosa, naughty, **said))
        if isinstance(added, Refused):
            assert added.code == Refusal.VALUE_NOT_USABLE
        else:
            kept[f"Test {at}"] = naughty.strip()
    assert len(kept) > 400
    shown = {test.name: test.latest for test in await shown_tests(practice, rosa)}
    assert {name: one.value for name, one in shown.items()} == kept
    assert {name: one.comment for name, one in shown.items()} == kept


async def test_a_record_of_any_size_fits_its_reply(practice: Office) -> None:
    """300 tests, 40 of each, and a comment that none of them can bring whole."""
    rosa = await practice.add_patient()
    await practice.sql(
        """
        INSERT INTO result (practice_id, id, patient_id, key, source_id, digest, test_key, system,
               code, name, kind, value, comparator, unit, range_text, flag, status, rank,
               collected_at, precision, zoned, specimen, performer, orderer, comment, arrived_at)
        SELECT $1, gen_random_uuid(), $2, gen_random_uuid(), t || ' ' || n, '', 't' || t, 'text',
               t, 'Test ' || t, 'text', repeat('long ', 2000), '', '', '', 'unknown', 'final', 3,
               $3::timestamptz - n * interval '1 day', 'day', true, '', '', '', repeat('b', 5000),
               $3
          FROM generate_series(1, 300) t, generate_series(1, 40) n
        """,
        practice.practice_id,
        rosa,
        MAY,
    )
    await practice.sql(
        """
        INSERT INTO latest_result
        SELECT DISTINCT ON (test_key) practice_id, patient_id, test_key, id, collected_at, 40
          FROM result ORDER BY test_key, collected_at DESC, id DESC
        """
    )
    tests = await shown_tests(practice, rosa)
    assert len(tests) == 300
    assert all(test.latest == test.history[0] and test.total == 40 for test in tests)
    assert tests[0].latest.value.endswith(" …")
    alone = await ask(
        practice.broker,
        ShowTest(visa=practice.patient(rosa), patient_id=rosa, test_key=tests[0].key),
        within=10,
    )
    assert [len(one.value) for one in alone.test.history] == [10_000] * 40


def test_what_we_say_of_a_test_is_short_and_plain() -> None:
    assert len(CATALOGUE) == len(_ENTRIES), "a code stands twice"
    said = ". ".join(sorted({known.about for known in CATALOGUE.values()})) + "."
    assert reading_age(said) <= 12
    for known in CATALOGUE.values():
        assert known.group in GROUPS
        assert len(known.about) <= 50
        assert known.about[0].isupper()
        assert not known.about.endswith(".")
