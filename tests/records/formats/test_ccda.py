"""Which observations of a C-CDA are results, of which test, and which result is which."""

import pytest

from services.records.domain.found import LeftOut, Reason
from services.records.domain.result import (
    Code,
    Result,
    ResultStatus,
    ValueKind,
)
from tests.records.formats.cda_documents import (
    DONE,
    LOW,
    THEN,
    document,
    every,
    observation,
    only,
    panel,
    reason_for,
    result_of,
    results_document,
    section,
)


@pytest.mark.parametrize(
    ("written", "code", "name"),
    [
        (
            '<code code="718-7" codeSystem="2.16.840.1.113883.6.1" displayName="Hemoglobin"/>',
            "http://loinc.org|718-7",
            "Hemoglobin",
        ),
        (
            '<code code="718-7" codeSystemName="LOINC"><originalText>Hgb</originalText></code>',
            "http://loinc.org|718-7",
            "Hgb",
        ),
        ('<code code="HB" codeSystem="1.2.840.1"/>', "urn:oid:1.2.840.1|HB", "HB"),
        ('<code code="HB" displayName="null"/>', "|HB", "HB"),
        (
            (
                '<code code="HB" codeSystem="1.2.3" displayName="Hb">'
                '<translation code="718-7" codeSystem="2.16.840.1.113883.6.1"/></code>'
            ),
            "http://loinc.org|718-7",
            "Hb",
        ),
        (
            '<code nullFlavor="UNK"><originalText>Sed\u200b rate</originalText></code>',
            "text|Sed rate",
            "Sed rate",
        ),
        (
            (
                '<code code="UNK" codeSystem="2.16.840.1.113883.6.1">'
                "<originalText>GLUCOSE</originalText></code>"
            ),
            "text|GLUCOSE",
            "GLUCOSE",
        ),
        (
            '<code nullFlavor="NA"><originalText><reference value="#n"/></originalText></code>',
            "text|Urea, serum",
            "Urea, serum",
        ),
    ],
)
def test_a_test_is_known_by_its_loinc_code_any_code_or_its_name(
    written: str, code: str, name: str
) -> None:
    found = result_of(code=written, text='<content ID="n">Urea,<br/>serum</content>')
    assert (found.code.key, found.name) == (code, name)


def test_other_codes_of_a_test_are_kept_beside_the_first() -> None:
    found = result_of(
        code='<code code="HB" codeSystem="1.2.3"><translation code="718-7"'
        ' codeSystem="2.16.840.1.113883.6.1" displayName="Hemoglobin"/></code>'
    )
    assert found.code == Code(system="http://loinc.org", code="718-7", display="Hemoglobin")
    assert found.alternates == (Code(system="urn:oid:1.2.3", code="HB"),)


def test_a_value_of_a_test_without_code_and_name_is_left_out() -> None:
    assert reason_for(code='<code nullFlavor="UNK"/>') is Reason.NO_CODE_AND_NO_NAME


@pytest.mark.parametrize(
    ("status", "read"),
    [
        (DONE, ResultStatus.FINAL),
        ('<statusCode code="active"/>', ResultStatus.PRELIMINARY),
        ('<statusCode code="aborted"/>', ResultStatus.CANCELLED),
        ('<statusCode code="nullified"/>', ResultStatus.ENTERED_IN_ERROR),
        ('<statusCode nullFlavor="UNK"/>', ResultStatus.UNKNOWN),
    ],
)
def test_how_far_the_laboratory_stands_behind_a_result_is_kept(
    status: str, read: ResultStatus
) -> None:
    assert result_of(status=status).status is read


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"value": "", "status": '<statusCode code="active"/>'}, Reason.PENDING),
        ({"value": "", "status": '<statusCode code="aborted"/>'}, Reason.CANCELLED),
        (
            {"value": "", "status": '<statusCode code="nullified"/>', "code": ""},
            Reason.ENTERED_IN_ERROR,
        ),
        ({"attributes": 'moodCode="RQO"'}, Reason.PENDING),
        ({"attributes": 'moodCode="GOL"'}, Reason.NOT_A_RESULT),
        (
            {"attributes": 'negationInd="true"', "code": '<code nullFlavor="NI"/>'},
            Reason.PENDING,
        ),
        ({"attributes": 'negationInd="true"'}, Reason.NOT_A_RESULT),
        (
            {"more": '<subject><relatedSubject classCode="PRS"/></subject>'},
            Reason.NOT_A_RESULT,
        ),
        (
            {"code": '<code code="33999-4" codeSystem="2.16.840.1.113883.6.1"/>'},
            Reason.NOT_A_RESULT,
        ),
    ],
)
def test_what_is_no_result_is_left_out_with_its_reason(
    said: dict[str, str], reason: Reason
) -> None:
    assert reason_for(**said) is reason


