"""Documents in HL7 v2 messages: embedded in a field, or sent as the text of an MDM."""

import base64
from datetime import UTC, datetime

import pytest

from services.records.domain.found import Document, Patient, Reason
from services.records.domain.result import Result, ResultStatus
from services.records.formats.hl7v2.documents import LONGEST_DOCUMENT
from services.records.formats.hl7v2.embedded import UTF8_TEXT
from tests.records.formats.hl7v2_messages import (
    HEADER,
    ORDER,
    PATIENT,
    found_in,
    message,
    only,
    reasons_in,
)

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
PDF64 = base64.b64encode(PDF).decode()
HTML = b"<html><body onload='alert(1)'>Report</body></html>"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
JPEG = b"\xff\xd8\xff\xe0" + bytes(64)
MDM = HEADER.replace("ORU^R01", "MDM^T02")
TXA = "TXA|1|DS^Discharge summary|TX|202403041200+0100||20240304|||7^House^Gregory^^^Dr.|||D-2^DOC"


def embedded(value: str, value_type: str = "ED") -> bytes:
    return message(f"OBX|1|{value_type}|PDF^Final report^L||{value}||||||F")


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("value", "data", "media_type"),
    [
        (f"LAB^application^pdf^Base64^{PDF64}", PDF, "application/pdf"),
        (f"^application^pdf^Base64^{PDF64}", PDF, "application/pdf"),
        (f"application^pdf^Base64^{PDF64}", PDF, "application/pdf"),
        (f"^TX^PDF^Base64^{PDF64}", PDF, "application/pdf"),
        (f"^AP^^BASE64^{PDF64}", PDF, "application/pdf"),
        (f"^application^pdf^^{PDF64}", PDF, "application/pdf"),
        (f"^TEXT^html^Base64^{encoded(HTML)}", HTML, "text/html"),
        (f"^TEXT^html^Base64^{encoded(b'no tags')}", b"no tags", "text/html"),
        (f"image^image/jpeg^Base64^{encoded(JPEG)}", JPEG, "image/jpeg"),
        (f"^image^png^Base64^{encoded(PNG)}", PNG, "image/png"),
        (f"^image^jpeg^Base64^{encoded(PNG)}", PNG, "image/png"),
        (f"^application^pdf^Base64^{encoded(b'sorry')}", b"sorry", "text/plain"),
        (f"^application^pdf^Base64^{encoded(bytes(9))}", bytes(9), "application/octet-stream"),
        (f"^text^xml^Base64^{encoded(b'<?xml?><a/>')}", b"<?xml?><a/>", "text/xml"),
        (f"^text^rtf^Base64^{encoded(b'{x' + b'rtf1}')}", b"{xrtf1}", "text/plain"),
        ("^image^png^Hex^" + PNG.hex(), PNG, "image/png"),
        (r"^TEXT^plain^A^Line 1\.br\Line 2 \T\ ^ more", b"Line 1\nLine 2 & ^ more", UTF8_TEXT),
        (f"^application^pdf^Base64^data:application/pdf;base64,{PDF64}", PDF, "application/pdf"),
        (f"^application^pdf^Base64^{PDF64.rstrip('=')}", PDF, "application/pdf"),
        (f"^application^pdf^Base64^{PDF64[:20]}\\.br\\{PDF64[20:]}", PDF, "application/pdf"),
        (f"^application^pdf^Base64^{PDF64[:20]}\\X0D0A\\{PDF64[20:]}", PDF, "application/pdf"),
        (f"^application^pdf^Base64^{PDF64[:20]}~{PDF64[20:]}", PDF, "application/pdf"),
        (f"^application^pdf^Base64^{PDF64[:20]}\r\n{PDF64[20:]}", PDF, "application/pdf"),
        (f"^application^pdf^Base64^{PDF64[:20]}\rADD|{PDF64[20:]}", PDF, "application/pdf"),
    ],
)
def test_an_embedded_document_comes_out_byte_for_byte_as_what_it_is(
    value: str, data: bytes, media_type: str
) -> None:
    (document,) = only(Document, found_in(embedded(value)))

    assert (document.content, document.media_type) == (data, media_type)
    assert (document.title, document.kind) == ("Final report", "Blood count")
    assert document.patient_key == "CLINIC|4711"
    assert document.status is ResultStatus.FINAL
    assert document.dated is not None
    assert document.dated.at == datetime(2024, 3, 4, 7, tzinfo=UTC)


