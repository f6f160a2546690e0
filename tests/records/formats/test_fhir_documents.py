"""From FHIR to documents: content once, byte for byte, and never fetched from anywhere."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from services.records.domain.found import Patient, Reason
from services.records.domain.result import ResultStatus
from tests.records.formats.fhir_resources import (
    NOTE,
    PDF,
    UUID,
    Json,
    bundle,
    document,
    documents,
    found,
    inline,
    left_out,
    note,
    only,
    presented,
)


def test_a_document_has_its_content_and_all_that_is_said_of_it() -> None:
    author = {"resourceType": "Practitioner", "id": "a", "name": [{"text": "Ana Ruiz"}]}

    one = document(
        note(
            inline(),
            description="After the operation",
            contained=[author],
            author=[{"reference": "#a"}, {"display": "Ward 3"}],
            docStatus="preliminary",
        )
    )

    assert one.content == NOTE
    assert one.media_type == "text/plain; charset=utf-8"
    assert (one.title, one.kind, one.kind_code) == (
        "After the operation",
        "Discharge summary",
        "18842-5",
    )
    assert one.author == "Ana Ruiz, Ward 3"
    assert one.dated is not None
    assert one.dated.at == datetime(2026, 5, 2, 10, tzinfo=UTC)
    assert one.status is ResultStatus.PRELIMINARY
    assert one.patient_key == "Patient/rosa"


def test_a_reports_form_is_a_document_of_the_reports_kind() -> None:
    one = document(
        presented(inline(PDF, contentType="application/pdf", title="Report"), status="partial")
    )

    assert (one.title, one.kind, one.media_type) == ("Report", "Chest X-ray", "application/pdf")
    assert one.status is ResultStatus.PRELIMINARY


def test_the_same_note_as_document_and_in_a_report_is_one_document() -> None:
    both = bundle(presented(inline()), note(inline()))

    assert len(documents(both)) == 1
    assert left_out(both) == [(Reason.DUPLICATE, "DocumentReference Discharge summary", 1)]


def test_the_same_words_on_another_day_are_another_document() -> None:
    other = note(inline(), id="other", date="2026-05-09T10:00:00Z")
    with_report = presented(inline(), effectiveDateTime="2026-06-01")

    assert len(documents(bundle(note(inline()), other, with_report))) == 3


def test_the_same_words_about_two_people_are_two_documents() -> None:
    other = note(inline(), id="other", subject={"reference": "Patient/mia"})

    assert len(documents(bundle(note(inline()), other))) == 2


def test_each_attachment_is_a_document_with_a_name_of_its_own() -> None:
    first, second = documents(note(inline(), inline(PDF, contentType="application/pdf")))

    assert first.source_id != second.source_id
    assert (first.content, second.content) == (NOTE, PDF)


@pytest.mark.parametrize(
    "data",
    [
        base64.b64encode(PDF).decode().rstrip("="),
        base64.urlsafe_b64encode(PDF).decode(),
        "\n".join(base64.b64encode(PDF).decode()),
        " " + base64.b64encode(PDF).decode() + "\r\n",
    ],
)
def test_base64_is_understood_however_it_is_written(data: str) -> None:
    assert document(note({"data": data})).content == PDF


@pytest.mark.parametrize(
    ("attachment", "reason"),
    [
        ({"data": "no base64!"}, Reason.BAD_CONTENT),
        ({"data": "A"}, Reason.BAD_CONTENT),
        ({"data": "QUJD=QUJD"}, Reason.BAD_CONTENT),
        ({"data": "ÄÖÜ="}, Reason.BAD_CONTENT),
        ({"data": {"oh": "no"}}, Reason.BAD_CONTENT),
        ({"data": ["QUJD"]}, Reason.BAD_CONTENT),
        ({"data": 7}, Reason.BAD_CONTENT),
        ({"data": "===="}, Reason.NO_CONTENT),
        ({"data": "  "}, Reason.NO_CONTENT),
        ({"data": ""}, Reason.NO_CONTENT),
        ({}, Reason.NO_CONTENT),
        ({"url": "http://example.org/a.pdf"}, Reason.CONTENT_ELSEWHERE),
        ({"url": "./document2.pdf"}, Reason.CONTENT_ELSEWHERE),
        ({"url": "Binary/unknown"}, Reason.CONTENT_ELSEWHERE),
        ({"url": "data:text/plain;base64,QUJD"}, Reason.CONTENT_ELSEWHERE),
        ({"url": "file:///etc/passwd"}, Reason.CONTENT_ELSEWHERE),
        ("http://example.org/a.pdf", Reason.CONTENT_ELSEWHERE),
        ("QUJD", Reason.BAD_CONTENT),
        (None, Reason.BAD_CONTENT),
        ([], Reason.BAD_CONTENT),
    ],
)
def test_an_attachment_without_its_content_is_left_out(attachment: Any, reason: Reason) -> None:
    assert left_out(note(attachment)) == [(reason, "DocumentReference Discharge summary", 1)]


def test_a_bad_attachment_costs_no_other() -> None:
    assert document(note({"data": "!"}, inline())).content == NOTE


@pytest.mark.parametrize("content", [[], None, "x", [{}], [None]])
def test_a_document_reference_without_attachments_is_left_out(content: Any) -> None:
    ((_, what, count),) = left_out(note(content=content))

    assert (what, count) == ("DocumentReference Discharge summary", 1)


def test_a_report_without_a_form_gives_its_conclusion() -> None:
    one = document(
        presented(
            conclusion="No fracture.", conclusionCode=[{"text": "Normal"}], presentedForm=None
        )
    )

    assert (one.title, one.content) == ("Chest X-ray", b"No fracture.\nNormal")
    assert one.media_type == "text/plain; charset=utf-8"


def test_a_conclusion_is_not_told_besides_the_form_it_stands_in() -> None:
    assert document(presented(inline(), conclusion="No fracture.")).content == NOTE


def test_a_conclusion_is_told_where_the_form_is_elsewhere() -> None:
    whole = presented({"url": "http://x/a.pdf"}, conclusion="No fracture.")

    assert document(whole).content == b"No fracture."
    assert left_out(whole) == [(Reason.CONTENT_ELSEWHERE, "DiagnosticReport Chest X-ray", 1)]


def test_reports_that_only_name_results_are_told_together() -> None:
    one = presented(presentedForm=None, result=[{"reference": "Observation/1"}])

    assert left_out(bundle(one, one)) == [
        (Reason.NO_CONTENT, "DiagnosticReport (its results stand for themselves)", 2)
    ]


@pytest.mark.parametrize("content", [[inline()], [{"url": "http://x/a.pdf"}], [{}], []])
def test_a_retracted_document_is_told_with_or_without_its_content(content: list[Json]) -> None:
    before = document(note(inline()))

    after = document(note(*content, status="entered-in-error"))

    assert after.status is ResultStatus.ENTERED_IN_ERROR
    assert after.source_id == before.source_id


@pytest.mark.parametrize(
    "said",
    [
        {"masterIdentifier": {"system": "urn:doc", "value": "1"}},
        {"identifier": [{"system": "urn:doc", "value": "1"}]},
        {"id": UUID},
        {},
    ],
)
def test_a_document_names_the_earlier_version_that_it_replaces(said: Json) -> None:
    first = note(inline(b"one"), **{"id": "first"} | said)
    target = {"reference": f"DocumentReference/{first['id']}"}
    second = note(inline(b"two"), id="second", relatesTo=[{"code": "replaces", "target": target}])

    earlier, later = documents(bundle(first, second))

    assert later.replaces == earlier.source_id
    assert earlier.replaces == ""


def test_a_replaced_version_in_another_file_is_named_by_its_address() -> None:
    address = "http://a/fhir/DocumentReference/1"
    earlier = document(bundle({"fullUrl": address, "resource": note(inline(b"one"))}))
    relation = {"code": "replaces", "target": {"reference": address}}

    later = document(note(inline(b"two"), id="second", relatesTo=[relation]))

    assert later.replaces == earlier.source_id


def test_an_appendix_replaces_nothing() -> None:
    relation = {"code": "appends", "target": {"reference": "DocumentReference/1"}}

    assert document(note(inline(), relatesTo=[relation])).replaces == ""


def test_the_patient_of_a_document_alone_is_a_stranger_to_settle() -> None:
    (patient,) = only(Patient, found(note(inline())))

    assert (patient.key, patient.birth_date) == ("Patient/rosa", None)
