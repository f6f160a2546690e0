"""What a C-CDA says was measured: every kind of value, and the range beside it."""

from decimal import Decimal

import pytest

from services.records.domain.found import Reason
from services.records.domain.result import ReferenceRange, Value, ValueKind
from tests.records.formats.cda_documents import reason_for, result_of

QUANTITY = ValueKind.QUANTITY
UNIT_BESIDE = (
    '<entryRelationship typeCode="COMP"><observation><code code="246514001"/>'
    '<value xsi:type="CD" code="mg/dL"/></observation></entryRelationship>'
)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (
            '<value xsi:type="PQ" value="10.20" unit="g/dL"/>',
            Value(kind=QUANTITY, text="10.20", number=Decimal("10.20"), unit="g/dL"),
        ),
        (
            '<value xsi:type="PQ" value="1.015" unit="1"/>',
            Value(kind=QUANTITY, text="1.015", number=Decimal("1.015")),
        ),
        (
            '<value xsi:type="PQ" value="&lt;0.1" unit="ng/mL"/>',
            Value(kind=QUANTITY, text="<0.1", number=Decimal("0.1"), comparator="<", unit="ng/mL"),
        ),
        (
            (
                '<value xsi:type="PQ" nullFlavor="OTH"><translation value="152" nullFlavor="OTH">'
                "<originalText>THOUS/MCL</originalText></translation></value>"
            ),
            Value(kind=QUANTITY, text="152", number=Decimal(152), unit="THOUS/MCL"),
        ),
        (
            '<value xsi:type="PQ" value="see comment" unit="mg/dL"/>',
            Value(kind=ValueKind.TEXT, text="see comment", unit="mg/dL"),
        ),
        (
            '<value xsi:type="PQ" nullFlavor="NI">13.2 g/dl</value>',
            Value(kind=ValueKind.TEXT, text="13.2 g/dl"),
        ),
        ('<value value="7"/>', Value(kind=QUANTITY, text="7", number=Decimal(7))),
        (
            '<value xsi:type="INT" value="42"/>',
            Value(kind=QUANTITY, text="42", number=Decimal(42)),
        ),
        (
            '<value xsi:type="REAL" value=".50"/>',
            Value(kind=QUANTITY, text=".50", number=Decimal(".50")),
        ),
        (
            (
                '<value xsi:type="IVL_PQ"><low value="500" unit="mg/dL" inclusive="false"/>'
                '<high nullFlavor="PINF"/></value>'
            ),
            Value(kind=QUANTITY, text=">500", number=Decimal(500), comparator=">", unit="mg/dL"),
        ),
        (
            '<value xsi:type="IVL_REAL"><high value="5"/></value>',
            Value(kind=QUANTITY, text="<=5", number=Decimal(5), comparator="<="),
        ),
        (
            (
                '<value xsi:type="IVL_PQ"><low value="0" unit="pg/mL"/><high value="5" unit="pg/mL"/>'
                "</value>"
            ),
            Value(kind=ValueKind.RANGE, text="0-5", unit="pg/mL"),
        ),
        (
            '<value xsi:type="IVL_PQ"><low value="0" unit="mg"/><high value="5" unit="g"/></value>',
            Value(kind=ValueKind.TEXT, text="0 mg - 5 g"),
        ),
        (
            '<value xsi:type="IVL_PQ"><center value="3" unit="mg"/></value>',
            Value(kind=QUANTITY, text="3", number=Decimal(3), unit="mg"),
        ),
        (
            (
                '<value xsi:type="RTO"><numerator xsi:type="INT" value="1"/>'
                '<denominator xsi:type="INT" value="128"/></value>'
            ),
            Value(kind=ValueKind.RATIO, text="1:128"),
        ),
        (
            (
                '<value xsi:type="RTO_PQ_PQ"><numerator value="3" unit="mg"/>'
                '<denominator value="1" unit="dL"/></value>'
            ),
            Value(kind=ValueKind.RATIO, text="3 mg:1 dL"),
        ),
        (
            '<value xsi:type="ST">Borderline,\n   equal to 1:80 </value>',
            Value(kind=ValueKind.TEXT, text="Borderline, equal to 1:80"),
        ),
        (
            '<value xsi:type="CD" code="10828004" displayName="Positive"/>',
            Value(kind=ValueKind.CODED, text="Positive"),
        ),
        (
            '<value xsi:type="CO" code="1"><originalText>Trace</originalText></value>',
            Value(kind=ValueKind.CODED, text="Trace"),
        ),
        (
            (
                '<value xsi:type="CE" nullFlavor="OTH"><translation code="A" displayName="Amber"/>'
                "</value>"
            ),
            Value(kind=ValueKind.CODED, text="Amber"),
        ),
        ('<value xsi:type="CD" code="NEG"/>', Value(kind=ValueKind.CODED, text="NEG")),
        ('<value code="NEG"/>', Value(kind=ValueKind.CODED, text="NEG")),
        ("<value>Amber</value>", Value(kind=ValueKind.TEXT, text="Amber")),
        (
            '<value><low value="1"/><high value="2"/></value>',
            Value(kind=ValueKind.RANGE, text="1-2"),
        ),
        (
            '<value xsi:type="ED"><reference value="YELLOW"/></value>',
            Value(kind=ValueKind.TEXT, text="YELLOW"),
        ),
        (
            '<value xsi:type="ED" representation="B64" mediaType="text/plain">TG93</value>',
            Value(kind=ValueKind.TEXT, text="Low"),
        ),
        (
            '<value xsi:type="ED"><reference value="#impression"/></value>',
            Value(kind=ValueKind.TEXT, text="Cardiomegaly.\nNo other abnormality."),
        ),
        (
            '<value xsi:type="TS" value="20150622103700-0500"/>',
            Value(kind=ValueKind.TIME, text="2015-06-22 10:37:00 -0500"),
        ),
        (
            '<value xsi:type="IVL_TS"><low value="2015"/><high value="201606"/></value>',
            Value(kind=ValueKind.TIME, text="2015 - 2016-06"),
        ),
        ('<value xsi:type="BL" value="true"/>', Value(kind=ValueKind.TEXT, text="true")),
        (
            '<value xsi:type="ST">E. coli</value><value xsi:type="ST">Proteus</value>',
            Value(kind=ValueKind.TEXT, text="E. coli; Proteus"),
        ),
    ],
)
def test_every_kind_of_value_is_kept_as_it_was_written(written: str, read: Value) -> None:
    narrative = (
        '<content ID="impression"><paragraph>Cardiomegaly.</paragraph> No other\n abnormality.'
        "</content>"
    )
    assert result_of(written, text=narrative).value == read


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", Reason.NO_VALUE),
        ('<value xsi:type="CD"/>', Reason.NO_VALUE),
        ('<value xsi:type="PQ" nullFlavor="NI"/>', Reason.NO_VALUE),
        ('<value xsi:type="PQ" nullFlavor="NA" unit="mg"/>', Reason.NO_VALUE),
        ('<value xsi:type="ST">null</value>', Reason.NO_VALUE),
        ('<value xsi:type="RTO"><numerator value="1"/></value>', Reason.NO_VALUE),
        ('<value xsi:type="TS" nullFlavor="UNK"/>', Reason.NO_VALUE),
        ('<value xsi:type="ED"><reference value="#nowhere"/></value>', Reason.NO_VALUE),
        (
            '<value xsi:type="ED"><reference value="https://lab.example/1.pdf"/></value>',
            Reason.CONTENT_ELSEWHERE,
        ),
        ('<value xsi:type="ED" representation="B64">%%%</value>', Reason.BAD_CONTENT),
        (
            '<value xsi:type="ED" representation="B64" mediaType="image/png">iVBO</value>',
            Reason.NOT_SUPPORTED,
        ),
        (f'<value xsi:type="ST">{"x" * 200_001}</value>', Reason.TOO_LARGE),
    ],
)
def test_what_says_nothing_is_left_out_with_its_reason(written: str, reason: Reason) -> None:
    assert reason_for(written) is reason


