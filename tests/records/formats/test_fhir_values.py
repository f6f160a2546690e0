"""What FHIR results say: their values, times and reference ranges."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from services.records.domain.found import LeftOut, Reason
from services.records.domain.result import Precision, ReferenceRange, ValueKind
from tests.records.formats.fhir_resources import (
    Json,
    found,
    observation,
    only,
    reads,
    result,
    results,
)

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


@pytest.mark.parametrize(
    ("said", "kind", "text", "unit"),
    [
        ({"valueQuantity": {"value": 13, "unit": "g/dL"}}, ValueKind.QUANTITY, "13", "g/dL"),
        ({"valueQuantity": {"value": 5, "code": "10*9/L"}}, ValueKind.QUANTITY, "5", "10*9/L"),
        ({"valueQuantity": {"value": 5}}, ValueKind.QUANTITY, "5", ""),
        ({"valueQuantity": {"value": "7.40"}}, ValueKind.QUANTITY, "7.40", ""),
        ({"valueQuantity": 7}, ValueKind.QUANTITY, "7", ""),
        ({"valueQuantity": "5,4 mg/dL"}, ValueKind.TEXT, "5,4 mg/dL", ""),
        ({"valueQuantity": {"value": 1, "comparator": "~"}}, ValueKind.TEXT, "~1", ""),
        ({"valueInteger": 3}, ValueKind.QUANTITY, "3", ""),
        ({"valueBoolean": False}, ValueKind.TEXT, "false", ""),
        ({"valueString": "no growth"}, ValueKind.TEXT, "no growth", ""),
        ({"valueCodeableConcept": {"text": "Positive"}}, ValueKind.CODED, "Positive", ""),
        ({"valueCodeableConcept": "Positive"}, ValueKind.CODED, "Positive", ""),
        (
            {"valueCodeableConcept": {"coding": [{"code": "1"}, {"code": "2", "display": "Two"}]}},
            ValueKind.CODED,
            "Two",
            "",
        ),
        ({"valueCodeableConcept": {"coding": [{"code": "OTH"}]}}, ValueKind.CODED, "OTH", ""),
        (
            {"valueRange": {"low": {"value": 5}, "high": {"value": 10, "unit": "/hpf"}}},
            ValueKind.RANGE,
            "5-10",
            "/hpf",
        ),
        ({"valueRange": {"low": {"value": 5, "unit": "s"}}}, ValueKind.RANGE, ">=5", "s"),
        ({"valueRange": {"high": {"value": 5}}}, ValueKind.RANGE, "<=5", ""),
        (
            {"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}},
            ValueKind.RATIO,
            "1:128",
            "",
        ),
        ({"valuePeriod": {"start": "2026-01-01"}}, ValueKind.TIME, "2026-01-01", ""),
        ({"valueDateTime": "2026-01"}, ValueKind.TIME, "2026-01", ""),
        ({"valueTime": "08:30:00"}, ValueKind.TIME, "08:30:00", ""),
        (
            {"valuePeriod": {"start": "2026-01-01", "end": "2026-01-05"}},
            ValueKind.TIME,
            "2026-01-01 - 2026-01-05",
            "",
        ),
        ({"dataAbsentReason": {"text": "clotted"}}, ValueKind.ABSENT, "clotted", ""),
        (
            {"_valueString": {"extension": [{"url": ABSENT, "valueCode": "masked"}]}},
            ValueKind.ABSENT,
            "masked",
            "",
        ),
        (
            {"valueQuantity": {"extension": [{"url": ABSENT, "valueCode": "masked"}]}},
            ValueKind.ABSENT,
            "masked",
            "",
        ),
    ],
)
def test_every_sort_of_value_is_shown_as_it_is(
    said: Json, kind: ValueKind, text: str, unit: str
) -> None:
    value = result(observation(**{"valueQuantity": None} | said)).value

    assert (value.kind, value.text, value.unit) == (kind, text, unit)


@pytest.mark.parametrize("digits", ["1.00", "0.10", "1E-7", "-2.50", "100", "4.123456789012345678"])
def test_a_number_keeps_the_digits_it_was_written_with(digits: str) -> None:
    written = str(observation()).replace("'", '"').replace("13.25", digits)

    (one,) = results_of(written)

    assert one.value.text == digits
    assert str(one.value.number) == str(Decimal(digits))


def results_of(written: str) -> list[Any]:
    return [one for one in reads(written) if not isinstance(one, LeftOut) and hasattr(one, "value")]


def test_a_bound_is_a_number_to_compare_with_its_sign() -> None:
    value = result(
        observation(valueQuantity={"value": 0.1, "comparator": "<", "unit": "ng/mL"})
    ).value

    assert (value.text, value.number, value.comparator) == ("<0.1", Decimal("0.1"), "<")


@pytest.mark.parametrize("digits", ["1e999", "1e-999", "9" * 41, "1e41"])
def test_an_absurd_number_is_shown_but_not_charted(digits: str) -> None:
    written = str(observation()).replace("'", '"').replace("13.25", digits)

    (one,) = results_of(written)

    assert (one.value.kind, one.value.text, one.value.number) == (ValueKind.TEXT, digits, None)
    assert one.value.unit == "g/dL"


@pytest.mark.parametrize("digits", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_at_all_is_left_out(digits: str) -> None:
    written = str(observation()).replace("'", '"').replace("13.25", digits)

    told = [(one.reason, one.what) for one in only(LeftOut, reads(written))]

    assert told == [(Reason.UNREADABLE_PART, "Observation Hemoglobin")]


@pytest.mark.parametrize(
    ("written", "at", "precision", "zoned"),
    [
        ("2026-05-02T08:30:00+02:00", (2026, 5, 2, 6, 30), Precision.INSTANT, True),
        ("2026-05-02T08:30:00.5Z", (2026, 5, 2, 8, 30, 0, 500000), Precision.INSTANT, True),
        ("2026-05-02T08:30:00+05:30", (2026, 5, 2, 3, 0), Precision.INSTANT, True),
        ("2026-05-02T08:30", (2026, 5, 2, 8, 30), Precision.INSTANT, False),
        ("2026-05-02T23:59:60Z", (2026, 5, 2, 23, 59, 59), Precision.INSTANT, True),
        ("2026-05-02", (2026, 5, 2), Precision.DAY, False),
        ("2026-05", (2026, 5, 1), Precision.MONTH, False),
        ("2026", (2026, 1, 1), Precision.YEAR, False),
    ],
)
def test_a_time_is_an_instant_of_the_precision_it_was_written_with(
    written: str, at: tuple[int, ...], precision: Precision, zoned: bool
) -> None:
    collected = result(observation(effectiveDateTime=written)).collected

    assert collected is not None
    assert collected.at == datetime(*at, tzinfo=UTC)  # type: ignore[misc,arg-type]
    assert (collected.precision, collected.zoned) == (precision, zoned)


@pytest.mark.parametrize(
    "said",
    [
        {"effectiveInstant": "2026-05-02T06:30:00Z"},
        {"effectivePeriod": {"start": "2026-05-01", "end": "2026-05-02T06:30:00Z"}},
        {"effectivePeriod": {"start": "2026-05-02T06:30:00Z"}},
        {"effectiveTiming": {"event": ["2026-05-01", "2026-05-02T06:30:00Z"]}},
    ],
)
def test_collection_is_the_instant_or_the_end_of_the_period(said: Json) -> None:
    collected = result(observation(**{"effectiveDateTime": None} | said)).collected

    assert collected is not None
    assert collected.at == datetime(2026, 5, 2, 6, 30, tzinfo=UTC)


def test_a_result_with_only_an_issue_time_counts_from_there() -> None:
    one = result(observation(effectiveDateTime=None, issued="2026-05-03T10:00:00Z"))

    assert one.collected == one.issued
    assert one.issued is not None


@pytest.mark.parametrize("written", ["soon", "2026-02-30", "0000-01-01", "20260502", "", 7, ["x"]])
def test_a_time_that_is_none_is_told_and_the_result_taken(written: Any) -> None:
    things = found(observation(effectiveDateTime=written))
    (one,) = results(observation(effectiveDateTime=written))

    assert one.collected is None
    reasons = {left.reason for left in only(LeftOut, things)}
    assert reasons == {Reason.BAD_TIME, Reason.NO_TIME}


def test_an_issue_time_that_is_none_is_told() -> None:
    things = found(observation(issued="soon"))

    assert [one.reason for one in only(LeftOut, things)] == [Reason.BAD_TIME]


def test_an_hour_beyond_the_calendar_is_no_time() -> None:
    (one,) = results(observation(effectiveDateTime="0001-01-01T00:00:00+14:00"))

    assert one.collected is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            {"low": {"value": 3.50, "unit": "g/dL"}, "high": {"value": 5.0}},
            ReferenceRange(low=Decimal("3.5"), high=Decimal("5.0"), text="3.5 - 5.0 g/dL"),
        ),
        ({"low": {"value": 60}}, ReferenceRange(low=Decimal(60), text=">=60")),
        ({"high": {"value": 5}}, ReferenceRange(high=Decimal(5), text="<=5")),
        ({"text": "Negative"}, ReferenceRange(text="Negative")),
        ("3-5", ReferenceRange(text="3-5")),
        (
            {"low": {"value": 46}, "high": {"value": 38}},
            ReferenceRange(low=Decimal(46), high=Decimal(38), text="46 - 38"),
        ),
        (
            {"low": {"value": 1}, "type": {"coding": [{"code": "therapeutic"}]}},
            ReferenceRange(text="therapeutic: >=1"),
        ),
        (
            {
                "low": {"value": 1},
                "appliesTo": [{}, {"text": "women"}],
                "age": {"low": {"value": 18, "unit": "a"}},
            },
            ReferenceRange(low=Decimal(1), text=">=1 (women, age >=18 a)"),
        ),
    ],
)
def test_a_reference_range_has_its_ends_and_its_words(
    written: Json, expected: ReferenceRange
) -> None:
    assert result(observation(referenceRange=[written])).ranges == (expected,)


def test_an_empty_range_is_none_and_several_are_several() -> None:
    ranges = [{}, {"text": "a"}, {"text": "b"}]

    assert [one.text for one in result(observation(referenceRange=ranges)).ranges] == ["a", "b"]
