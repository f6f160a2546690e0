"""Every clinical file of the corpus, imported through the contract, agrees with its reader."""

import io
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID, uuid4

import psutil
import pytest

from libs.contracts.records.imports import Import, ImportState, SettleImport
from libs.runtime.broker import ask
from libs.vault.media import Sort
from services.records.domain.found import Document, Found, LeftOut, Patient, Unreadable
from services.records.domain.importing import INFORMATION
from services.records.domain.result import Result
from services.records.formats import ccda, fhir, hl7v2
from services.records.reading.child import examined
from tests.corpus import content, files, needs_corpus
from tests.records import office
from tests.records.office import Office
from tests.servers import Servers

pytestmark = needs_corpus

READERS: dict[str, Callable[[BinaryIO], Iterator[Found]]] = {
    "fhir": fhir.read,
    "ccda": ccda.read,
    "hl7v2": hl7v2.read,
}


@pytest.fixture
async def clinic(clean: Servers) -> AsyncIterator[Office]:
    async with office.opened(clean, with_identity=True) as opened:
        yield opened


def found_in(folder: str, data: bytes) -> tuple[list[Found], bool]:
    """What the reader finds, and whether that is all of it."""
    found: list[Found] = []
    try:
        found.extend(READERS[folder](io.BytesIO(data)))
    except Unreadable:
        return found, False
    return found, True


async def enrol(practice: Office, found: list[Found]) -> None:
    """Everyone of whom a file says enough is a patient of the practice."""
    people: dict[Any, None] = {}
    for one in found:
        if isinstance(one, Patient) and one.family and one.given and one.birth_date:
            name = (one.given[:200], one.family[:200], max(one.birth_date, date(1880, 1, 1)))
            people.setdefault(name)
    for given, family, born in people:
        await practice.add_patient(given, family, born)


async def settle_all(practice: Office, brought: Import) -> Import:
    """Whoever waits is somebody: a person has looked, and knows them."""
    for subject in brought.subjects:
        if not subject.settled:
            somebody = await practice.add_patient("Some", f"Body {subject.number}")
            asked = SettleImport(
                visa=practice.staff,
                key=uuid4(),
                import_id=brought.import_id,
                number=subject.number,
                patient_id=somebody,
            )
            await ask(practice.broker, asked, within=20)
    return await practice.report(brought.import_id)


async def kept(practice: Office) -> list[list[Any]]:
    """Everything in the practice's records that an import can change."""
    tables = {
        "result": "id, patient_id, source_id, digest, value, unit, status, collected_at",
        "result_before": "result_id, number, value",
        "latest_result": "patient_id, test_key, result_id, total",
        "document": "id, patient_id, source_id, sha256, dated, replaced_by, withdrawn_at",
    }
    return [
        await practice.sql(
            f"SELECT {columns} FROM {table} WHERE practice_id = $1 ORDER BY {columns}",
            practice.practice_id,
        )
        for table, columns in tables.items()
    ]


async def check(practice: Office, brought: Import, found: list[Found], name: str) -> Counter[str]:
    """The report's counts are the reader's, and all of them are accounted for."""
    counts: Counter[str] = Counter()
    # A report names 200 people at most; there are files with more.
    subjects = await practice.sql(
        "SELECT * FROM import_subject WHERE import_id = $1", brought.import_id
    )
    assert len(subjects) == brought.subjects_total, name
    for subject in subjects:
        counts["results"] += subject["results_found"]
        counts["documents"] += subject["documents_found"]
        handled = sum(subject[f"results_{what}"] for what in ("taken", "unchanged", "corrected"))
        assert handled == subject["results_found"], name
        handled = sum(subject[f"documents_{what}"] for what in ("taken", "unchanged"))
        assert handled == subject["documents_found"], name
        counts["taken"] += subject["results_taken"]
        counts["corrected"] += subject["results_corrected"]
        counts["documents taken"] += subject["documents_taken"]
    documents = [one for one in found if isinstance(one, Document)]
    programs = sum(
        examined(one.content, declared=one.media_type).sort is Sort.PROGRAM for one in documents
    )
    assert counts["results"] == sum(isinstance(one, Result) for one in found), name
    assert counts["documents"] == len(documents) - programs, name
    told = {
        (one.reason, one.what): one.count
        for one in brought.left_out
        if one.what != "Patient of whom there is nothing to file"
    }
    expected: Counter[tuple[str, str]] = Counter()
    for one in found:
        if isinstance(one, LeftOut):
            expected[one.reason.value, one.what] += one.count
    assert told == dict(expected), name
    counts["left out"] = sum(
        count for (reason, _), count in expected.items() if reason not in INFORMATION
    )
    return counts


@pytest.mark.parametrize("folder", READERS)
async def test_every_file_is_imported_as_it_is_read_and_once(clinic: Office, folder: str) -> None:
    totals: Counter[str] = Counter()
    before = psutil.Process().memory_info().rss
    for path in files(folder):
        await _bring(clinic.another(), folder, path, totals)
    print(f"\n{folder}: {len(files(folder))} files, {dict(totals)}")
    assert totals["files"] == len(files(folder))
    grown = psutil.Process().memory_info().rss - before
    assert grown < 250 * 1024 * 1024


async def _bring(practice: Office, folder: str, path: Path, totals: Counter[str]) -> None:
    data = content(path)
    found, is_whole = found_in(folder, data)
    await practice.add_practice()
    await enrol(practice, found)
    brought = await practice.bring(data, file_name=path.name, within=150)
    totals["people certain"] += sum(one.settled == "matched" for one in brought.subjects)
    totals["people settled by a person"] += sum(not one.settled for one in brought.subjects)
    brought = await settle_all(practice, brought)
    assert (brought.state is ImportState.DONE) is is_whole, path.name
    assert bool(brought.problem) is not is_whole, path.name
    counts = await check(practice, brought, found, path.name)
    totals += counts
    totals["files"] += 1
    before = await kept(practice)
    assert len(before[0]) == counts["taken"], path.name

    # The very same once more; as if it were new, for else it would be the same import.
    await practice.sql("UPDATE import SET state = 'discarded' WHERE id = $1", brought.import_id)
    again = await practice.bring(data, file_name=path.name, within=150)
    again = await _settled_as_before(practice, again, brought)
    assert again.import_id != brought.import_id
    for subject in again.subjects:
        changed = subject.results_taken, subject.results_corrected, subject.documents_taken
        assert changed == (0, 0, 0), path.name
    assert await kept(practice) == before, path.name
    assert [(one.reason, one.what, one.count) for one in again.left_out] == [
        (one.reason, one.what, one.count) for one in brought.left_out
    ], path.name


async def _settled_as_before(practice: Office, again: Import, before: Import) -> Import:
    whose: dict[int, UUID | None] = {one.number: one.patient_id for one in before.subjects}
    for subject in again.subjects:
        if not subject.settled:
            asked = SettleImport(
                visa=practice.staff,
                key=uuid4(),
                import_id=again.import_id,
                number=subject.number,
                patient_id=whose[subject.number],
            )
            await ask(practice.broker, asked, within=20)
    return await practice.report(again.import_id)
