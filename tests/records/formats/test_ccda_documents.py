"""Whom a C-CDA is about, the document itself, and the file inside one that has no structure."""

import base64
import hashlib
from datetime import UTC, date, datetime

import pytest

from services.records.domain.found import Document, Identifier, LeftOut, Patient, Reason
from services.records.domain.result import Moment, Precision, Result
from tests.records.formats.cda_documents import (
    RECORD_TARGET,
    document,
    every,
    observation,
    only,
    panel,
    results_document,
    section,
)

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40


def patient_of(inner: str) -> Patient:
    return only(
        Patient,
        document(header=f"<recordTarget><patientRole>{inner}</patientRole></recordTarget>"),
    )


def test_the_patient_is_the_record_target() -> None:
    assert only(Patient, document()) == Patient(
        key="1.2.3^MRN-7",
        family="Alvarez",
        given="Rosa",
        birth_date=date(1961, 4, 12),
        identifiers=(Identifier(system="urn:oid:1.2.3", value="MRN-7"),),
        sex="F",
    )


@pytest.mark.parametrize(
    ("names", "family", "given", "others"),
    [
        (
            (
                "<name use='SRCH'><given>Eve</given><family>Everywoman</family></name>"
                "<name use='L'><given>Eve</given><given>M</given><family>Betterhalf</family></name>"
            ),
            "Betterhalf",
            "Eve M",
            (("Everywoman", "Eve"),),
        ),
        (
            (
                "<name><given>Adam</given><given qualifier='CL'>Frankie</given>"
                "<family>Everyman</family></name>"
            ),
            "Everyman",
            "Adam",
            (("Everyman", "Frankie"),),
        ),
        ("<name>Muñiz, María José</name>", "Muñiz", "María José", ()),
        ("<name>Rosa Alvarez</name>", "Alvarez", "Rosa", ()),
        ("<name><given nullFlavor='UNK'/><family nullFlavor='UNK'/></name>", "", "", ()),
        ("", "", "", ()),
    ],
)
def test_a_patient_goes_by_the_legal_name_and_keeps_the_others(
    names: str, family: str, given: str, others: tuple[tuple[str, str], ...]
) -> None:
    found = patient_of(f"<patient>{names}</patient>")
    assert (found.family, found.given, found.other_names) == (family, given, others)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("19611231", date(1961, 12, 31)),
        ("19511115033803", date(1951, 11, 15)),
        ("19610412000000-0500", date(1961, 4, 12)),
        ("1961", None),
        ("19611345", None),
        ("Aug 15, 1942", None),
        ("", None),
    ],
)
def test_a_birth_date_is_a_whole_day_or_none(written: str, day: date | None) -> None:
    assert patient_of(f'<patient><birthTime value="{written}"/></patient>').birth_date == day


def test_identifiers_say_whose_they_are_and_empty_ones_are_none() -> None:
    found = patient_of(
        '<id nullFlavor="NI"/><id root="2.16.840.1.113883.4.1" extension="111-00-2330"/>'
        '<id root="1.2.3"/><id root="1.2.3" nullFlavor="UNK" extension="x"/>'
    )
    assert found.identifiers == (
        Identifier(system="urn:oid:2.16.840.1.113883.4.1", value="111-00-2330", kind="SS"),
    )


def test_the_same_person_named_twice_is_one_and_two_people_are_nobodys_results() -> None:
    twin = RECORD_TARGET.replace("MRN-7", "MRN-8").replace("Rosa", "Ana")
    same = results_document(observation(), header=RECORD_TARGET * 2)
    both = results_document(observation(), header=RECORD_TARGET + twin)

    assert only(Result, same).patient_key == only(Patient, same).key
    assert len(every(Patient, both)) == 2
    assert only(Result, both).patient_key == ""
    assert only(Document, both).patient_key == ""


def test_the_document_is_kept_as_its_very_bytes() -> None:
    author = (
        "<author><assignedAuthor><assignedPerson><name><prefix>Dr</prefix><given>Nora</given>"
        "<family>Lind</family></name></assignedPerson></assignedAuthor></author>"
    )
    data = document(header=RECORD_TARGET + author)
    found = only(Document, data)

    assert found.content == data
    assert (found.title, found.media_type) == ("Patient Chart", "application/cda+xml")
    assert (found.kind, found.kind_code, found.author) == ("Summary", "34133-9", "Dr Nora Lind")
    assert found.dated == Moment(
        at=datetime(2024, 3, 2, tzinfo=UTC), precision=Precision.DAY, zoned=False
    )


def test_a_document_without_title_and_date_goes_by_its_kind() -> None:
    data = document().replace(b"<title>Patient Chart</title>", b"").replace(b"20240302", b"soon")
    found = only(Document, data)
    assert (found.title, found.dated) == ("Summary", None)


def test_the_same_document_again_is_the_same_and_another_with_its_number_is_another() -> None:
    first = only(Document, document())
    again = only(Document, document())
    other = only(Document, document(section(panel(observation()))))

    assert again.source_id == first.source_id
    assert other.source_id != first.source_id
    assert other.known_as == first.known_as


@pytest.mark.parametrize(("relation", "replaces"), [("RPLC", True), ("APND", False)])
def test_a_replacement_names_the_version_before_it(relation: str, *, replaces: bool) -> None:
    parent = '<parentDocument><id root="1.2.8" extension="1"/></parentDocument>'
    related = f'<relatedDocument typeCode="{relation}">{parent}</relatedDocument>'
    earlier = only(Document, document(identity="1"))
    later = only(Document, document(identity="2", header=RECORD_TARGET + related))

    assert later.replaces == (earlier.known_as if replaces else "")


def unstructured(inner: str, attributes: str = "") -> bytes:
    return document(body=f"<nonXMLBody><text {attributes}>{inner}</text></nonXMLBody>")


