"""Documents whose content is in a Binary of the same file, or in none."""

import pytest

from services.records.domain.found import Document, LeftOut, Patient, Reason
from tests.records.formats.fhir_resources import (
    PDF,
    UUID,
    Json,
    binary,
    bundle,
    document,
    documents,
    found,
    inline,
    left_out,
    note,
    only,
    rosa,
)


@pytest.mark.parametrize(
    ("url", "full_url"),
    [
        ("Binary/b", ""),
        ("/Binary/b", ""),
        ("./Binary/b", ""),
        (f"urn:uuid:{UUID}", f"urn:uuid:{UUID}"),
        ("http://a/fhir/Binary/b", "http://a/fhir/Binary/b"),
        ("http://a/fhir/Binary/b", ""),
    ],
)
@pytest.mark.parametrize("comes_first", [True, False])
def test_content_in_a_binary_of_the_same_file_is_found(
    url: str, full_url: str, comes_first: bool
) -> None:
    there = {"fullUrl": full_url, "resource": binary()}
    here = note({"contentType": "application/pdf", "url": url})

    one = document(bundle(*([there, here] if comes_first else [here, there])))

    assert (one.content, one.media_type, one.title) == (PDF, "application/pdf", "Discharge summary")


def test_a_binary_of_another_bundle_is_not_taken_for_it() -> None:
    here = bundle(note({"url": "Binary/b"}))

    things = found(here, bundle(binary()))

    assert only(Document, things) == []
    assert {one.reason for one in only(LeftOut, things)} == {
        Reason.CONTENT_ELSEWHERE,
        Reason.NO_PATIENT,
    }


def test_a_binary_that_is_broken_leaves_out_the_documents_that_wait_for_it() -> None:
    whole = bundle(note({"url": "Binary/b"}), binary(data="!"))

    assert left_out(whole) == [(Reason.BAD_CONTENT, "DocumentReference Discharge summary", 1)]


@pytest.mark.parametrize("said", [{"contentType": "x" * 3000}, {"securityContext": "x" * 3000}])
def test_a_binary_that_can_not_be_taken_leaves_out_the_documents_that_wait(said: Json) -> None:
    assert left_out(bundle(note({"url": "Binary/b"}), binary(**said))) == [
        (Reason.TOO_LARGE, "Binary", 1),
        (Reason.BAD_CONTENT, "DocumentReference Discharge summary", 1),
    ]


def test_a_binary_that_is_broken_by_itself_is_told() -> None:
    assert left_out(binary(data="!")) == [(Reason.BAD_CONTENT, "Binary", 1)]


def test_a_binary_says_its_type_where_the_document_does_not() -> None:
    assert document(bundle(note({"url": "Binary/b"}), binary())).media_type == "application/pdf"


def test_the_same_note_by_itself_and_in_a_binary_is_one_document() -> None:
    here, there = note(inline(PDF)), note({"url": "Binary/b"}, id="other")

    assert len(documents(bundle(here, there, binary()))) == 1


def test_one_binary_is_the_content_of_all_who_wait_for_it() -> None:
    other = note({"url": "Binary/b"}, id="other", date="2026-05-09")

    assert len(documents(bundle(note({"url": "Binary/b"}), other, binary()))) == 2


def test_a_binary_by_itself_is_a_document() -> None:
    one = document(binary(securityContext={"reference": "Patient/rosa"}))

    assert (one.content, one.media_type, one.patient_key) == (
        PDF,
        "application/pdf",
        "Patient/rosa",
    )


def test_a_binary_by_itself_that_a_practitioner_may_see_is_nobodys_in_particular() -> None:
    assert document(binary(securityContext={"reference": "Practitioner/a"})).patient_key == ""


def test_a_binary_of_a_patient_in_the_file_is_theirs() -> None:
    whole = bundle(rosa(), binary(securityContext={"reference": "Patient/rosa"}))

    assert document(whole).patient_key == "Patient/rosa"
    assert len(only(Patient, found(whole))) == 1


def test_a_binary_in_a_bundle_that_nobody_names_is_left_out() -> None:
    assert left_out(bundle(rosa(), binary())) == [
        (Reason.NO_PATIENT, "Binary (no document refers to it)", 1)
    ]
