"""A list of patients as a practice has it: any columns, any spelling, and no guess."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.base import Refused
from libs.contracts.records.patients import CSV_LIMIT
from libs.contracts.records.refusals import Refusal
from services.records.domain import patient as rules
from services.records.domain.patient_list import Line, day, lines

ROSA = Line(
    number=2,
    given="Rosa",
    family="Álvarez",
    born="1961-04-12",
    email="rosa@example.com",
    mrn="A-1",
)
TEXT = "given,family,born,email,mrn\nRosa,Álvarez,1961-04-12,rosa@example.com,A-1\n"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("cp1252"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode("utf-16"),
        TEXT.rstrip("\n").encode(),
        TEXT.replace("Rosa", '" Rosa "').encode(),
        (TEXT + "\n,,,,\n\n").encode(),
        TEXT.replace("given,family,born", "First name,SURNAME,Date_of-Birth").encode(),
        TEXT.replace("given,family,born", '"Vorname","Nachname","Geburtsdatum"').encode(),
        TEXT.replace("email,mrn", "E-Mail Address,Medical Record Number").encode(),
    ],
)
def test_a_list_is_read_as_it_comes(content: bytes) -> None:
    assert lines(content) == [ROSA]


def test_columns_come_in_any_order_and_others_are_passed_over() -> None:
    text = "Sex;DOB;Apellido;MRN;Nombre\nF;1961-04-12;Álvarez;A-1;Rosa;and more\nF;1961-04-12"
    first, second = lines(text.encode())
    assert (first.given, first.family, first.email, first.mrn) == ("Rosa", "Álvarez", "", "A-1")
    assert (second.number, second.name, second.born) == (3, "", "1961-04-12")


def test_excels_own_first_line_and_empty_ones_are_no_header() -> None:
    (line,) = lines(("sep=;\r\n\r\n" + TEXT.replace(",", ";")).encode())
    assert (line.number, line.name) == (4, "Rosa Álvarez")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", Refusal.EMPTY),
        (b"\xef\xbb\xbf", Refusal.EMPTY),
        (b" \r\n ,, \n", Refusal.EMPTY),
        (b"a" * (CSV_LIMIT + 1), Refusal.TOO_LARGE),
        (b"given,family,born\n" + b"a,b,c\n" * 5001, Refusal.TOO_LARGE),
        (b"PK\x03\x04\x00\x00", Refusal.LIST_NOT_READABLE),
        (b"\x81\x8d\x8f", Refusal.LIST_NOT_READABLE),
        (b"given,family\nRosa,Alvarez\n", Refusal.LIST_NOT_READABLE),
        (b"Rosa,Alvarez,1961-04-12\n", Refusal.LIST_NOT_READABLE),
        (b"given,family,born\n" + b"a" * 200_000, Refusal.LIST_NOT_READABLE),
    ],
)
def test_what_is_no_list_is_refused_with_the_reason(content: bytes, why: Refusal) -> None:
    with pytest.raises(Refused, match=f"^{why}$"):
        lines(content)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1961-04-12", date(1961, 4, 12)),
        ("12.4.1961", date(1961, 4, 12)),
        ("04.05.1961", date(1961, 5, 4)),
        ("4/28/1961", date(1961, 4, 28)),
        ("28/4/1961", date(1961, 4, 28)),
        ("28-04-1961", date(1961, 4, 28)),
        ("4/4/1961", date(1961, 4, 4)),
        ("4/5/1961", Refusal.BIRTH_DATE_AMBIGUOUS),
        ("30/30/1961", Refusal.BIRTH_DATE_IMPOSSIBLE),
        ("1961-02-30", Refusal.BIRTH_DATE_IMPOSSIBLE),
        ("4/28/61", Refusal.BIRTH_DATE_IMPOSSIBLE),
        ("19610412", Refusal.BIRTH_DATE_IMPOSSIBLE),
        ("٤/٢٨/١٩٦١", Refusal.BIRTH_DATE_IMPOSSIBLE),
        ("April 12", Refusal.BIRTH_DATE_IMPOSSIBLE),
        ("", Refusal.BIRTH_DATE_IMPOSSIBLE),
    ],
)
def test_a_birth_date_is_never_guessed(text: str, expected: date | Refusal) -> None:
    if isinstance(expected, date):
        assert day(text) == expected
    else:
        with pytest.raises(Refused, match=f"^{expected}$"):
            day(text)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_list_or_are_refused(content: bytes) -> None:
    with suppress(Refused):
        assert isinstance(lines(b"given,family,born\n" + content), list)


@given(st.text(max_size=220))
def test_any_text_is_a_name_as_it_is_or_is_refused(text: str) -> None:
    import unicodedata

    try:
        name = rules.name(text)
    except Refused:
        return
    assert name == unicodedata.normalize("NFC", text.strip())
    name.encode()
    assert "\0" not in rules.folded(name)


@given(st.text(max_size=60))
def test_what_is_found_by_is_the_same_however_it_is_written(text: str) -> None:
    import unicodedata

    once = rules.folded(text)
    assert rules.folded(once) == once
    for form in ("NFC", "NFD"):
        assert rules.folded(unicodedata.normalize(form, text)) == once