@pytest.mark.parametrize(
    ("declared", "media_type"),
    [('mediaType="application/pdf"', "application/pdf"), ("", "application/pdf")],
)
def test_the_file_inside_an_unstructured_document_is_a_document(
    declared: str, media_type: str
) -> None:
    written = base64.encodebytes(PDF).decode().replace("\n", "\r\n   ")
    wrapper, inside = every(Document, unstructured(written, f'{declared} representation="B64"'))

    assert inside.media_type == media_type
    assert hashlib.sha256(inside.content).digest() == hashlib.sha256(PDF).digest()
    assert (inside.title, inside.patient_key) == (wrapper.title, wrapper.patient_key)
    assert inside.source_id != wrapper.source_id


def test_plain_text_inside_a_document_keeps_its_lines() -> None:
    _, inside = every(Document, unstructured("Dear Rosa,\n  all is well.\n"))
    assert (inside.content, inside.media_type) == (b"Dear Rosa,\n  all is well.", "text/plain")


@pytest.mark.parametrize(
    ("inner", "attributes", "reason"),
    [
        ('<reference value="UD_sample.pdf"/>', "", Reason.CONTENT_ELSEWHERE),
        ('<reference value="https://x.example/a.pdf"/>', "", Reason.CONTENT_ELSEWHERE),
        ("", 'representation="B64"', Reason.NO_CONTENT),
        ("not*base64", 'representation="B64"', Reason.BAD_CONTENT),
        ("QUJDR", 'representation="B64"', Reason.BAD_CONTENT),
        ("eJwD", 'representation="B64" compression="ZL"', Reason.NOT_SUPPORTED),
    ],
)
def test_a_file_that_is_not_there_is_left_out(inner: str, attributes: str, reason: Reason) -> None:
    data = unstructured(inner, attributes)
    assert only(LeftOut, data).reason is reason
    assert only(Document, data).content == data


def test_entries_of_other_sections_are_told_and_not_taken() -> None:
    vital_signs = section(
        panel(observation()),
        panel(observation()),
        title="Vital signs",
        about='<code code="8716-3"/>',
    )
    data = document(vital_signs)
    left_out = only(LeftOut, data)

    assert every(Result, data) == []
    assert (left_out.where, left_out.count) == ("section Vital signs", 2)


@pytest.mark.parametrize(
    "about",
    [
        '<code code="30954-2"/>',
        '<templateId root="2.16.840.1.113883.10.20.22.2.3"/>',
        '<templateId root="2.16.840.1.113883.10.20.22.2.3.1" extension="2015-08-01"/>',
        '<templateId root="2.16.840.1.113883.3.88.11.83.122"/><code nullFlavor="NI"/>',
        '<code code="11493-4"/>',
    ],
)
def test_a_results_section_is_known_by_code_or_template(about: str) -> None:
    assert only(Result, document(section(panel(observation()), about=about))).name == "Hemoglobin"


def test_a_result_of_an_older_document_needs_no_template_of_today() -> None:
    older = '<templateId root="2.16.840.1.113883.10.20.1.31"/>'
    assert only(Result, results_document(observation(templates=older)))
    assert only(Result, results_document(observation(templates="")))


def test_sections_within_a_results_section_are_read_once() -> None:
    inner = section(panel(observation()), title="Chemistry", about="<code code='18719-5'/>")
    data = document(section(inner))
    assert only(Result, data).name == "Hemoglobin"


def test_a_fragment_with_undeclared_prefixes_is_read() -> None:
    fragment = section(panel(observation(more='<sdtc:x/><foo:y bar:z="1"/>')))
    found = only(Result, b"<!-- an example -->\n" + fragment.encode())
    assert (found.name, found.patient_key) == ("Hemoglobin", "")


def test_one_observation_alone_is_a_fragment_too() -> None:
    assert only(Result, observation().encode()).name == "Hemoglobin"


def test_a_document_that_forgot_a_prefix_is_read_as_a_document() -> None:
    data = results_document(observation(more="<sdtc:x/>"))
    forgetful = data.replace(b' xmlns:sdtc="urn:hl7-org:sdtc"', b"")
    assert only(Patient, forgetful).family == "Alvarez"
    assert only(Result, forgetful) == only(Result, data)


def test_a_prefixed_document_reads_like_any_other() -> None:
    data = document(section(panel(observation())))
    prefixed = data.replace(b"<", b"<cda:").replace(b"<cda:/", b"</cda:").replace(b"<cda:?", b"<?")
    prefixed = prefixed.replace(b'xmlns="urn', b'xmlns:cda="urn')
    assert only(Result, prefixed) == only(Result, data)


@pytest.mark.parametrize("around", ["{}", "\ufeff{}", "\n\n  {}", '<?xml-stylesheet href="a"?>{}'])
def test_marks_blanks_and_instructions_before_a_document_change_nothing(around: str) -> None:
    bare = results_document(observation()).decode().removeprefix('<?xml version="1.0"?>')
    assert only(Result, around.format(bare).encode()).name == "Hemoglobin"


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("utf-8", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16", "utf-16-le"),
        ("utf-16", "utf-8"),
        ("utf-8", "windows-1252"),
        ("iso-8859-1", "windows-1252"),
        ("windows-1252", "windows-1252"),
        ("ISO-8859-15", "iso-8859-15"),
    ],
)
def test_a_document_is_read_in_the_character_set_that_it_really_is_in(
    declared: str, encoding: str
) -> None:
    header = RECORD_TARGET.replace("Alvarez", "Muñiz €")
    text = results_document(observation(), header=header).decode()
    data = text.replace('"1.0"', f'"1.0" encoding="{declared}"').encode(encoding)
    assert only(Patient, data).family == "Muñiz €"
