"""Which FHIR Observations are results, what they are of, and what belongs to them."""

import pytest

from services.records.domain.found import LeftOut, Reason
from services.records.domain.result import ResultStatus, ValueKind
from tests.records.formats.fhir_resources import (
    Json,
    found,
    left_out,
    observation,
    only,
    result,
)

V3 = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def test_flags_are_the_codes_most_severe_first_and_sentences_are_comments() -> None:
    one = result(
        observation(
            interpretation=[
                {"coding": [{"code": "local"}, {"system": V3, "code": "N"}]},
                {"coding": [{"code": "H"}]},
                {"coding": [{"code": "HH"}]},
                {"text": "consistent with iron deficiency"},
            ],
            note=[{"text": "Hemolyzed"}],
        )
    )

    assert one.flags == ("HH", "H", "N")
    assert one.comment == "Hemolyzed\nconsistent with iron deficiency"


@pytest.mark.parametrize(
    ("coding", "key", "alternates"),
    [
        ([{"system": "http://loinc.org", "code": "1"}], "http://loinc.org|1", 0),
        ([{"system": "urn:oid:2.16.840.1.113883.6.1", "code": "1"}], "http://loinc.org|1", 0),
        ([{"system": "https://loinc.org/", "code": "1"}], "http://loinc.org|1", 0),
        ([{"system": "LN", "code": "1"}], "http://loinc.org|1", 0),
        (
            [{"system": "urn:x", "code": "a"}, {"system": "http://loinc.org", "code": "1"}],
            "http://loinc.org|1",
            1,
        ),
        ([{"system": "2.16.1", "code": "a"}], "urn:oid:2.16.1", 0),
        ([{"code": "a"}], "|a", 0),
        ([{"display": "Sed rate"}], "text|Sed rate", 0),
        ([], "text|Hemoglobin", 0),
    ],
)
def test_the_code_is_loinc_first_and_a_bare_name_last(
    coding: list[Json], key: str, alternates: int
) -> None:
    code = {"coding": coding} if coding else {"text": "Hemoglobin"}

    one = result(observation(code=code))

    assert one.code.key.startswith(key)
    assert len(one.alternates) == alternates


def test_a_result_without_code_and_name_is_left_out() -> None:
    assert left_out(observation(code={"coding": [{}]})) == [
        (Reason.NO_CODE_AND_NO_NAME, "Observation", 1)
    ]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("final", ResultStatus.FINAL),
        ("AMENDED", ResultStatus.AMENDED),
        ("cancelled", ResultStatus.CANCELLED),
        ("entered-in-error", ResultStatus.ENTERED_IN_ERROR),
        ("F", ResultStatus.UNKNOWN),
        (None, ResultStatus.UNKNOWN),
    ],
)
def test_the_status_is_the_laboratorys(status: str | None, expected: ResultStatus) -> None:
    assert result(observation(status=status)).status is expected


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_a_retraction_is_told_under_the_name_of_what_it_retracts(status: str) -> None:
    number = [{"system": "urn:lab", "value": "7"}]
    before = result(observation(identifier=number))

    after = result(observation(identifier=number, status=status, valueQuantity=None))

    assert after.source_id == before.source_id
    assert after.value.kind is ValueKind.ABSENT


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"status": "registered"}, Reason.PENDING),
        ({"status": "preliminary"}, Reason.PENDING),
        ({"status": "final"}, Reason.NO_VALUE),
        ({"status": "final", "valueQuantity": {"unit": "g/dL"}}, Reason.NO_VALUE),
        ({"hasMember": [{"reference": "Observation/1"}]}, Reason.NO_VALUE),
        ({"valueSampledData": {"data": "1 2 3"}}, Reason.NOT_SUPPORTED),
        ({"valueString": {"oh": "no"}}, Reason.UNREADABLE_PART),
        ({"valueQuantity": {"value": {"oh": "no"}}}, Reason.UNREADABLE_PART),
        ({"valueRatio": {"numerator": {"value": 1}}}, Reason.NO_VALUE),
        ({"valueQuantity": {"extension": [{"url": "urn:other"}]}}, Reason.NO_VALUE),
    ],
)
def test_an_observation_that_says_nothing_is_left_out(said: Json, reason: Reason) -> None:
    (one,) = only(LeftOut, found(observation(**{"valueQuantity": None} | said)))

    assert one.reason is reason
    assert one.what.startswith("Observation Hemoglobin")
