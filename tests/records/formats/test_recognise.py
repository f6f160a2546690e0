"""What a file is: by its content first, by what it is declared to be second."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.records.formats.recognise import HEAD, Format, recognise
from tests.corpus import content, files, needs_corpus

FHIR = b'{"resourceType": "Bundle", "type": "batch", "entry": []}'
CCDA = b'<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"></ClinicalDocument>'
HL7 = b"MSH|^~\\&|LIS|LAB||PORTAL|20240305||ORU^R01|M1|P|2.5.1\rPID|1\r"


def of_folders(*folders: str) -> list[Path]:
    return [path for folder in folders for path in files(folder)]


@needs_corpus
@pytest.mark.parametrize("path", of_folders("fhir", "ccda", "hl7v2"), ids=lambda path: path.name)
@pytest.mark.parametrize("seen", [2 * 1024, HEAD])
def test_every_clinical_file_of_the_corpus_is_recognised_by_its_content(
    path: Path, seen: int
) -> None:
    recognised = recognise(content(path)[:seen])

    assert recognised.format.value.split("_")[0] == path.parent.name
    assert recognised.reason == ""


@needs_corpus
@pytest.mark.parametrize("path", of_folders("files"), ids=lambda path: path.name)
@pytest.mark.parametrize("declared", ["", "application/fhir+json", "text/xml"])
def test_no_other_file_of_the_corpus_is_taken_for_clinical_data(path: Path, declared: str) -> None:
    recognised = recognise(content(path)[:HEAD], declared, path.name)

    assert recognised.format is Format.UNKNOWN
    assert recognised.reason.endswith(".")


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (FHIR, Format.FHIR),
        (b"\xef\xbb\xbf \r\n" + FHIR, Format.FHIR),
        (FHIR.decode().encode("utf-16"), Format.FHIR),
        (b'{\n  "id": "x",\n  "resourceType" : "Patient"\n}\n', Format.FHIR),
        (b'{"entry": [' + b" " * HEAD, Format.FHIR),
        (b'{\n"resourceType": "Patient"\n}\n{\n"resourceType": "Patient"\n}', Format.FHIR),
        (FHIR + b"\n" + FHIR + b"\n", Format.FHIR_NDJSON),
        (FHIR + b"\r\n" + FHIR, Format.FHIR_NDJSON),
        (FHIR + b"\n\n  " + FHIR[:20], Format.FHIR_NDJSON),
        (CCDA, Format.CCDA),
        (b"\xef\xbb\xbf" + CCDA, Format.CCDA),
        (CCDA.decode().encode("utf-16"), Format.CCDA),
        (CCDA.decode().encode("utf-16-le"), Format.CCDA),
        (CCDA.decode().encode("utf-16-be"), Format.CCDA),
        (b"<!-- a <note> -->\n<?xml-stylesheet href='CDA.xsl'?>" + CCDA[21:], Format.CCDA),
        (b'<cda:ClinicalDocument xmlns:cda="urn:hl7-org:v3">', Format.CCDA),
        (b'<section xmlns="urn:hl7-org:v3"><title/>', Format.CCDA),
        (b'<section>\n<templateId root="2.16.840.1.113883.10.20.22.2.3.1"/>', Format.CCDA),
        (HL7, Format.HL7V2),
        (b"\x0b" + HL7, Format.HL7V2),
        (b"\r\n  " + HL7, Format.HL7V2),
        (b"FHS|^~\\&|LAB\rBHS|^~\\&\r" + HL7, Format.HL7V2),
        (b"Sent by fax\r" + HL7, Format.HL7V2),
        (b"MSH^~|\\&^LIS", Format.HL7V2),
        (HL7.decode().encode("utf-16"), Format.HL7V2),
    ],
)
def test_the_content_shows_the_format(head: bytes, expected: Format) -> None:
    assert recognise(head).format is expected


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"%PDF-1.7", "a PDF"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"[" + FHIR + b"]", "a JSON list"),
        (b'{"name": "x"}', "names no FHIR resource"),
        (b'<Patient xmlns="http://hl7.org/fhir"/>', "FHIR in XML"),
        (b"<html><body>MSH|^~</body></html>", "no C-CDA document"),
        (b"<section><p>text</p></section>", "no C-CDA document"),
        (b"<!DOCTYPE html><html/>", "document type"),
        (b"<!--" + b"x" * HEAD, "too far"),
        (b"MSHA|", "neither"),
        (b"Dear doctor, MSH|^~\\& is not at a line's start", "neither"),
        (bytes(range(256)), "neither"),
    ],
)
def test_what_is_not_recognised_has_a_reason(head: bytes, why: str) -> None:
    recognised = recognise(head)

    assert recognised.format is Format.UNKNOWN
    assert why in recognised.reason


@pytest.mark.parametrize(
    ("head", "declared"),
    [
        (FHIR, "application/fhir+json"),
        (FHIR, "Application/FHIR+JSON; charset=utf-8; fhirVersion=4.0"),
        (FHIR, "application/json"),
        (CCDA, "application/cda+xml"),
        (CCDA, "text/xml"),
        (HL7, "application/hl7-v2"),
        (HL7, "x-application/hl7-v2+er7"),
        (HL7, "text/plain"),
        (HL7, "application/octet-stream"),
    ],
)
def test_a_declared_type_that_fits_changes_nothing(head: bytes, declared: str) -> None:
    assert recognise(head, declared) == recognise(head)


@pytest.mark.parametrize(
    ("head", "declared", "why"),
    [
        (FHIR, "application/hl7-v2", "looks like FHIR JSON"),
        (HL7, "application/fhir+json", "looks like HL7 v2"),
        (HL7, "application/pdf", "looks like HL7 v2"),
        (CCDA, "application/json", "looks like a C-CDA document"),
        (FHIR + b"\n" + FHIR, "text/xml", "looks like FHIR NDJSON"),
    ],
)
def test_a_declared_type_that_contradicts_the_content_makes_it_unknown(
    head: bytes, declared: str, why: str
) -> None:
    recognised = recognise(head, declared)

    assert recognised.format is Format.UNKNOWN
    assert declared in recognised.reason
    assert why in recognised.reason


@pytest.mark.parametrize(
    ("declared", "file_name"),
    [("application/fhir+ndjson", ""), ("", "Patients.NDJSON"), ("application/json", "x.jsonl")],
)
def test_one_resource_on_one_line_is_what_it_is_called(declared: str, file_name: str) -> None:
    long_line = FHIR[:-1] + b" " * HEAD

    assert recognise(FHIR, declared, file_name).format is Format.FHIR_NDJSON
    assert recognise(long_line, declared, file_name).format is Format.FHIR_NDJSON
    assert recognise(FHIR.replace(b",", b",\n"), declared, file_name).format is Format.FHIR


def test_a_file_name_alone_decides_nothing() -> None:
    assert recognise(HL7, file_name="bundle.json").format is Format.HL7V2
    assert recognise(b"hello", file_name="bundle.json").format is Format.UNKNOWN


@settings(max_examples=300, deadline=None)
@given(
    start=st.sampled_from([b"", b"{", b"<", b"<!--", b"MSH", b"\xff\xfe", b'{"resourceType":']),
    rest=st.binary(max_size=500) | st.sampled_from([b"<??>" * 5000, b"{" * HEAD, b"<a " * 6000]),
    declared=st.text(max_size=20),
)
def test_any_bytes_get_an_answer_at_once(start: bytes, rest: bytes, declared: str) -> None:
    began = time.monotonic()
    recognised = recognise(start + rest, declared)

    assert (recognised.format is Format.UNKNOWN) == bool(recognised.reason)
    assert time.monotonic() - began < 2
