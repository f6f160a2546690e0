"""What is exported reads back as what it was."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import HealthCheck, given, settings

from services.records.domain.found import Document, Found, Unreadable
from services.records.domain.result import Before, Result
from services.records.exporting import ccda as cda_writing
from services.records.exporting import fhir as fhir_writing
from services.records.formats import ccda, fhir
from tests.corpus import content, files, needs_corpus
from tests.records.exporting import anything, charts

Read = Callable[[BinaryIO], Iterator[Found]]
EITHER: list[tuple[Read, Path]] = [
    *((fhir.read, path) for path in files("fhir")),
    *((ccda.read, path) for path in files("ccda")),
]


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


def found_in(reader: Read, path: Path) -> tuple[list[Result], list[Document]]:
    """What a file of the corpus holds; nothing of one that nobody can read."""
    try:
        return read(reader, content(path))
    except Unreadable:
        return [], []


@needs_corpus
@pytest.mark.parametrize(("reader", "path"), EITHER, ids=lambda one: getattr(one, "name", ""))
def test_every_file_reads_the_same_after_it_was_exported(reader: Read, path: Path) -> None:
    """Twice, in either form; a clinical document is itself a document besides what is in it."""
    results, documents = found_in(reader, path)
    contents = {one.content for one in documents}
    for number, other in enumerate((fhir.read, ccda.read)):
        same = charts.shown if other is reader else charts.readable
        again, papers = read(other, carried(results, documents)[number])
        assert same(again) == same(results)
        held = {one.content for one in papers}
        assert held == contents if other is fhir.read else held > contents
        twice, papers = read(other, carried(again, papers)[number])
        assert charts.shown(twice) == charts.shown(again)
        assert {one.content for one in papers} >= held


@given(anything.results())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_results_read_the_same_from_either_format(results: list[Result]) -> None:
    as_fhir, as_ccda = carried(results, [])
    assert charts.shown(read(fhir.read, as_fhir)[0]) == charts.shown(results)
    assert charts.readable(read(ccda.read, as_ccda)[0]) == charts.readable(results)


@pytest.mark.parametrize("many", [100, 101])
def test_of_what_a_result_said_before_the_last_hundred_come_along(many: int) -> None:
    before = tuple(
        Before(value=f"{number}", unit="g/dL", corrected_at=charts.NOW - timedelta(days=number))
        for number in range(many)
    )
    result = replace(charts.albumin(), before=before)
    as_fhir, as_ccda = carried([result], [])
    assert [one.before for one in read(fhir.read, as_fhir)[0]] == [before[:100]]
    assert [one.before for one in read(ccda.read, as_ccda)[0]] == [before[:100]]


@needs_corpus
@pytest.mark.parametrize(("reader", "path"), EITHER, ids=lambda one: getattr(one, "name", ""))
def test_a_bundle_is_valid_and_points_at_nothing_that_is_not_in_it(
    reader: Read, path: Path
) -> None:
    written = json.loads(carried(*found_in(reader, path))[0])
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
