"""How much of a FHIR file is taken: each limit at its edge, and what is said beyond it."""

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.records.domain.found import Document, LeftOut, Patient, Reason, Unreadable
from services.records.domain.result import Result
from services.records.formats import fhir
from services.records.formats.fhir import (
    identity,
    index,
    laboratory,
    leftout,
    names,
    patients,
    stream,
    window,
)
from services.records.formats.fhir.limits import (
    CHUNK,
    MAX_ENTRY,
    MAX_ITEMS,
    MAX_KIND,
    MAX_NAME,
    MAX_NESTING,
    MAX_TEXT,
)
from tests.records.formats.fhir_resources import (
    HEMOGLOBIN,
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

MEGABYTE = 1024 * 1024
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "said",
    [
        lambda more: {"valueString": "x" * (MAX_TEXT + more), "valueQuantity": None},
        lambda more: {"note": [{"text": "x" * (MAX_TEXT + more)}]},
        lambda more: {"note": [{"text": "x" * (MAX_TEXT // 2)}, {"text": "x" * (MAX_TEXT // 2 - 1 + more)}]},
        lambda more: {"code": {"text": "x" * (MAX_NAME + more)}},
        lambda more: {"valueQuantity": {"value": 1, "unit": "x" * (MAX_NAME + more)}},
        lambda more: {"note": [{"text": "x"}] * (MAX_ITEMS + more)},
        lambda more: {"code": {"coding": [HEMOGLOBIN["coding"][0]] * (MAX_ITEMS + more)}},
    ],
    ids=["value", "comment", "comments", "name", "unit", "notes", "codings"],
)  # fmt: skip
def test_a_result_as_long_as_may_be_is_taken_and_a_longer_one_told(
    said: Callable[[int], Json],
) -> None:
    assert len(results(observation(**said(0)))) == 1

    (one,) = only(LeftOut, found(observation(**said(1))))

    assert one.reason is Reason.TOO_LARGE
    assert one.what.startswith("Observation")


def test_an_id_too_long_for_a_name_is_no_name() -> None:
    assert left_out(observation(id="x" * (MAX_NAME + 1))) == [
        (Reason.TOO_LARGE, "Observation Hemoglobin", 1)
    ]


def test_a_report_with_too_much_inside_is_told() -> None:
    inside = [{"resourceType": "Observation"}] * (MAX_ITEMS + 1)
    report = {
        "resourceType": "DiagnosticReport",
        "contained": inside,
        "result": [{"reference": "#"}],
    }

    assert (Reason.TOO_LARGE, "DiagnosticReport", 1) in left_out(report)


def test_a_panel_with_too_many_members_is_told() -> None:
    members = [{"reference": "Observation/1"}] * (MAX_ITEMS + 1)

    assert left_out(observation(hasMember=members)) == [
        (Reason.TOO_LARGE, "Links from reports to results", 1)
    ]


def test_lines_that_come_to_too_long_a_value_are_told() -> None:
    lines = [{"code": HEMOGLOBIN, "valueString": "x" * (MAX_TEXT // 2)}] * 2

    assert left_out(observation(valueQuantity=None, component=lines)) == [
        (Reason.TOO_LARGE, "Observation Hemoglobin", 1)
    ]


@pytest.mark.parametrize("kind", ["K" * (MAX_KIND + 1), True, ["Patient"]])
def test_what_is_no_sort_of_resource_is_no_resource(kind: Any) -> None:
    assert left_out(bundle(rosa(), {"resource": {"resourceType": kind}})) == [
        (Reason.UNREADABLE_PART, "Entry", 1)
    ]


def large_note(size: int) -> Json:
    """A DocumentReference whose parts come to so many characters of JSON."""
    whole: Json = {"resourceType": "DocumentReference", "content": []}
    rest = size - sum(len(json.dumps(name)) + len(json.dumps(whole[name])) for name in whole)
    attachment: Json = {"attachment": {"contentType": "x", "data": ""}}
    rest -= len(json.dumps(attachment))
    attachment["attachment"]["data"] = ("QUJD" * (rest // 4 + 1))[:rest]
    whole["content"] = [attachment]
    return whole


def test_an_entry_may_be_as_large_as_the_limit_and_no_larger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit = 4 * CHUNK
    monkeypatch.setattr(window, "MAX_ENTRY", limit)

    (document,) = only(Document, found(bundle(rosa(), large_note(limit))))
    beyond = left_out(bundle(rosa(), large_note(limit + 1), observation()))

    assert len(document.content) > limit // 2
    assert beyond == [(Reason.TOO_LARGE, "Entry", 1)]
    assert len(results(bundle(rosa(), large_note(limit + 1), observation()))) == 1


def test_a_single_resource_beyond_the_limit_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "MAX_ENTRY", 2 * CHUNK)

    with pytest.raises(Unreadable, match="larger than can be read"):
        found(large_note(4 * CHUNK))


def test_the_largest_document_of_the_portal_fits() -> None:
    content = os.urandom(30 * MEGABYTE)
    note = {
        "resourceType": "DocumentReference",
        "description": "Größer 😀",
        "content": [{"attachment": {"data": base64.b64encode(content).decode()}}],
    }

    (document,) = only(Document, reads(json.dumps(note, ensure_ascii=False)))

    assert document.content == content
    assert document.title == "Größer 😀"
    assert len(base64.b64encode(content)) < MAX_ENTRY


def test_an_entry_may_have_so_many_parts_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    def padded(parts: int) -> Json:
        return observation(extension=[{"url": "x" * 300}] * parts)

    monkeypatch.setattr(window, "MAX_PARTS", 8_100)
    assert len(json.dumps(padded(4_000))) > 2 * CHUNK

    assert len(results(bundle(rosa(), padded(4_000)))) == 1
    assert left_out(bundle(rosa(), padded(4_100))) == [(Reason.TOO_LARGE, "Entry", 1)]


def test_bundles_nested_too_deep_in_a_long_file_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(window, "CHUNK", 64)
    whole = observation(id="in")
    for _ in range(MAX_NESTING):
        whole = bundle(whole)
    whole = bundle(rosa(), whole, observation(id="after"))

    assert left_out(whole) == [(Reason.UNREADABLE_PART, "Entry", 1)]
    assert len(results(whole)) == 1


def test_so_many_faults_and_the_rest_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "CHUNK", 64)
    monkeypatch.setattr(stream, "MAX_FAULTS", 3)

    assert len(results(bundle(rosa(), *[{"x": 1}] * 3, observation()))) == 1
    assert results(bundle(rosa(), *[{"x": 1}] * 4, observation())) == []
    lines = b"\n".join(
        [json.dumps(rosa()).encode(), *[b"{}"] * 5, json.dumps(observation()).encode()]
    )
    assert only(Result, reads(lines)) == []
    assert only(LeftOut, reads(lines))[-1].where == "line 5 and all after it"


def test_so_many_brackets_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_bad(brackets: int) -> str:
        bad = "[" * (brackets // 2) + "]" * (brackets // 2)
        return json.dumps(bundle(rosa(), {"x": 0}, observation())).replace('{"x": 0}', bad)

    monkeypatch.setattr(window, "CHUNK", 64)
    monkeypatch.setattr(window, "MAX_SKIPPED", 20)

    assert len(only(Result, reads(with_bad(20)))) == 1
    assert only(Result, reads(with_bad(22))) == []
    assert only(LeftOut, reads(with_bad(22)))[0].where == "entry 2 and all after it"


def test_so_many_patients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patients, "MAX_PATIENTS", 2)
    people = [rosa(id=str(number), birthDate=f"1980-01-0{number}") for number in (1, 2, 3)]

    assert len(only(Patient, found(bundle(*people)))) == 2
    assert left_out(bundle(*people)) == [
        (Reason.TOO_LARGE, "Patient (more than the file may hold)", 1)
    ]


def test_so_many_links_from_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laboratory, "MAX_LINKS", 2)
    members = [{"reference": f"Observation/{number}"} for number in (1, 2, 3)]
    report = {"resourceType": "DiagnosticReport", "code": {"text": "Panel"}, "result": members}
    measured = [observation(id=str(number), category=None) for number in (1, 2, 3)]

    assert len(results(bundle(report, *measured))) == 2
    assert (Reason.TOO_LARGE, "Links from reports to results", 1) in left_out(
        bundle(report, *measured)
    )


@pytest.mark.parametrize(
    ("module", "limit"),
    [(names, "MAX_NAMED"), (identity, "MAX_REMEMBERED"), (fhir, "MAX_REMEMBERED")],
)
def test_what_is_remembered_of_a_file_has_an_end(
    monkeypatch: pytest.MonkeyPatch, module: Any, limit: str
) -> None:
    monkeypatch.setattr(module, limit, 1)
    both = [{"resourceType": "Specimen", "id": str(n), "type": {"text": f"S{n}"}} for n in (1, 2)]
    measured = [
        observation(
            id=str(number),
            specimen={"reference": f"Specimen/{number}"},
            identifier=[{"system": "urn:lab", "value": str(number)}],
        )
        for number in (1, 2)
    ]

    taken = results(bundle(*both, *measured))

    assert [one.specimen for one in taken] == (["S1", ""] if module is names else ["S1", "S2"])


def test_binaries_beyond_the_number_that_is_remembered_are_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(index, "MAX_NAMED", 1)
    both = [{"resourceType": "Binary", "id": name, "data": "QUJD"} for name in "ab"]
    waiting = [
        {
            "resourceType": "DocumentReference",
            "id": name,
            "content": [{"attachment": {"url": f"Binary/{name}"}}],
        }
        for name in "ab"
    ]

    things = found(bundle(*both, *waiting))

    assert len(only(Document, things)) == 1
    assert {one.reason for one in only(LeftOut, things)} == {
        Reason.CONTENT_ELSEWHERE,
        Reason.NO_PATIENT,
    }


def test_documents_beyond_the_number_that_is_remembered_are_replaced_by_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(identity, "MAX_NAMED", 1)
    content = [{"attachment": {"data": "QUJD"}}]
    notes: list[Json] = [
        {
            "resourceType": "DocumentReference",
            "id": name,
            "identifier": [{"system": "urn:doc", "value": name}],
            "date": f"2026-01-0{day}",
            "content": content,
            "relatesTo": [{"code": "replaces", "target": {"reference": f"DocumentReference/{to}"}}],
        }
        for day, name, to in ((1, "a", "x"), (2, "b", "a"), (3, "c", "b"))
    ]

    first, second, third = only(Document, found(bundle(*notes)))

    assert second.replaces == first.source_id
    assert third.replaces not in {"", second.source_id}


def test_so_many_lines_of_what_was_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftout, "MAX_KINDS", 2)
    kinds = [{"resourceType": f"Kind{number}"} for number in range(5)]

    assert left_out(bundle(*kinds)) == [
        (Reason.NOT_SUPPORTED, "Kind0", 1),
        (Reason.NOT_SUPPORTED, "Kind1", 1),
        (Reason.NOT_SUPPORTED, "Others", 3),
    ]
