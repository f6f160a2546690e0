"""What stands in a result: its value, range, flags and status, as laboratories write them."""

from decimal import Decimal

import pytest

from services.records.domain.found import Reason
from services.records.domain.result import (
    ReferenceRange,
    ResultStatus,
    ValueKind,
)
from services.records.formats.hl7v2.ranges import reference_range
from tests.records.formats.hl7v2_messages import (
    message,
    reasons_in,
    result_of,
)


@pytest.mark.parametrize(
    ("value_type", "written", "kind", "text", "number", "comparator"),
    [
        ("NM", "1.00", ValueKind.QUANTITY, "1.00", "1.00", ""),
        ("NM", " 12 ", ValueKind.QUANTITY, "12", "12", ""),
        ("NM", "<15", ValueKind.QUANTITY, "<15", "15", "<"),
        ("NM", "< 2.22", ValueKind.QUANTITY, "< 2.22", "2.22", "<"),
        ("NM", "≥90", ValueKind.QUANTITY, "≥90", "90", ">="),
        ("NM", "-0.5", ValueKind.QUANTITY, "-0.5", "-0.5", ""),
        ("NM", ".5", ValueKind.QUANTITY, ".5", ".5", ""),
        ("NM", "1.2E3", ValueKind.QUANTITY, "1.2E3", "1.2E3", ""),
        ("NM", "27~25", ValueKind.TEXT, "27~25", None, ""),
        ("NM", "0 .07", ValueKind.TEXT, "0 .07", None, ""),
        ("NM", "5,4", ValueKind.TEXT, "5,4", None, ""),
        ("NM", "007", ValueKind.TEXT, "007", None, ""),
        ("NM", "1E999", ValueKind.TEXT, "1E999", None, ""),
        ("NM", "٣", ValueKind.TEXT, "٣", None, ""),
        ("ST", "68", ValueKind.QUANTITY, "68", "68", ""),
        ("ST", "?", ValueKind.TEXT, "?", None, ""),
        ("ST", "<0.1", ValueKind.QUANTITY, "<0.1", "0.1", "<"),
        ("ST", "A & B ^ C", ValueKind.TEXT, "A & B ^ C", None, ""),
        ("ST", "~5", ValueKind.TEXT, "~5", None, ""),
        ("ST", "one~two", ValueKind.TEXT, "one\ntwo", None, ""),
        ("", "12.5", ValueKind.QUANTITY, "12.5", "12.5", ""),
        ("", "see below", ValueKind.TEXT, "see below", None, ""),
        ("BAD", "a^b", ValueKind.TEXT, "a b", None, ""),
        ("MED", "4.2", ValueKind.QUANTITY, "4.2", "4.2", ""),
        ("SN", "^182", ValueKind.QUANTITY, "182", "182", ""),
        ("SN", "<^10", ValueKind.QUANTITY, "<10", "10", "<"),
        ("SN", "=^10", ValueKind.QUANTITY, "10", "10", ""),
        ("SN", "<10.0", ValueKind.QUANTITY, "<10.0", "10.0", "<"),
        ("SN", "12.40", ValueKind.QUANTITY, "12.40", "12.40", ""),
        ("SN", ">^1^.^3", ValueKind.QUANTITY, ">1.3", "1.3", ">"),
        ("SN", "^1^:^128", ValueKind.RATIO, "1:128", None, ""),
        ("SN", "^1^/^2", ValueKind.RATIO, "1/2", None, ""),
        ("SN", "^3^-^5", ValueKind.RANGE, "3-5", None, ""),
        ("SN", "^2^+", ValueKind.TEXT, "2+", None, ""),
        ("FN", "^182", ValueKind.QUANTITY, "182", "182", ""),
        ("CE", "260385009^Negative^SCT", ValueKind.CODED, "Negative", None, ""),
        ("CWE", "11228^^SCT^ECO^E. coli^L^^^E.c.", ValueKind.CODED, "E.c.", None, ""),
        ("CWE", "11228^^SCT^ECO^E. coli^L", ValueKind.CODED, "E. coli", None, ""),
        ("CWE", "POS", ValueKind.CODED, "POS", None, ""),
        ("CE", "A^Yes^L~B^No^L", ValueKind.CODED, "Yes; No", None, ""),
        ("DT", "20150925", ValueKind.TIME, "2015-09-25", None, ""),
        ("TS", "201509251430+0200", ValueKind.TIME, "2015-09-25 14:30 +0200", None, ""),
        ("DTM", "2015", ValueKind.TIME, "2015", None, ""),
        ("TM", "1430", ValueKind.TIME, "14:30", None, ""),
        ("DT", "soon", ValueKind.TIME, "soon", None, ""),
        ("IS", "M", ValueKind.TEXT, "M", None, ""),
        ("HD", "1.2.840^x^ISO", ValueKind.TEXT, "1.2.840 x ISO", None, ""),
        ("TN", "(555)123", ValueKind.TEXT, "(555)123", None, ""),
        ("CX", "99^^^LAB", ValueKind.TEXT, "99 LAB", None, ""),
        ("XAD", "1 Main St^^Ann Arbor", ValueKind.TEXT, "1 Main St Ann Arbor", None, ""),
        ("XTN", "^^^a@b.example", ValueKind.TEXT, "a@b.example", None, ""),
    ],
)  # fmt: skip
def test_a_value_of_any_type_is_shown_as_it_was_written(  # noqa: PLR0913 - a table
    value_type: str, written: str, kind: ValueKind, text: str, number: str | None, comparator: str
) -> None:
    value = result_of(f"OBX|1|{value_type}|X^Test^L||{written}|U|||||F").value

    assert (value.kind, value.text, value.unit) == (kind, text, "U")
    assert value.comparator == comparator
    assert value.number == (None if number is None else Decimal(number))
    assert number is None or str(value.number) == str(Decimal(number)), "written zeros stay"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (r"one\.br\two\.BR\three", "one\ntwo\nthree"),
        (r"one\.sp2\two", "one\n\ntwo"),
        (r"\.in+4\a\.ti-2\b\.fi\c", "abc"),
        (r"a\.sk3\b", "a   b"),
        (r"\H\bold\N\ plain", "bold plain"),
        (r"R\T\D \F\ \S\ \R\ \E\ ", r"R&D | ^ ~ \ ".strip()),
        (r"a\X0A\b\X0d0a\c", "a\nb\nc"),
        (r"caf\XC3A9\ caf\XC3\\XA9\ caf\XE9\ ", "café café café"),
        (r"\X5C\.br\X5C\ ", r"\.br\ ".strip()),
        (r"\T\#8805;90", "&#8805;90"),
        (r"<b onclick='x'>5</b> \T\lt;", "<b onclick='x'>5</b> &lt;"),
        (r"C:\temp\new", r"C:\temp\new"),
        (r"\Zlocal\ stays", r"\Zlocal\ stays"),
        (r"\X0\ \XGG\ ", r"\X0\ \XGG" + "\\"),
        (r"ends with \ ".strip(), "ends with \\"),
        (r"\X00\nul\X1B\ ", "nul"),
        (r"\.sp99999999\x", "\n" * 20 + "x"),
    ],
)  # fmt: skip
def test_escapes_are_read_and_what_they_make_is_only_ever_text(written: str, shown: str) -> None:
    result = result_of(f"OBX|1|FT|X^Test^L||.{written}||||||F")

    assert result.value.text == f".{shown}"


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        ("3.5-5.1", "3.5", "5.1"),
        ("3.5 - 5.3", "3.5", "5.3"),
        ("4.3 to 6.2", "4.3", "6.2"),
        ("70_105", "70", "105"),
        ("0.0–0.4", "0.0", "0.4"),
        ("-2-2", "-2", "2"),
        ("-5--1", "-5", "-1"),
        ("(<104)", None, "104"),
        ("[ < 4.5]", None, "4.5"),
        (">59", "59", None),
        ("≥ 60", "60", None),
        ("<=5", None, "5"),
        ("136-145 mmol/L", "136", "145"),
        ("46-38", "46", "38"),
        ("<130 optimal", None, None),
        ("<0.50 IU/mL", None, None),
        ("Negative", None, None),
        (r"(<0.20) \E\ (>2.40)toxisch", None, None),
        ("3,5-5,1", None, None),
        ("1-2-3", None, None),
        ("N/A", None, None),
    ],
)
def test_a_range_is_read_where_it_is_plainly_numbers(
    written: str, low: str | None, high: str | None
) -> None:
    read = reference_range(written, "mmol/L")

    assert read == ReferenceRange(
        low=None if low is None else Decimal(low),
        high=None if high is None else Decimal(high),
        text=written,
    )