def test_base64_in_a_text_field_is_a_document_all_the_same() -> None:
    (document,) = only(Document, found_in(embedded(PDF64, "TX")))

    assert document.content == PDF


@pytest.mark.parametrize(
    ("value_type", "value", "reason"),
    [
        ("ED", "^application^pdf^Base64^", Reason.NO_CONTENT),
        ("ED", "^application^pdf^Base64^====", Reason.NO_CONTENT),
        ("ED", "App5^NS^Octet-stream^Base64", Reason.NO_CONTENT),
        ("ED", "", Reason.NO_CONTENT),
        ("ED", "^application^pdf^Base64^JVBERi0xLjc!", Reason.BAD_CONTENT),
        ("ED", "^application^pdf^Base64^A", Reason.BAD_CONTENT),
        ("ED", "^application^pdf^Base64^übel", Reason.BAD_CONTENT),
        ("ED", "^application^pdf^Hex^0G", Reason.BAD_CONTENT),
        ("RP", "https://lab.example/1.pdf^^SD^PICT", Reason.CONTENT_ELSEWHERE),
    ],
)
def test_a_document_without_usable_content_is_left_out(
    value_type: str, value: str, reason: Reason
) -> None:
    assert reasons_in(embedded(value, value_type)) == [(reason, "message 1, OBX 1")]


@pytest.mark.parametrize("status", ["X", "D", "W"])
@pytest.mark.parametrize("header", [HEADER, MDM])
def test_a_withdrawn_document_takes_back_the_one_before(status: str, header: str) -> None:
    segment = f"OBX|1|ED|PDF^Report^L||^application^pdf^Base64^{PDF64}||||||"
    (given,) = only(Document, found_in(message(TXA, ORDER, segment + "F", header=header)))
    (taken_back,) = only(Document, found_in(message(TXA, ORDER, segment + status, header=header)))

    assert taken_back.source_id == given.source_id
    assert (taken_back.status, taken_back.content) == (ResultStatus.ENTERED_IN_ERROR, b"")


def test_a_withdrawn_text_takes_back_the_one_before_and_a_withdrawn_line_only_itself() -> None:
    line = "OBX|1|TX|T^Text||one||||||F"
    wrong = "OBX|2|TX|T^Text||wrong||||||W"
    (given,) = only(Document, found_in(mdm(line)))
    (corrected,) = only(Document, found_in(mdm(line, wrong)))
    (taken_back,) = only(Document, found_in(mdm(wrong)))

    assert {given.source_id} == {corrected.source_id, taken_back.source_id}
    assert corrected.content == b"one"
    assert (taken_back.status, taken_back.content) == (ResultStatus.ENTERED_IN_ERROR, b"")
    assert reasons_in(mdm(line, wrong)) == [(Reason.ENTERED_IN_ERROR, "message 1, OBX 2")]


def test_a_cancellation_takes_back_the_text_and_the_embedded_documents() -> None:
    given = only(
        Document,
        found_in(mdm("OBX|1|TX|||text||||||F", f"OBX|2|ED|||^AP^pdf^Base64^{PDF64}||||||F")),
    )
    taken_back = only(Document, found_in(mdm(event="T11")))

    assert {each.source_id for each in given} <= {each.source_id for each in taken_back}
    assert {each.status for each in taken_back} == {ResultStatus.ENTERED_IN_ERROR}
    assert only(Document, found_in(mdm(event="T11", txa="TXA|1|DS"))) == []
    nobodys = message(TXA, header=MDM.replace("T02", "T11"), patient="", order="")
    assert {each.patient_key for each in only(Document, found_in(nobodys))} == {""}


