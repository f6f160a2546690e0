"""The record as PDF, looked at with tools that others use: qpdf, Poppler's, and a PDF/UA checker."""

import json
import shutil
import subprocess
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import outloud
import pytest
from lxml import etree

from libs.contracts.records.exports import Format
from services.records.domain.chart import Chart
from services.records.domain.result import (
    LOINC,
    Before,
    Code,
    ReferenceRange,
    Result,
    ResultStatus,
    Value,
    ValueKind,
)
from services.records.exporting import files
from tests.records.exporting import charts

MARGIN = 1.8 / 2.54 * 72
"""Points."""
LETTERS = {
    "Greek, Cyrillic": "Καλημέρα. Доброе утро, Ж.",
    "right to left": "שלום לכם. السلام عليكم (3.1 g/dL).",
    "none of our fonts": "血液検査 한국어 ภาษาไทย \U0001f9ea \x07 \ufffe",
    "marks": "e\u0301 n\u0303 \u202egnp.exe \u2066x\u2069 z\u0335\u0321\u0322",
    "markup": '#set page("a4") = Title * _ $x$ <label> @ref \\ ` // /* https://example.org',
}
"""Messages in letters that are not ours, or that Typst could take for its own."""


def pages(what: str) -> Chart:
    """A chart with nothing in it, one on several pages, and two that are hard to set."""
    if what == "empty":
        return charts.chart()
    if what == "odd":
        messages = [charts.letter(title, text) for title, text in LETTERS.items()]
        body = f"{'It itches. ' * 20_000}\n{'z' * 300} https://example.org/{'z' * 300}"
        messages.append(charts.letter("Long", body, files=charts.HOSTILE_NAMES))
        [albumin] = charts.measured([charts.albumin()])
        was = Before(value="3.4", unit="g/dL", corrected_at=charts.NOW)
        return charts.chart([replace(albumin, before=(was,))], charts.odd_papers(), messages)
    if what == "long":
        [albumin] = charts.measured([charts.albumin()])
        word = "W" * 200
        long = replace(
            albumin, name=word, value=word, range_text=word, comment=word, performer=word
        )
        rosa = charts.ROSA.model_copy(update={"given": f"Rosa Alvarez{word}", "family": word})
        return charts.chart([long, albumin], charts.papers(word), person=rosa)
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
    return charts.chart(charts.measured(results), charts.papers("Biopsy"))


@pytest.fixture(scope="module", params=["empty", "full", "odd", "long"])
async def pdf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if missing := [tool for tool in ("qpdf", "pdfinfo") if not shutil.which(tool)]:
        pytest.skip(f"{missing[0]} is not installed")
    file = tmp_path_factory.mktemp("pdf") / "record.pdf"

    async def step() -> None: ...

    pieces = files.pieces(pages(request.param), Format.PDF, step=step, fetch=charts.nothing)
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


def test_every_rule_of_pdf_ua_that_a_tool_can_tell_is_kept(pdf: Path) -> None:
    """Content tagged or an artifact, headers of tables, fonts, languages, title (ISO 14289-1)."""
    checked = outloud.check(str(pdf), layers=["conformance"])
    assert not checked.error
    assert [one.message for one in checked.findings if one.severity == "error"] == []
    runs = {one.rule: one.outcome for one in checked.runs}
    assert sum(outcome == "pass" for outcome in runs.values()) >= 20
    assert {runs[rule] for rule in ("DOC-011", "DOC-012", "DOC-013", "TAG-001")} == {"pass"}


def test_letters_that_no_font_has_are_told_by_their_number(pdf: Path) -> None:
    told = said("pdftotext", pdf, "-")
    hard = "U+8840" in told
    assert hard is ("血" not in told and "can’t be printed here" in " ".join(told.split()))
    assert hard is ("Доброе утро" in told)
    assert "\ufffd" not in told


def test_nothing_is_written_over_something_else_or_off_the_page(pdf: Path) -> None:
    """As `pdftotext` tells where each word stands, in points of a letter page."""
    for page in etree.fromstring(said("pdftotext", "-bbox", pdf, "-").encode()).iter("{*}page"):
        edge = float(page.get("width", 0)) - MARGIN
        words = [
            tuple(float(word.get(name, 0)) for name in ("xMin", "xMax", "yMin", "yMax"))
            for word in page.iter("{*}word")
        ]
        assert all(left >= MARGIN - 1 and right <= edge + 1 for left, right, _, _ in words)
        lines: dict[float, list[tuple[float, float]]] = defaultdict(list)
        for left, right, top, _ in words:
            lines[round(top)].append((left, right))
        for line in lines.values():
            assert all(right <= left + 1 for (_, right), (left, _) in pairwise(sorted(line)))


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
    kids = [kid["title"] for one in told["outlines"] for kid in one["kids"]]
    assert kids == ([*LETTERS, "Long"] if "Messages" in bookmarks else [])
    assert [line.split('"')[1] for line in structure.splitlines() if "  H1 " in line] == bookmarks
    if "There is nothing" not in structure:
        assert bookmarks[:2] == ["Lab results", "Documents"]
        assert structure.index(" TH <") < structure.index(" TD")
