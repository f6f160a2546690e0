"""For any chart and any selection, each form holds the same items, which were counted before.

Half a thousand charts, of none to 5,000 results, in four zones; each in every form, and beside what
the pages of Health show.
"""

import io
import random
import shutil
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from typing import NamedTuple
from uuid import uuid4

import asyncpg
import pytest

from libs.contracts.messaging.mailbox import Letter
from libs.contracts.records.exports import Counted, Format, Kind, Selection
from libs.runtime.database import Pool, transaction
from libs.runtime.keyring import KeyRing
from libs.vault.vault import Vault
from services.records import filing
from services.records.domain.chart import Chart, bounds
from services.records.domain.document import Document
from services.records.domain.patient import entry
from services.records.exporting import files, loading
from services.records.exporting.pieces import Base64, Checksum, Original
from services.records.store import documents as papers
from services.records.store import patients, results
from services.records.store.documents import Filter
from tests.records.exporting import charts
from tests.records.exporting.chances import Drawn, drawn
from tests.records.test_exports import UUIDS, in_ccda, in_fhir, in_page, text_of
from tests.servers import Servers

CHARTS, PARTS = 500, 10
EVERYTHING = Selection(kinds=frozenset(Kind))
LARGE = {137: 5000, 401: 2500, 212: 1000, 33: 300}
"""How many results the largest have, by their number; the others have up to 24."""


@pytest.fixture
async def pool(clean: Servers) -> AsyncIterator[Pool]:
    async with asyncpg.create_pool(
        clean.database_url("records"), server_settings={"search_path": "records"}
    ) as opened:
        yield opened


class Loaded(NamedTuple):
    """What became of a chart, its results by the names that they have at their source."""

    counted: Counted
    chart: Chart
    results: set[str]
    on_screen: set[str]
    papers_on_screen: set[str]
    """The titles of all documents that are listed, page by page."""


async def loaded(pool: Pool, ring: KeyRing, one: Drawn) -> Loaded:
    """A chart as it is filed, counted, loaded, and shown on the pages of its tests."""
    practice, patient_id, now = one.practice, one.patient_id, one.now
    somebody = entry(
        given="Rosa", family="Alvarez", birth_date=date(1961, 4, 12), email="", mrn="",
        today=now.date(),
    )  # fmt: skip
    async with transaction(pool, practice=practice.practice_id) as db:
        place = practice.practice_id, patient_id
        await patients.add_patients(db, practice.practice_id, [(patient_id, somebody)], now=now)
        for found_at_once in (one.results, one.corrected):
            await filing.file_results(db, *place, found_at_once, import_id=None, now=now)
        vault = Vault(db, ring, practice.practice_id)
        for found in one.documents:
            opened = await vault.begin(uuid4(), owner_id=patient_id)
            opened = await vault.append(opened, found.content)
            opened = await vault.finish(opened, look=lambda _: None)
            await papers.add_document(db, one.filed(found, opened.content))
        letters = chosen_letters(one)
        chosen = one.chosen
        count = await loading.count(db, practice, patient_id, chosen, letters=len(letters))
        chart = await loading.load(db, practice, patient_id, chosen, letters=letters, now=now)
        rows = await db.fetch("SELECT id, source_id FROM result WHERE patient_id = $1", patient_id)
        tests = {row["test_key"] for row in await results.list_latest(db, *place)}
        listed = list[Document]()
        while page := await papers.list_documents(
            db, *place, wanted=Filter(), after=(listed[-1].day, listed[-1].id) if listed else None
        ):
            listed += page
        shown = [row for test in tests for row in await results.list_test(db, *place, test)]
    sources = {row["id"]: row["source_id"] for row in rows}
    return Loaded(
        count,
        chart,
        {sources[each.id] for each in chart.results},
        {sources[row["id"]] for row in shown},
        {one.title for one in listed},
    )


def chosen_letters(one: Drawn) -> list[Letter]:
    """What messaging answers: those that were sent from one moment until before another."""
    if Kind.MESSAGES not in one.chosen.kinds:
        return []
    start, end = bounds(one.chosen, one.practice.time_zone)
    return [
        letter
        for letter in one.letters
        if (start is None or start <= letter.sent_at) and (end is None or letter.sent_at < end)
    ]


async def form(chart: Chart, wanted: Format, contents: dict[object, bytes]) -> bytes:
    async def step() -> None: ...

    made = list[bytes]()
    async for piece in files.pieces(chart, wanted, step=step, fetch=charts.nothing):
        match piece:
            case bytes():
                made.append(piece)
            case Original(document):
                made.append(contents[document.sha256])
            case Base64():
                made.append(b"eA==")
            case Checksum():
                made.append(bytes(4))
    return b"".join(made)


def originals(archive: zipfile.ZipFile, folder: str) -> int:
    return sum(name.startswith(folder) for name in archive.namelist())


@pytest.mark.parametrize("part", range(PARTS))
async def test_any_selection_of_any_chart_is_the_same_set_in_every_form(
    clean: Servers, pool: Pool, part: int
) -> None:
    ring = KeyRing.parse(clean.keys.key_ring)
    corrected, can_read_pdf = 0, bool(shutil.which("pdftotext"))
    for number in range(part, CHARTS, PARTS):
        one = drawn(random.Random(number), LARGE.get(number))
        if number in LARGE:
            one = replace(one, chosen=EVERYTHING)
        count, chart, sources, on_screen, papers_on_screen = await loaded(pool, ring, one)
        told = f"chart {number}: {one.chosen} in {one.practice.time_zone}"
        expected = one.expected()
        items = {str(each.id) for each in chart.results}
        items |= {str(each.id) for each in chart.documents}
        items |= {str(each.message_id) for each in chart.messages}
        assert on_screen == one.expected(of=EVERYTHING).results, told
        assert papers_on_screen == one.expected(of=EVERYTHING).titles, told
        assert sources == expected.results, told
        assert {each.title for each in chart.documents} == expected.titles, told
        assert {each.message_id for each in chart.messages} == expected.letters, told
        assert (count.results, count.documents, count.messages) == expected.counts, told
        contents: dict[object, bytes] = {found.sha256: found.data for found in one.contents()}
        assert in_page(await form(chart, Format.HTML, contents)) == items, told
        assert in_fhir(await form(chart, Format.FHIR, contents)) == items, told
        assert in_ccda(await form(chart, Format.CCDA, contents)) == items, told
        corrected += sum(bool(each.before) for each in chart.results)
        whole = await form(chart, Format.ZIP, contents)
        with zipfile.ZipFile(io.BytesIO(whole)) as archive:
            made = {
                name.partition(".")[2]: archive.read(name)
                for name in archive.namelist()
                if "/" not in name
            }
            assert originals(archive, "documents/") == len(chart.documents), told
        assert in_page(made["html"]) == items, told
        assert in_fhir(made["fhir.json"]) == items, told
        assert in_ccda(made["ccda.xml"]) == items, told
        if can_read_pdf:
            assert set(UUIDS.findall(text_of(made["pdf"]))) == items, told
    assert corrected
    if not can_read_pdf:
        pytest.skip("pdftotext is not installed; all the other forms hold the same items")


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_first_and_the_last_day_there_is_can_be_chosen(zone: str) -> None:
    all_days = Selection(kinds=frozenset(Kind), start=date.min, end=date.max)
    assert bounds(all_days, zone) == (None, None)
