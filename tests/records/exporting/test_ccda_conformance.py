"""The clinical document that we write, against CDA's schema and the templates that it claims.

No package brings HL7's own schema, so `cda.xsd` says it anew for what we write, and `hl7_classes`
reads what was made from it: decision 0021.
"""

from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

from libs.contracts.records.moments import Precision
from services.records.domain.chart import Chart
from services.records.domain.document import Document
from services.records.domain.result import Result
from services.records.exporting import archive, ccda
from tests.corpus import files, needs_corpus
from tests.records.exporting import anything, ccda_rules, charts, hl7_classes
from tests.records.exporting.test_round_trip import EITHER, Read, found_in

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).with_name("cda.xsd")))
V3 = "{urn:hl7-org:v3}"


def written(chart: Chart, paths: Mapping[UUID, str] | None = None) -> etree._Element:
    contents = {one.id: b"%PDF-1.7" for one in chart.documents}
    pieces = ccda.document(chart, paths)
    return etree.fromstring(charts.whole(pieces, contents), etree.XMLParser(huge_tree=True))


def faults(root: etree._Element) -> list[str]:
    found = [*ccda_rules.broken(root), *hl7_classes.faults(root)]
    if not SCHEMA.validate(root):
        found.append(str(SCHEMA.error_log))
    return found


def test_a_record_with_nothing_in_it_is_valid() -> None:
    assert faults(written(charts.chart())) == []


@given(anything.results())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_results_are_valid(results: list[Result]) -> None:
    assert faults(written(charts.chart(charts.measured(results)))) == []


@pytest.mark.parametrize("dated", [None, Precision.YEAR, Precision.MONTH, Precision.DAY])
@pytest.mark.parametrize("beside", [False, True])
def test_documents_are_valid_in_it_and_beside_it(dated: Precision | None, beside: bool) -> None:
    documents = charts.odd_papers(dated)
    chart = charts.chart((), documents)
    paths = archive.paths(documents, chart.zone) if beside else None
    root = written(chart, paths)
    assert faults(root) == []
    links = [one.get("href") for one in root.iter(f"{V3}linkHtml")]
    assert len(links) == (len(documents) if beside else 0)


@needs_corpus
@pytest.mark.parametrize(("reader", "path"), EITHER, ids=lambda one: getattr(one, "name", ""))
def test_every_file_of_the_corpus_is_valid_once_it_is_exported(reader: Read, path: Path) -> None:
    results, documents = found_in(reader, path)
    filed: list[Document] = [one for one, _ in charts.filed(documents).values()]
    assert faults(written(charts.chart(charts.measured(results), filed))) == []


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        ("<realmCode", "<bogus/><realmCode"),
        ("<custodian>", "<custodian><bogus/>"),
        ('typeCode="DRIV"', 'typeCode="BOGUS"'),
        ('moodCode="EVN"', 'moodCode="LATER"'),
        ('classCode="BATTERY"', 'classCode="HEAP"'),
        ('classCode="BATTERY" moodCode="EVN"', 'classCode="BATTERY" moodCode="LATER"'),
        ('classCode="PCPR"', 'classCode="HEAP"'),
        ("<representedOrganization><name>", "<representedOrganization><name><given>A</given>"),
        ("<th>", "<th><list><item/></list>"),
        ('classCode="OBS"', ""),
        ('value="3.1"', 'value="three"'),
        ('xsi:type="PQ"', 'xsi:type="NOPE"'),
        ('xsi:type="PQ"', ""),
        ('unit="g/dL"', 'unit="g dL"'),
        ("<paragraph>", "<paragraph><div/>"),
        ('ID="result-', 'ID="1 result-'),
        ('root="2.16.840.1.113883.1.3"', 'root="2.16.840.1.113883.1.4"'),
        ('nullFlavor="NI"', 'nullFlavor="NOTHING"'),
        ("<birthTime value=", "<birthTime value='May 1961' other="),
        ("<effectiveTime value=", '<effectiveTime value="2026-11-23" other='),
        # What only the templates ask for.
        ('code="34133-9"', 'code="34133-8"'),
        ("<raceCode nullFlavor='UNK'/>", ""),
        ('extension="2015-08-01"', 'extension="2014-06-09"'),
        ('<reference value="#result-', '<reference value="#nothing-'),
        ('<reference value="#comment-', '<reference value="#nothing-'),
        ('<value xsi:type="IVL_PQ"><low value="3.5" unit="g/dL"/></value></observationRange>', "</observationRange>"),
    ],
)  # fmt: skip
def test_what_is_not_valid_is_found(found: str, instead: str) -> None:
    chart = charts.chart(charts.measured([charts.albumin()]))
    good = charts.whole(ccda.document(chart)).decode().replace('"UNK"', "'UNK'")
    assert found in good
    bad = etree.fromstring(good.replace(found, instead, 1).encode())
    assert faults(etree.fromstring(good.encode())) == []
    assert faults(bad)


def test_the_corpus_is_there_to_be_exported() -> None:
    assert len(EITHER) == len(files("fhir")) + len(files("ccda"))
