"""The record as PDF, looked at with tools that others use: qpdf, and those of Poppler."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from libs.contracts.records.exports import Format
from services.records.domain.result import (
    LOINC,
    Code,
    ReferenceRange,
    Result,
    ResultStatus,
    Value,
    ValueKind,
)
from services.records.exporting import files
from tests.records.exporting import charts


@pytest.fixture(params=["empty", "full"])
async def pdf(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A chart with nothing in it, and one with results on several pages."""
    if missing := [tool for tool in ("qpdf", "pdfinfo") if not shutil.which(tool)]:
        pytest.skip(f"{missing[0]} is not installed")
    chart = charts.chart()
    if request.param == "full":
        results = [
            Result(
                source_id=str(number),
                patient_key="",
                code=Code(system=LOINC, code=f"{number % 7}-8"),
                name=f"Albumin {number % 7}",
                value=Value(kind=ValueKind.TEXT, text="3.1 g/dL"),
                ranges=(ReferenceRange(text="3.5 to 5.0"),),
                status=ResultStatus.FINAL,
                collected=None,
            )
            for number in range(150)
        ]
        chart = charts.chart(charts.measured(results), charts.papers("Biopsy"))
    file = tmp_path / "record.pdf"

    async def step() -> None: ...

    pieces = files.pieces(chart, Format.PDF, step=step, fetch=charts.nothing)
    made = [piece async for piece in pieces]
    file.write_bytes(charts.whole(iter(made)))
    return file


def said(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def root(pdf: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The document's own object, and all that qpdf tells."""
    told = json.loads(said("qpdf", "--json", pdf))
    objects = told["qpdf"][1]
    return objects[f"obj:{objects['trailer']['value']['/Root']}"]["value"], told


def test_nothing_in_it_is_broken(pdf: Path) -> None:
    assert "No syntax or stream encoding errors found" in said("qpdf", "--check", pdf)


def test_it_says_what_it_is_and_in_which_language(pdf: Path) -> None:
    """As PDF/UA-1 asks (ISO 14289-1, 7.1 and 7.2): title shown, language, tags, its own mark."""
    document, _ = root(pdf)
    assert document["/Lang"] == "u:en"
    assert document["/MarkInfo"]["/Marked"] is True
    assert document["/ViewerPreferences"]["/DisplayDocTitle"] is True
    info = said("pdfinfo", pdf)
    assert "Health record of Rosa Alvarez" in info
    assert "Tagged:          yes" in info
    assert "<pdfuaid:part>1</pdfuaid:part>" in said("pdfinfo", "-meta", pdf)


def test_its_parts_are_headings_bookmarks_and_tables_in_reading_order(pdf: Path) -> None:
    _, told = root(pdf)
    bookmarks = [one["title"] for one in told["outlines"]]
    structure = said("pdfinfo", "-struct-text", pdf)
    places = [structure.index(f'"{title}"') for title in bookmarks]
    assert places == sorted(places)
    assert [line.split('"')[1] for line in structure.splitlines() if "  H1 " in line] == bookmarks
    if "There is nothing" not in structure:
        assert bookmarks == ["Lab results", "Documents"]
        assert structure.index(" TH <") < structure.index(" TD")
