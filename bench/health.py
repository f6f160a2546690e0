"""The Health page, signed in, through the whole chain, beside one process with nothing between."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench import load, portal
from bench.charts import TESTS, Someone
from bench.figures import Finding, Load
from bench.portal import PRACTICE, Patient, Portal
from bench.terms import Terms
from deploy import waiting
from libs.contracts.identity.practices import Practice

PATIENTS = 8
"""Each asks on a connection of their own."""
DATES = 8
DOCUMENTS = 20


@dataclass(frozen=True, kw_only=True)
class Sides:
    """The same page, asked for here and there."""

    ours: list[load.Asked]
    bare: list[load.Asked]


async def measure(terms: Terms) -> list[Finding]:
    """Pages per second, and how long the slowest hundredth takes, of both sides in turns."""
    async with portal.up() as here, bare(here) as url:
        patients = await with_charts(here)
        sides = Sides(
            ours=[await here.health(patient) for patient in patients],
            bare=[load.page(f"{url}/p/{patient.id}/health") for patient in patients],
        )
        ours: list[Load] = []
        baseline: list[Load] = []
        await _round(sides, seconds=2)
        for number in range(terms.rounds):
            terms.say(f"health: round {number + 1} of {terms.rounds}")
            for load_of, asked in ((ours, sides.ours), (baseline, sides.bare)):
                load_of.append(await load.flat_out(asked, seconds=terms.seconds))
    return findings(ours, baseline)


def findings(ours: list[Load], baseline: list[Load]) -> list[Finding]:
    return [
        Finding(
            name="health throughput",
            what="Health: pages, 8 at a time",
            unit="pages/s",
            ours=[one.per_second for one in ours],
            beside="one process, the same SQL and template",
            baseline=[one.per_second for one in baseline],
            budget=1.0,
        ),
        Finding(
            name="health p99",
            what="Health: p99, 8 at a time",
            unit="ms",
            ours=[one.p99_ms for one in ours],
            beside="one process, the same SQL and template",
            baseline=[one.p99_ms for one in baseline],
            at_least=False,
        ),
    ]


async def with_charts(here: Portal) -> list[Patient]:
    """Patients who have registered, with results and documents."""
    people = [Someone(number=number) for number in range(PATIENTS)]
    patients = await here.registered(people)
    brought = await here.bring_in(people, dates=DATES, documents=DOCUMENTS)
    if sum(subject.results_taken for subject in brought.subjects) != PATIENTS * DATES * len(TESTS):
        raise load.Failing(f"The charts were not taken as they are: {brought.problem}")
    return patients


async def _round(sides: Sides, *, seconds: float) -> None:
    """Everything is compiled, planned and kept before anything counts."""
    for asked in (sides.ours, sides.bare):
        await load.flat_out(asked, seconds=seconds)


@asynccontextmanager
async def bare(here: Portal) -> AsyncIterator[str]:
    """The one process, on the same database; its address."""
    port = waiting.free_port()
    url = f"http://127.0.0.1:{port}"
    fields = PRACTICE.model_dump_json(include=set(Practice.model_fields))
    said = here.here.folder / "logs" / "bare.log"
    with said.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bench.bare",
            stdin=asyncio.subprocess.PIPE,
            stdout=out,
            stderr=out,
        )
    try:
        if process.stdin:
            told = [str(port), here.here.database_url("records"), fields]
            process.stdin.write("\n".join(told).encode())
            process.stdin.close()
        await portal.until(lambda: waiting.answers("127.0.0.1", port), process, said)
        yield url
    finally:
        await portal.ended(process)
