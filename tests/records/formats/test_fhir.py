"""FHIR files in every wrapping, and who they are about."""

import json
from typing import Any

import pytest

from services.records.domain.found import LeftOut, Patient, Reason, Unreadable
from services.records.domain.result import Result
from services.records.formats.fhir.limits import MAX_NESTING
from tests.records.formats.fhir_resources import (
    UUID,
    Json,
    bundle,
    found,
    left_out,
    observation,
    only,
    reads,
    results,
    rosa,
)


@pytest.mark.parametrize(
    "kind",
    [
        "transaction",
        "batch",
        "collection",
        "document",
        "searchset",
        "message",
        "batch-response",
        None,
    ],
)
def test_a_bundle_of_any_type_is_opened(kind: str | None) -> None:
    whole = bundle(rosa(), observation()) | {"type": kind}

    patient, taken = found(whole)

    assert isinstance(patient, Patient)
    assert isinstance(taken, Result)
    assert taken.patient_key == patient.key


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_the_same_is_read_in_every_encoding_and_layout(encoding: str, indent: int | None) -> None:
    whole = bundle(rosa(), observation(valueQuantity=None, valueString="naïve 😀"))

    things = reads(json.dumps(whole, ensure_ascii=False, indent=indent).encode(encoding))

    assert [one.given for one in only(Patient, things)] == ["Rosa María"]
    assert [one.value.text for one in only(Result, things)] == ["naïve 😀"]


def test_bytes_that_are_no_text_are_never_written_as_escapes() -> None:
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("utf-8", "as_json_escapes")


def test_a_file_that_is_not_utf_8_is_read_as_windows_1252() -> None:
    data = json.dumps(rosa(), ensure_ascii=False).encode("cp1252")

    assert [one.given for one in only(Patient, reads(data))] == ["Rosa María"]


def test_lines_of_resources_and_of_bundles_are_one_file() -> None:
    lines = (rosa(), observation(), bundle(observation(id="other")))

    assert len(results(*lines)) == 2
    assert [one.key for one in only(Patient, found(*lines))] == ["Patient/rosa"]


def test_places_are_told_by_line_and_entry() -> None:
    claim = {"resourceType": "Claim"}
    whole = bundle(rosa(), claim, bundle(claim))

    (of_bundle,) = only(LeftOut, found(whole))
    (of_lines,) = only(LeftOut, found(observation(), whole))

    assert of_bundle.where == "entry 2; entry 3.1"
    assert of_lines.where == "line 2, entry 2; line 2, entry 3.1"


def test_alike_things_that_are_left_out_are_one_line_with_their_number() -> None:
    (one,) = only(LeftOut, found(bundle(*[{"resourceType": "Claim"}] * 12)))

    assert (one.what, one.count) == ("Claim", 12)
    assert one.where == "entry 1; entry 2; entry 3; entry 4; entry 5; 7 more"


def test_a_list_of_resources_is_read_too() -> None:
    things = reads(json.dumps([rosa(), observation(), bundle(observation(id="x"))]))

    assert len(only(Result, things)) == 2


def test_resources_one_after_another_are_read_however_they_are_laid_out() -> None:
    data = "\n".join(json.dumps(one, indent=1) for one in (rosa(), observation()))

    assert len(only(Result, reads(data))) == 1


def nested(resource: Json, *, deep: int) -> Json:
    for _ in range(deep):
        resource = bundle(resource)
    return resource


@pytest.mark.parametrize("deep", [2, MAX_NESTING])
def test_bundles_in_bundles_are_opened(deep: int) -> None:
    assert len(results(nested(observation(), deep=deep))) == 1


def test_bundles_nested_too_deep_are_left_out() -> None:
    whole = bundle(rosa(), nested(observation(), deep=MAX_NESTING))

    assert left_out(whole) == [(Reason.UNREADABLE_PART, "Entry", 1)]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            {"request": {"method": "DELETE", "url": "Observation/7"}},
            (Reason.NOT_SUPPORTED, "Request to delete: Observation", 1),
        ),
        (
            {"response": {"status": "201"}},
            (Reason.NOT_SUPPORTED, "Response without a resource", 1),
        ),
        ({}, (Reason.UNREADABLE_PART, "Entry", 1)),
        ({"resource": "x"}, (Reason.UNREADABLE_PART, "Entry", 1)),
        ({"resource": {}}, (Reason.UNREADABLE_PART, "Entry", 1)),
    ],
)
def test_an_entry_without_a_resource_is_told(entry: Json, expected: tuple[Any, ...]) -> None:
    assert left_out(bundle(rosa(), entry)) == [expected]


@pytest.mark.parametrize(
    "data",
    [
        "",
        " \n ",
        "hello",
        "<Bundle/>",
        "{",
        "[]",
        "{}",
        "null",
        "7",
        '{"a": 1}',
        '"x"',
        "\x00\xff",
        "[1]",
    ],
)
def test_what_holds_nothing_of_fhir_is_unreadable(data: str) -> None:
    with pytest.raises(Unreadable):
        reads(data)


def test_a_history_tells_the_newest_version_and_no_other() -> None:
    versions = [
        {"resource": observation(valueQuantity={"value": value}), "fullUrl": f"urn:uuid:{UUID}"}
        for value in (3, 2, 1)
    ]
    whole = bundle(*versions, kind="history")

    assert [one.value.text for one in results(whole)] == ["3"]
    assert left_out(whole) == [(Reason.DUPLICATE, "Observation Hemoglobin (earlier version)", 2)]


def test_the_same_result_twice_in_a_file_is_told_once() -> None:
    assert left_out(bundle(observation(), observation())) == [
        (Reason.DUPLICATE, "Observation Hemoglobin", 1)
    ]
