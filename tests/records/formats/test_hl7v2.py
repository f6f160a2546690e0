"""HL7 v2 messages as laboratories send them: results, lines, comments, corrections."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from services.records.domain.found import Reason
from services.records.domain.result import (
    Code,
    ReferenceRange,
    Result,
    ResultStatus,
    ValueKind,
)
from tests.records.formats.hl7v2_messages import (
    HEADER,
    ORDER,
    PATIENT,
    SODIUM,
    found_in,
    message,
    only,
    reasons_in,
    result_of,
    results_in,
)


def test_a_result_says_everything_that_its_message_says() -> None:
    (result,) = results_in(
        "ORC|RE|P1|F1|||||||||99^Radon^Nicholas^^^Dr.",
        "OBR|1|P1|F1|24321-2^Basic panel^LN|||20240304080000+0100|||||||||"
        "99^Radon^Nicholas^^^Dr.||||||20240304100000+0100",
        "OBX|1|NM|NA^Sodium^L^2951-2^Sodium serum^LN||141|mmol/L^millimole per litre^UCUM"
        "|136-145|N|||F|||20240304081500+0100|LAB1^General Lab||ISE^Ion selective electrode",
        "NTE|1||Taken fasting.",
        "SPM|1|||SER^Serum^HL70487",
    )

    assert result.code == Code(system="http://loinc.org", code="2951-2", display="Sodium serum")
    assert result.alternates == (Code(system="L", code="NA", display="Sodium"),)
    assert result.name == "Sodium"
    assert (result.value.kind, result.value.text) == (ValueKind.QUANTITY, "141")
    assert (result.value.number, result.value.unit) == (Decimal(141), "mmol/L")
    assert result.ranges == (ReferenceRange(low=Decimal(136), high=Decimal(145), text="136-145"),)
    assert result.flags == ("N",)
    assert result.status is ResultStatus.FINAL
    assert result.collected is not None
    assert result.collected.at == datetime(2024, 3, 4, 7, 15, tzinfo=UTC)
    assert result.issued is not None
    assert result.issued.at == datetime(2024, 3, 4, 9, tzinfo=UTC)
    assert (result.panel, result.specimen) == ("Basic panel", "Serum")
    assert (result.method, result.performer) == ("Ion selective electrode", "General Lab")
    assert (result.orderer, result.comment) == ("Dr. Nicholas Radon", "Taken fasting.")
    assert result.patient_key == "CLINIC|4711"


@pytest.mark.parametrize(
    ("written", "code", "name", "alternates"),
    [
        ("718-7^Hb^LN", "http://loinc.org|718-7", "Hb", []),
        ("HGB^Hb^99L^718-7^Hemoglobin^LN", "http://loinc.org|718-7", "Hb", ["99L|HGB"]),
        ("HGB^Hb^L^B1^Other^L^^^^718-7^Hem^LN", "http://loinc.org|718-7", "Hb", ["L|HGB", "L|B1"]),
        ("WBC^White cells^LN", "LN|WBC", "White cells", []),
        ("718-7^Hb^2.16.840.1.113883.6.1", "http://loinc.org|718-7", "Hb", []),
        ("55^Thing^1.2.3.4.5", "urn:oid:1.2.3.4.5|55", "Thing", []),
        ("0135-4^TotalProtein", "|0135-4", "TotalProtein", []),
        ("1234", "|1234", "1234", []),
        ("^Sed rate", "text|Sed rate", "Sed rate", []),
        ("^^^^^^^^Written by hand", "text|Written by hand", "Written by hand", []),
        ("71020&IMP^Chest^L", "L|71020&IMP", "Chest", []),
    ],
)
def test_a_test_is_known_by_its_loinc_code_else_its_own_else_its_name(
    written: str, code: str, name: str, alternates: list[str]
) -> None:
    result = result_of(f"OBX|1|NM|{written}||5||||||F")

    assert (result.code.key, result.name) == (code, name)
    assert [each.key for each in result.alternates] == alternates


def test_an_observation_that_nothing_names_is_left_out() -> None:
    data = message("OBR|1", "OBX|1|ST|||positive||||||F")

    assert reasons_in(data) == [(Reason.NO_CODE_AND_NO_NAME, "message 1, OBX 1")]


@pytest.mark.parametrize("status", ["C", "F"])
def test_a_correction_in_a_later_message_replaces_the_result(status: str) -> None:
    first = result_of("OBX|1|NM|K^Potassium^L|1|?||||||I|||20240304081500+0100")
    later = only(
        Result,
        found_in(
            message(
                f"OBX|7|NM|K^Potassium^L|1|4.1||||||{status}|||202403040715Z",
                header=HEADER.replace("20240305120000", "20240306").replace("M1", "M2"),
            )
        ),
    )

    assert [each.source_id for each in later] == [first.source_id]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("5.1||||||F", "4.1||||||C", True),
        ("5.1||||||P", "4.1||||||F", True),
        ("5.1||||||F", "5.1||||||X", True),
        ("5.1||||||F", "4.1||||||F", False),
    ],
)
def test_in_one_message_a_correction_replaces_and_a_second_value_does_not(
    first: str, second: str, *, same: bool
) -> None:
    one, other = results_in(f"OBX|1|NM|K^K^L||{first}", f"OBX|2|NM|K^K^L||{second}")

    assert (one.source_id == other.source_id) is same


@pytest.mark.parametrize(
    "change",
    [
        ("|4711^", "|4712^"),
        ("|F1|", "|F2|"),
        ("X^Test", "Y^Test"),
        ("|s1|", "|s2|"),
        ("20240304081500", "20240304081600"),
        ("GENERAL LAB", "OTHER LAB"),
    ],
)
def test_what_differs_in_patient_order_test_sub_id_time_or_lab_is_another_result(
    change: tuple[str, str],
) -> None:
    data = message("OBX|1|NM|X^Test^L|s1|5||||||F|||20240304081500+0100")
    (one,) = only(Result, found_in(data))
    (other,) = only(Result, found_in(data.replace(change[0].encode(), change[1].encode())))

    assert one.source_id != other.source_id


def test_with_no_order_and_no_time_each_message_stands_for_itself() -> None:
    data = message("OBR|1|||X^Test^L", "OBX|1|NM|X^Test^L||5||||||F")
    (one,) = only(Result, found_in(data))
    (other,) = only(Result, found_in(data.replace(b"|M1|", b"|M2|")))

    assert one.source_id != other.source_id


def test_the_very_same_result_once_more_is_left_out_as_such() -> None:
    data = message(SODIUM, SODIUM.replace("OBX|1", "OBX|2"))

    assert reasons_in(data) == [(Reason.DUPLICATE, "message 1, OBX 2")]


def test_a_text_sent_as_an_obx_per_line_is_one_result() -> None:
    (result,) = results_in(
        "OBX|1|TX|RPT^Report^L|1|First line.||||||F",
        "OBX|2|TX|RPT^Report^L|2|||||||F",
        "OBX|3|FT|RPT^Report^L|3|  indented 5||||||F",
        "OBX|4|TX|RPT^Report^L|4|||||||F",
    )

    assert result.value.text == "First line.\n\n  indented 5"
    assert result.value.kind is ValueKind.TEXT


def test_short_strings_are_lines_only_where_sub_ids_count_them_and_they_are_no_numbers() -> None:
    lines = results_in(
        "OBX|1|ST|ORG^Organism^L|1|E. coli||||||F", "OBX|2|ST|ORG^Organism^L|2|Klebsiella||||||F"
    )
    numbers = results_in("OBX|1|ST|G^Glucose^L|1|5.1||||||F", "OBX|2|ST|G^Glucose^L|2|5.6||||||F")
    uncounted = results_in("OBX|1|ST|G^Gram^L||rods||||||F", "OBX|2|ST|G^Gram^L||cocci||||||F")

    assert [each.value.text for each in lines] == ["E. coli\nKlebsiella"]
    assert [each.value.text for each in numbers] == ["5.1", "5.6"]
    assert [each.value.text for each in uncounted] == ["rods", "cocci"]


@pytest.mark.parametrize(
    "second",
    [
        "OBX|2|TX|Y^Other^L||two||||||F",
        "OBX|2|TX|X^Test^L||two||||||P",
        "OBX|2|TX|X^Test^L||two||||||F|||20240101",
        "OBX|2|TX|X^Test^L||two|||A|||F",
        "OBX|2|TX|X^Test^L||two|mg||||F",
        "OBX|2|NM|X^Test^L||2||||||F",
    ],
)
def test_a_line_with_something_of_its_own_to_say_is_its_own_result(second: str) -> None:
    results = results_in("OBX|1|TX|X^Test^L||one||||||F", second)

    assert [result.value.text.split()[0] for result in results] == ["one", second.split("|")[5]]


def test_lines_that_name_no_test_are_the_report_that_was_ordered() -> None:
    (result,) = results_in("OBX|1|TX|||one||||||F", "OBX|2|TX|||two||||||F")

    assert (result.name, result.value.text) == ("Blood count", "one\ntwo")


def test_comments_go_to_what_they_follow() -> None:
    data = message(
        PATIENT,
        "NTE|1||About the patient.",
        ORDER,
        "NTE|1||About the order.",
        SODIUM,
        "NTE|1||First.~Second.",
        "NTE|2||    column",
        "NTE|3||",
        "OBX|2|NM|K^Potassium^L||4.1||||||F",
        "SPM|1|||SER^Serum",
        "NTE|1||About the specimen.",
    )
    sodium, potassium = only(Result, found_in(data))

    assert sodium.comment == ("First.\nSecond.\n    column\nAbout the order.\nAbout the specimen.")
    assert potassium.comment == "About the order.\nAbout the specimen."
    assert reasons_in(data) == [(Reason.NOT_SUPPORTED, "message 1")]


def test_an_observation_before_any_order_is_taken() -> None:
    result = result_of(PATIENT, SODIUM)

    assert (result.panel, result.name) == ("", "Sodium")


@pytest.mark.parametrize("kind", ["ADT^A04", "ORM^O01", "SIU^S12", "VXU^V04", "ACK", ""])
def test_a_message_of_another_trade_is_left_out_as_a_whole(kind: str) -> None:
    data = message("PV1|1|O", header=HEADER.replace("ORU^R01", kind))

    assert reasons_in(data.replace(b"OBR", b"ZBR")) == [(Reason.NOT_SUPPORTED, "message 1")]


def test_what_an_admission_observed_is_said_to_be_no_result() -> None:
    data = message(SODIUM, SODIUM, header=HEADER.replace("ORU^R01", "ADT^A01"))

    assert reasons_in(data) == [
        (Reason.NOT_SUPPORTED, "message 1"),
        (Reason.NOT_A_RESULT, "message 1, OBX 1 to 2"),
    ]


@pytest.mark.parametrize("kind", ["OUL^R22", "ORF^R04", "REF^I12", "", "^R01^ORU_R01"])
def test_any_other_message_with_observations_is_read(kind: str) -> None:
    found = found_in(message(SODIUM, header=HEADER.replace("ORU^R01", kind)))

    assert [result.name for result in only(Result, found)] == ["Sodium"]


def test_an_order_without_its_results_is_said() -> None:
    pending = ORDER + "|" * 18 + "I"
    data = message(PATIENT, pending, "NTE|1||Specimen lost.", ORDER, SODIUM, ORDER)

    assert [reason for reason, _ in reasons_in(data)] == [Reason.PENDING, Reason.NO_VALUE]
