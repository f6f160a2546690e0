"""How HL7 v2 files are written: line ends, batches, separators, character sets."""

import pytest

from services.records.domain.found import Document, LeftOut, Patient, Reason, Unreadable
from services.records.domain.result import Result
from services.records.formats.hl7v2.charsets import decode
from services.records.formats.hl7v2.encoding import declared_by
from tests.records.formats.hl7v2_messages import (
    HEADER,
    ORDER,
    PATIENT,
    SODIUM,
    found_in,
    message,
    only,
    reasons_in,
)

SEGMENTS = (HEADER, PATIENT, ORDER, SODIUM, "OBX|2|TX|T^Text^L||one||||||F")


def values(data: bytes) -> list[str]:
    return [result.value.text for result in only(Result, found_in(data))]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r\n", "\n\n", "\r \n"])
def test_a_segment_ends_at_any_line_end(end: str) -> None:
    assert values(end.join(SEGMENTS).encode()) == ["141", "one"]


def test_line_ends_may_be_mixed_and_the_last_one_missing() -> None:
    data = "\r\n".join(["\r".join(SEGMENTS[:2]), "\n".join(SEGMENTS[2:])])

    assert values(data.encode()) == ["141", "one"]


def test_a_line_that_is_no_segment_goes_on_with_the_one_before() -> None:
    data = "\r".join(SEGMENTS).replace("one", "one\ntwo | three\nPCR\nEND of it\n\nfour")

    assert values(data.encode()) == ["141", "one\ntwo"]

    data = "\r".join(SEGMENTS).replace("one", "one\ntwo\nPCR\nEND of it\n\nfour")

    assert values(data.encode()) == ["141", "one\ntwo\nPCR\nEND of it\nfour"]


def test_blanks_and_a_byte_order_mark_before_a_segment_do_not_count() -> None:
    data = "\ufeff" + "\r".join("  \t" + segment for segment in SEGMENTS)

    assert values(data.encode()) == ["141", "one"]