@pytest.mark.parametrize("written", ["", "[ ]", "()", "  ", '""'])
def test_an_empty_range_is_none(written: str) -> None:
    assert result_of(f"OBX|1|NM|X^Test^L||5||{written}||||F").ranges == ()


@pytest.mark.parametrize(
    ("written", "flags"),
    [
        ("", ()),
        ("N,,", ("N",)),
        ("HH", ("HH",)),
        ("A^A^HL70078", ("A",)),
        ("1^Flag~2^Other", ("1", "2")),
        ("PL^Y", ("PL",)),
        ("N~L~LL~*~AA", ("LL", "AA", "L", "*", "N")),
        ("NA", ("NA",)),
        ("H~H", ("H",)),
    ],
)
def test_flags_come_as_written_and_the_most_severe_first(
    written: str, flags: tuple[str, ...]
) -> None:
    assert result_of(f"OBX|1|NM|X^Test^L||5|||{written}|||F").flags == flags


@pytest.mark.parametrize(
    ("letter", "status"),
    [
        ("F", ResultStatus.FINAL),
        ("F ", ResultStatus.FINAL),
        ("f", ResultStatus.FINAL),
        ("C", ResultStatus.CORRECTED),
        ("P", ResultStatus.PRELIMINARY),
        ("R", ResultStatus.PRELIMINARY),
        ("S", ResultStatus.PRELIMINARY),
        ("I", ResultStatus.REGISTERED),
        ("X", ResultStatus.CANCELLED),
        ("D", ResultStatus.ENTERED_IN_ERROR),
        ("W", ResultStatus.ENTERED_IN_ERROR),
        ("Z", ResultStatus.UNKNOWN),
        ("", ResultStatus.UNKNOWN),
    ],
)
def test_every_status_has_its_meaning(letter: str, status: ResultStatus) -> None:
    assert result_of(f"OBX|1|NM|X^Test^L||5||||||{letter}").status is status