def test_documents_alike_are_several_and_the_very_same_one_is_one() -> None:
    other = encoded(PDF + b"2")
    for header in (HEADER, MDM):
        data = message(
            *(
                f"OBX|{place}|ED|PDF^Report^L||^AP^pdf^Base64^{content}||||||F"
                for place, content in enumerate((PDF64, other, other), start=1)
            ),
            header=header,
        )
        documents = only(Document, found_in(data))

        assert [each.content for each in documents] == [PDF, PDF + b"2"]
        assert len({each.source_id for each in documents}) == 2
        assert reasons_in(data) == [(Reason.DUPLICATE, "message 1, OBX 3")]


def test_a_corrected_document_replaces_the_one_before() -> None:
    (first,) = only(Document, found_in(embedded(f"^AP^pdf^Base64^{PDF64}")))
    corrected = embedded(f"^AP^pdf^Base64^{encoded(PDF + b'2')}").replace(b"||||||F", b"||||||C")
    (second,) = only(Document, found_in(corrected.replace(b"|M1|", b"|M2|")))

    assert second.source_id == first.source_id
    assert second.content != first.content


def test_a_document_needs_no_name() -> None:
    data = message("OBR|1", f"OBX|1|ED|||^AP^pdf^Base64^{PDF64}")

    assert [document.title for document in only(Document, found_in(data))] == ["Document"]


def mdm(*segments: str, event: str = "T02", txa: str = TXA) -> bytes:
    return message(txa, *segments, header=HEADER.replace("ORU^R01", f"MDM^{event}"), order="")


def test_the_lines_of_an_mdm_are_one_text_with_what_its_txa_says() -> None:
    found = found_in(
        mdm(
            "OBX|1|TX|T^Text^L|1|Dear colleague,||||||F",
            "OBX|2|TX|T^Text^L|1|||||||F",
            r"OBX|3|FT|T^Text^L|1|she is well.\.br\Naïve <b>text</b>||||||F",
            "NTE|1||Dictated.",
            "OBX|4|NM|T^Text^L|1|5|mg|||||F",
            txa=TXA + "||||file.txt|AU",
        )
    )
    (document,) = only(Document, found)

    assert document.content.decode() == (
        "Dear colleague,\n\nshe is well.\nNaïve <b>text</b>\nDictated.\nText: 5 mg"
    )
    assert (document.media_type, document.title) == ("text/plain; charset=utf-8", "Text")
    assert (document.kind, document.author) == ("Discharge summary", "Dr. Gregory House")
    assert document.status is ResultStatus.FINAL
    assert document.file_name == "file.txt"
    assert document.dated is not None
    assert document.dated.at == datetime(2024, 3, 4, 11, tzinfo=UTC)
    assert document.replaces == ""
    assert [patient.key for patient in only(Patient, found)] == [document.patient_key]
    assert only(Result, found) == []


def test_the_parts_of_a_text_have_their_names_as_headings() -> None:
    data = mdm(
        "OBX|1|TX|A^History||one||||||F",
        "OBX|2|TX|A^History||two||||||F",
        "OBX|3|TX|B^Plan||three||||||F",
    )
    (document,) = only(Document, found_in(data))

    assert document.content == b"History\none\ntwo\n\nPlan\nthree"


@pytest.mark.parametrize(
    ("written", "kind", "code"),
    [
        ("DS", "Discharge summary", ""),
        ("HP^History and Physical^HL70270", "History and Physical", ""),
        ("18842-5^Discharge summary^LN", "Discharge summary", "18842-5"),
        ("XX", "XX", ""),
        ("", "", ""),
    ],
)
def test_a_documents_kind_is_said_in_words(written: str, kind: str, code: str) -> None:
    data = mdm("OBX|1|TX|||text||||||F", txa=f"TXA|1|{written}|TX|20240304")
    (document,) = only(Document, found_in(data))

    assert (document.kind, document.kind_code) == (kind, code)
    assert document.title == (kind or "Document")