@pytest.mark.parametrize("codec", ["utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_wide_characters_are_read(codec: str) -> None:
    assert values("\r".join(SEGMENTS).encode(codec)) == ["141", "one"]


def test_many_messages_in_a_file_are_read_one_after_another() -> None:
    data = message(SODIUM) + b"\r\n\r\n" + message(SODIUM.replace("141", "142"))

    assert values(data) == ["141", "142"]


@pytest.mark.parametrize("wrapped", [True, False])
def test_batches_and_mllp_frames_are_unwrapped(*, wrapped: bool) -> None:
    one = b"\x0b" + message(SODIUM) + b"\x1c\r" if wrapped else message(SODIUM)
    data = b"\r".join(
        [
            rb"FHS|^~\&|LAB",
            rb"BHS|^~\&|LAB",
            one,
            one,
            b"BTS|2",
            rb"BHS|^~\&",
            one,
            b"BTS",
            b"FTS|2",
        ]
    )

    assert values(data) == ["141", "141", "141"]
    assert reasons_in(data) == []


def test_what_stands_outside_the_messages_is_said() -> None:
    data = b"Dear lab,\rhere it is:\r" + message(SODIUM) + b"\rBTS|1\rRegards\r"

    assert values(data) == ["141"]
    assert [(each.reason, each.count) for each in only(LeftOut, found_in(data))] == [
        (Reason.UNREADABLE_PART, 3)
    ]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "The file is empty."),
        (b"\r\n \t\n", "The file is empty."),
        (b"PID|1||4711\rOBX|1|NM|X||5", "none of its lines begins with MSH"),
        (rb"FHS|^~\&" + b"\rFTS|0", "none of its lines begins with MSH"),
        (b"MSH", "none of its lines begins with MSH"),
        (b"MSH\x01^~", "none of its lines begins with MSH"),
        (b"MSHA", "none of its lines begins with MSH"),
        (b"%PDF-1.4 \xff\xfe\x00", "none of its lines begins with MSH"),
    ],
)
def test_a_file_without_a_message_is_unreadable_and_says_why(data: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        found_in(data)


@pytest.mark.parametrize(
    "separators", ["|^~\\&", "|^~\\&#", "|^~\\$", "^~|\\&", "#$%*@", "§^~\\&", "\xa6^~\\&"]
)
def test_any_separators_are_those_that_the_header_declares(separators: str) -> None:
    standard = "|^~\\&"
    data = "\r".join(SEGMENTS).replace("one", r"R\T\D \S\ \F\ ".strip())
    table = dict(zip(standard, separators, strict=False))
    written = "".join(table.get(character, character) for character in data)
    written = written.replace(written[3:8], separators, 1)

    for codec in ("utf-8", "iso-8859-1"):
        found = found_in(written.encode(codec))
        texts = [result.value.text for result in only(Result, found)]

        assert texts == ["141", f"R{separators[4]}D {separators[1]} {separators[0]}"]
        assert [patient.given for patient in only(Patient, found)] == ["Rosa Maria"]


@pytest.mark.parametrize("characters", ["^~&", "~\\&", "^~\\", "^", "", "^~\\\\&", "LAB"])
def test_what_is_missing_of_the_separators_is_as_the_standard_has_it(characters: str) -> None:
    data = "\r".join(SEGMENTS).replace("|^~\\&|", f"|{characters}|", 1)
    data = data.replace("one", "caf\\XE9\\ \\T\\")
    found = found_in(data.encode())

    assert [patient.family for patient in only(Patient, found)] == ["Alvarez"]
    assert [result.value.text for result in only(Result, found)] == ["141", "café &"]


def test_a_separator_that_another_use_has_taken_is_none() -> None:
    data = "\r".join(SEGMENTS).replace("~", "").replace("|^\\&|", "|^|", 1).replace("|", "~")
    pdf = "OBX~2~ED~T^Text^L~~^AP^pdf^Base64^JVBERi0x~~~~~~F"
    found = found_in(data.replace(data.split("\r")[-1], pdf).encode())

    assert [result.value.text for result in only(Result, found)] == ["141"]
    assert [document.content for document in only(Document, found)] == [b"%PDF-1"]


def test_separators_that_look_lost_but_are_used_are_used() -> None:
    data = "\r".join(SEGMENTS).replace("|^~\\&|", "|~\\&|", 1).replace("^", "~")
    found = found_in(data.encode())

    assert [patient.family for patient in only(Patient, found)] == ["Alvarez"]
    assert declared_by(data).component == "~"


def test_a_text_escaped_once_too_often_is_read_as_meant() -> None:
    data = "\r".join(SEGMENTS).replace("|^~\\&|", "|^~\\\\&|", 1).replace("one", "a\\\\.br\\\\b")

    assert values(data.encode()) == ["141", "a\nb"]


@pytest.mark.parametrize(
    ("declared", "codec", "text"),
    [
        ("8859/1", "iso-8859-1", "Größe µmol"),
        ("8859", "iso-8859-1", "Größe"),
        ("", "iso-8859-1", "Größe"),
        ("", "cp1252", "“Größe” – 5 €"),
        ("ASCII", "iso-8859-1", "Größe"),
        ("CAN", "utf-8", "Größe"),
        ("UNICODE UTF-8", "utf-8", "Größe ≥ 5 日本"),
        ("UNICODE UTF-8", "iso-8859-1", "Größe"),
        ("8859/1", "utf-8", "Größe"),
        ("8859/2", "iso-8859-2", "Łódź"),
        ("8859/5", "iso-8859-5", "Гемоглобин"),
        ("8859/15", "iso-8859-15", "5 €"),
        ("WINDOWS-1251", "cp1251", "Гемоглобин"),
        ("ISO-8859-7", "iso-8859-7", "αιμοσφαιρίνη"),
        ("GB 18030-2000", "gb18030", "血红蛋白"),
        ("BIG-5", "big5", "血紅素功"),
        ("KS X 1001", "euc_kr", "혈색소"),
        ("ISO IR6~ISO IR14~ISO IR87", "iso2022_jp", "ヘモグロビン"),
        ("SHIFT_JIS", "shift_jis", "ソ表"),
    ],
)
def test_text_is_read_in_the_character_set_it_is_really_in(
    declared: str, codec: str, text: str
) -> None:
    header = HEADER + "|" * 6 + declared
    data = "\r".join([header, PATIENT.replace("Alvarez", text), ORDER, SODIUM]).encode(codec)
    found = found_in(data)

    assert [patient.family for patient in only(Patient, found)] == [text]
    assert len(only(Result, found)) == 1


def test_bytes_of_no_character_set_still_become_text() -> None:
    assert decode(b"a\x81\xff\x00b\x1b") == "a\x81ÿb"
    assert decode(b"plain\r\ntext\x07", "NO SUCH SET") == "plain\ntext"