def test_a_result_that_was_a_mistake_takes_back_what_was_said_before() -> None:
    said = result_of()
    taken_back = result_of("", status='<statusCode code="nullified"/>')

    assert taken_back.source_id == said.source_id
    assert taken_back.status is ResultStatus.ENTERED_IN_ERROR
    assert taken_back.value.kind is ValueKind.ABSENT


def test_remarks_on_a_result_are_no_results() -> None:
    source = '<code code="48766-0"/><value xsi:type="ST">Lab</value>'
    remark = f"<entryRelationship><observation>{source}</observation></entryRelationship>"
    data = results_document(observation(more=remark * 3))

    assert only(Result, data).name == "Hemoglobin"
    left_out = only(LeftOut, data)
    assert (left_out.reason, left_out.count) == (Reason.NOT_A_RESULT, 3)
    assert left_out.where == "section Results"


def test_comments_panel_specimen_and_laboratory_come_with_a_result() -> None:
    comment = (
        '<entryRelationship><act><code code="48767-8"/><text><reference value="#c"/></text></act>'
        "</entryRelationship>"
    )
    about = (
        '<code code="58410-2" displayName="CBC"/><specimen><specimenRole><specimenPlayingEntity>'
        '<code displayName="Blood"/></specimenPlayingEntity></specimenRole></specimen>'
        "<performer><assignedEntity><representedOrganization><name>Value Labs</name>"
        "</representedOrganization></assignedEntity></performer>"
    )
    entry = panel(observation(more=comment + '<methodCode displayName="Counted"/>'), about=about)
    found = only(Result, document(section(entry, text='<content ID="c">Hemolyzed.</content>')))

    assert (found.panel, found.specimen, found.performer) == ("CBC", "Blood", "Value Labs")
    assert (found.comment, found.method) == ("Hemolyzed.", "Counted")


def test_flags_are_kept_as_written_and_the_most_severe_comes_first() -> None:
    marks = (
        '<interpretationCode code="N"/><interpretationCode nullFlavor="UNK">'
        '<originalText>HH</originalText></interpretationCode><interpretationCode code="H"/>'
    )
    assert result_of(more=marks).flags == ("HH", "H", "N")


def test_the_same_result_twice_in_one_document_is_taken_once() -> None:
    data = results_document(observation(), observation())
    assert only(Result, data).name == "Hemoglobin"
    assert only(LeftOut, data).reason is Reason.DUPLICATE


def test_results_that_share_a_number_are_told_apart() -> None:
    other = '<value xsi:type="PQ" value="11" unit="g/dL"/>'
    found = every(Result, results_document(observation(), observation(other)))
    assert len({one.source_id for one in found}) == 2


def test_a_corrected_result_keeps_its_identity_and_another_time_or_test_does_not() -> None:
    first = result_of(LOW)
    corrected = result_of('<value xsi:type="PQ" value="12.0" unit="g/dL"/>')
    later = result_of(time='<effectiveTime value="20240401"/>')
    another = result_of(code='<code code="777-3" codeSystem="2.16.840.1.113883.6.1"/>')

    assert corrected.source_id == first.source_id
    assert corrected.value != first.value
    assert len({first.source_id, later.source_id, another.source_id}) == 3


def test_without_a_number_a_result_is_known_by_patient_test_and_time() -> None:
    first = result_of(identity="", time=THEN)
    again = result_of(identity="", time='<effectiveTime value="20240301143000Z"/>')
    assert first.source_id == again.source_id