@pytest.mark.parametrize(
    ("letters", "status"),
    [
        ("DI", ResultStatus.PRELIMINARY),
        ("IP", ResultStatus.PRELIMINARY),
        ("AU", ResultStatus.FINAL),
        ("LA", ResultStatus.FINAL),
        ("", ResultStatus.UNKNOWN),
    ],
)
def test_a_document_says_how_far_its_author_stands_behind_it(
    letters: str, status: ResultStatus
) -> None:
    data = mdm("OBX|1|TX|||text||||||F", txa=f"{TXA}|||||{letters}")
    (document,) = only(Document, found_in(data))

    assert document.status is status


def test_an_edit_is_the_same_document_and_a_replacement_names_the_one_before() -> None:
    line = "OBX|1|TX|||text||||||F"
    (first,) = only(Document, found_in(mdm(line)))
    (edited,) = only(Document, found_in(mdm(line.replace("text", "better"), event="T08")))
    newer = TXA.replace("D-2^DOC", "D-3^DOC|D-2^DOC")
    (replacing,) = only(Document, found_in(mdm(line, event="T10", txa=newer)))
    (addendum,) = only(Document, found_in(mdm(line, event="T06", txa=newer)))

    assert edited.source_id == first.source_id
    assert replacing.replaces == first.source_id
    assert replacing.source_id != first.source_id
    assert addendum.replaces == ""


def test_without_a_number_a_document_is_known_by_its_message() -> None:
    data = mdm("OBX|1|TX|||text||||||F", txa="TXA|1|DS|TX")
    (first,) = only(Document, found_in(data))
    (second,) = only(Document, found_in(data.replace(b"|M1|", b"|M2|")))

    assert first.source_id != second.source_id


@pytest.mark.parametrize(
    ("event", "txa", "segments", "reason"),
    [
        ("T01", TXA, [], Reason.NO_CONTENT),
        ("T11", TXA, [], Reason.CANCELLED),
        ("T11", TXA, ["OBX|1|TX|||text||||||F"], Reason.CANCELLED),
        ("T04", TXA + "|||||||CA", ["OBX|1|TX|||text||||||F"], Reason.CANCELLED),
        ("T02", TXA, ["OBX|1|TX|||||||||F", "OBX|2|TX|||||||||F"], Reason.NO_CONTENT),
    ],
)
def test_an_mdm_without_a_document_says_why(
    event: str, txa: str, segments: list[str], reason: Reason
) -> None:
    data = mdm(*segments, event=event, txa=txa)

    assert reasons_in(data) == [(reason, "message 1")]
    assert not any(document.content for document in only(Document, found_in(data)))


def test_a_pointer_to_a_study_and_a_note_outside_the_text_are_left_out() -> None:
    data = mdm(
        "NTE|1||Outside.",
        "OBX|1|HD|113014^DICOM Study^DCM||1.2.840||||||O",
        "OBX|2|TX|||text||||||F",
    )

    assert reasons_in(data) == [
        (Reason.NOT_A_RESULT, "message 1, OBX 1"),
        (Reason.NOT_SUPPORTED, "message 1"),
    ]


def test_a_text_has_a_longest_length() -> None:
    longest = mdm(f"OBX|1|TX|||{'x' * (LONGEST_DOCUMENT - 1)}||||||F")
    longer = mdm(f"OBX|1|TX|||{'x' * LONGEST_DOCUMENT}||||||F", "OBX|2|TX|||more||||||F")

    assert [len(each.content) for each in only(Document, found_in(longest))] == [
        LONGEST_DOCUMENT - 1
    ]
    assert reasons_in(longer) == [(Reason.TOO_LARGE, "message 1")]


def test_an_mdm_without_patient_or_txa_still_gives_its_text() -> None:
    data = message("OBX|1|TX|||text||||||F", header=MDM, patient="", order="")
    (document,) = only(Document, found_in(data))

    assert (document.patient_key, document.content) == ("", b"text")
    assert PATIENT not in data.decode()
    assert ORDER not in data.decode()
