"""What is exported reads back as what it was."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import HealthCheck, given, settings

from services.records.domain.found import Document, Found, Unreadable
from services.records.domain.result import Result
from services.records.exporting import ccda as cda_writing
from services.records.exporting import fhir as fhir_writing
from services.records.formats import ccda, fhir
from tests.records.exporting import charts

CORPUS = Path(__file__).parents[4] / "shared" / "corpus"
Read = Callable[[BinaryIO], Iterator[Found]]


def corpus(folder: str) -> list[Path]:
    return sorted(path for path in (CORPUS / folder).rglob("*") if path.is_file())


def read(reader: Read, data: bytes) -> tuple[list[Result], list[Document]]:
    found = list(reader(io.BytesIO(data)))
    results = [one for one in found if isinstance(one, Result)]
    return results, [one for one in found if isinstance(one, Document)]


def carried(results: list[Result], documents: list[Document]) -> tuple[bytes, bytes]:
    """One chart as FHIR and as C-CDA."""
    filed = charts.filed(documents)
    chart = charts.chart(charts.measured(results), [one for one, _ in filed.values()])
    contents = {id: content for id, (_, content) in filed.items()}
    return (
        charts.whole(fhir_writing.bundle(chart), contents),
        charts.whole(cda_writing.document(chart), contents),
    )


@pytest.mark.parametrize("path", corpus("fhir"), ids=lambda path: path.name)
def test_every_fhir_file_reads_the_same_after_it_was_exported(path: Path) -> None:
    try:
        results, documents = read(fhir.read, path.read_bytes())
    except Unreadable:
        pytest.skip("nothing of it can be read")
    as_fhir, _ = carried(results, documents)
    again, papers = read(fhir.read, as_fhir)
    assert charts.shown(again) == charts.shown(results)
    assert {one.content for one in papers} == {one.content for one in documents}


@pytest.mark.parametrize("path", corpus("ccda"), ids=lambda path: path.name)
def test_every_clinical_document_reads_the_same_after_it_was_exported(path: Path) -> None:
    try:
        results, documents = read(ccda.read, path.read_bytes())
    except Unreadable:
        pytest.skip("nothing of it can be read")
    _, as_ccda = carried(results, documents)
    again, papers = read(ccda.read, as_ccda)
    assert charts.shown(again) == charts.shown(results)
    assert {one.content for one in documents} <= {one.content for one in papers}


@given(charts.results())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_results_read_the_same_from_either_format(results: list[Result]) -> None:
    as_fhir, as_ccda = carried(results, [])
    assert charts.shown(read(fhir.read, as_fhir)[0]) == charts.shown(results)
    assert charts.readable(read(ccda.read, as_ccda)[0]) == charts.readable(results)


@pytest.mark.parametrize("path", corpus("ccda")[:12] + corpus("fhir")[:12], ids=lambda p: p.name)
def test_a_bundle_is_valid_and_points_at_nothing_that_is_not_in_it(path: Path) -> None:
    reader = fhir.read if path.suffix == ".json" else ccda.read
    try:
        results, documents = read(reader, path.read_bytes())
    except Unreadable:
        pytest.skip("nothing of it can be read")
    written = json.loads(carried(results, documents)[0])
    Bundle.model_validate(written)
    there = {entry["fullUrl"] for entry in written["entry"]}
    assert len(there) == len(written["entry"])
    assert set(references(written)) <= there


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(found := value.get("reference"), str):
            yield found
        for inner in value.values():
            yield from references(inner)
    if isinstance(value, list):
        for inner in value:
            yield from references(inner)