def test_the_longest_text_is_taken() -> None:
    assert len(result_of(f'<value xsi:type="ST">{"x" * 200_000}</value>').value.text) == 200_000


def test_a_time_that_is_none_is_kept_as_it_is_written() -> None:
    found = result_of('<value xsi:type="TS" value="yesterday"/>').value
    assert (found.kind, found.text) == (ValueKind.TIME, "yesterday")


def test_a_unit_said_beside_a_text_belongs_to_it() -> None:
    found = result_of(
        '<value xsi:type="ST">Unable to calculate</value>',
        more=UNIT_BESIDE.replace("246514001", "48766-0") + UNIT_BESIDE,
    )
    assert (found.value.text, found.value.unit) == ("Unable to calculate", "mg/dL")


def a_range(inner: str) -> tuple[ReferenceRange, ...]:
    return result_of(
        more=f"<referenceRange><observationRange>{inner}</observationRange></referenceRange>",
        text='<content ID="r">12 to 16</content>',
    ).ranges


def ends(low: str, high: str, unit: str = "g/dL") -> str:
    return (
        f'<value xsi:type="IVL_PQ"><low value="{low}" unit="{unit}"/>'
        f'<high value="{high}" unit="{unit}"/></value>'
    )


@pytest.mark.parametrize(
    ("inner", "read"),
    [
        (ends("12.0", "15.5"), ReferenceRange(low=Decimal("12.0"), high=Decimal("15.5"))),
        (
            '<text><reference value="#r"/></text>' + ends("12", "16"),
            ReferenceRange(low=Decimal(12), high=Decimal(16), text="12 to 16"),
        ),
        ("<text>N/A-500,000</text>", ReferenceRange(text="N/A-500,000")),
        ('<value xsi:type="ST">Ref: YELLOW</value>', ReferenceRange(text="Ref: YELLOW")),
        ('<value xsi:type="CD" displayName="Not Detected"/>', ReferenceRange(text="Not Detected")),
        (
            '<value xsi:type="IVL_PQ"><high value="104" unit="g/dL"/></value>',
            ReferenceRange(high=Decimal(104)),
        ),
        (
            ends("46", "38"),
            ReferenceRange(low=Decimal(46), high=Decimal(38), text="46 - 38 g/dL"),
        ),
        (ends("120", "155", "g/L"), ReferenceRange(text="120 - 155 g/L")),
        (
            ends("16", "20") + '<interpretationCode code="H" displayName="High"/>',
            ReferenceRange(text="High: 16 - 20 g/dL"),
        ),
        (
            (
                '<value xsi:type="IVL_PQ"><low nullFlavor="OTH"><translation value="150">'
                "<originalText>g/dL</originalText></translation></low></value>"
            ),
            ReferenceRange(low=Decimal(150)),
        ),
    ],
)
def test_a_range_is_drawn_only_where_it_is_one_for_this_result(
    inner: str, read: ReferenceRange
) -> None:
    assert a_range(inner) == (read,)


def test_a_range_that_says_nothing_is_none() -> None:
    assert a_range('<value xsi:type="IVL_PQ" nullFlavor="NA"/>') == ()