def test_without_a_status_of_its_own_a_result_has_its_orders() -> None:
    order = "OBR|1|P1|F1|CBC^Blood count^L|||20240304" + "|" * 18 + "P"

    result = result_of(order, "OBX|1|NM|X^Test^L||5")

    assert result.status is ResultStatus.PRELIMINARY


@pytest.mark.parametrize(
    ("letter", "reason"),
    [
        ("F", Reason.NO_VALUE),
        ("", Reason.NO_VALUE),
        ("I", Reason.PENDING),
        ("P", Reason.PENDING),
        ("N", Reason.CANCELLED),
        ("O", Reason.NOT_A_RESULT),
    ],
)
def test_an_empty_value_is_left_out_with_the_reason(letter: str, reason: Reason) -> None:
    segment = f"OBX|1|NM|X^Test^L||||||||{letter}"

    assert reasons_in(message(segment)) == [(reason, "message 1, OBX 1")]


@pytest.mark.parametrize("letter", ["X", "D", "W"])
def test_a_withdrawal_without_a_value_still_withdraws_the_earlier_result(letter: str) -> None:
    given = result_of("OBX|1|NM|X^Test^L||5||||||F")
    withdrawn = result_of(f"OBX|1|NM|X^Test^L||||||||{letter}")

    assert withdrawn.source_id == given.source_id
    assert withdrawn.value.kind is ValueKind.ABSENT
    assert withdrawn.status in {ResultStatus.CANCELLED, ResultStatus.ENTERED_IN_ERROR}


def test_an_order_detail_or_an_answer_not_sought_is_no_result_even_with_a_value() -> None:
    data = message("OBX|1|ST|X^Fasting^L||yes||||||O", "OBX|2|NM|Y^Test^L||5||||||N")

    assert reasons_in(data) == [
        (Reason.NOT_A_RESULT, "message 1, OBX 1"),
        (Reason.CANCELLED, "message 1, OBX 2"),
    ]
