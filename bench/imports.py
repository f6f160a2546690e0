"""A FHIR bundle being read, matched and filed, beside a raw COPY of the rows that came of it."""

import io
import time
from collections.abc import Iterator
from itertools import count
from uuid import UUID

import asyncpg

from bench import load, portal
from bench.charts import TESTS, Someone
from bench.figures import Finding
from bench.memory import Watch
from bench.portal import Portal
from bench.terms import Terms
from libs.contracts.records.imports import Import, ImportState

PEOPLE = 10
DATES = 40
TIMES_AS_LARGE = 4


async def measure(terms: Terms) -> list[Finding]:
    """Rows of results per second, of both sides in turns; then the memory of a larger file."""
    numbers = count()
    async with portal.up() as here:
        admin = await asyncpg.connect(here.here.database_url("admin"))
        try:
            await _empty_copy(admin)
            await _brought(here, numbers, PEOPLE)
            ours, baseline, peaks = [], [], []
            for number in range(terms.rounds):
                terms.say(f"imports: round {number + 1} of {terms.rounds}")
                with Watch(here.pid("records")) as watch:
                    done = await _brought(here, numbers, PEOPLE)
                ours.append(_rows(PEOPLE) / _lasted(done))
                baseline.append(_rows(PEOPLE) / await _copied(admin, done.import_id))
                peaks.append(watch.most)
            terms.say("imports: a larger file")
            larger = []
            for _ in peaks[:2]:
                with Watch(here.pid("records")) as watch:
                    await _brought(here, numbers, PEOPLE * TIMES_AS_LARGE)
                larger.append(watch.most)
        finally:
            await admin.close()
    return [
        Finding(
            name="import rate",
            what=f"import of FHIR, {_rows(PEOPLE):,} results",
            unit="rows/s",
            ours=ours,
            beside="raw COPY of the same rows",
            baseline=baseline,
            budget=0.25,
        ),
        Finding(
            name="import memory",
            what=f"its peak of memory, {_rows(PEOPLE * TIMES_AS_LARGE):,} results",
            unit="MB",
            ours=larger,
            beside=f"{_rows(PEOPLE):,} results",
            baseline=peaks[: len(larger)],
            budget=1.2,
            at_least=False,
        ),
    ]


def _rows(people: int) -> int:
    return people * DATES * len(TESTS)


def _lasted(done: Import) -> float:
    """Seconds from when it was asked for to its report."""
    if done.finished_at is None:
        raise load.Failing("An import did not end.")
    return (done.finished_at - done.started_at).total_seconds()


async def _brought(here: Portal, numbers: Iterator[int], people: int) -> Import:
    """So many new patients' charts, every result of them."""
    new = [Someone(number=next(numbers)) for _ in range(people)]
    await here.add(new)
    done = await here.bring_in(new, dates=DATES, documents=0)
    taken = sum(subject.results_taken for subject in done.subjects)
    if done.state is not ImportState.DONE or taken != _rows(people):
        raise load.Failing(f"{taken} of {_rows(people)} results were taken. {done.problem}")
    return done


async def _empty_copy(admin: asyncpg.Connection) -> None:
    """A table with the same columns, checks, indexes and references."""
    await admin.execute(
        """
        CREATE SCHEMA bench;
        CREATE TABLE bench.result (LIKE records.result INCLUDING ALL);
        ALTER TABLE bench.result
          ADD FOREIGN KEY (practice_id, patient_id) REFERENCES records.patient;
        """
    )


async def _copied(admin: asyncpg.Connection, import_id: UUID) -> float:
    """Seconds to copy into that table what came of this import."""
    rows = io.BytesIO()
    await admin.copy_from_query(
        "SELECT * FROM records.result WHERE import_id = $1", import_id, output=rows, format="binary"
    )
    rows.seek(0)
    began = time.perf_counter()
    await admin.copy_to_table("result", schema_name="bench", source=rows, format="binary")
    return time.perf_counter() - began
