"""What one more replica of records carries, and what it costs: Health pages, and files read in."""

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from bench import health, load, memory, portal, replicas
from bench.charts import TESTS, Someone
from bench.figures import Finding
from bench.portal import Portal
from bench.terms import Terms
from libs.contracts.records.imports import ImportState

REPLICAS = (1, 2, 4)
FILES = 4
"""Read in at the same time; one replica reads two."""
PEOPLE = 4
"""In each file."""
DATES = 40
CORES = len(os.sched_getaffinity(0))


@dataclass
class Carried:
    """What so many replicas carried in each round, and how many cores were at work meanwhile."""

    per_second: list[float] = field(default_factory=list)
    cores: list[float] = field(default_factory=list)

    @property
    def in_use(self) -> float:
        return sum(self.cores) / len(self.cores)


async def measure(terms: Terms) -> list[Finding]:
    """Both loads, with more and more replicas of records beside the first one."""
    pages: dict[int, Carried] = defaultdict(Carried)
    rows: dict[int, Carried] = defaultdict(Carried)
    sizes: list[float] = []
    numbers = count(health.PATIENTS)
    async with portal.up() as here, AsyncExitStack() as stack:
        asked = [await here.health(patient) for patient in await health.with_charts(here)]
        for wanted in REPLICAS:
            while len(sizes) < wanted - 1:
                another = await replicas.begun(here.here, "records")
                stack.push_async_callback(portal.ended, another.process)
                sizes.append(memory.taken(another.process.pid))
            await load.flat_out(asked, seconds=2)
            await _read_in(here, await _files(here, numbers))
            for number in range(terms.rounds):
                terms.say(f"scaling: {wanted} of records, round {number + 1} of {terms.rounds}")
                at, worked = time.perf_counter(), _worked()
                loaded = await load.flat_out(asked, seconds=terms.seconds)
                pages[wanted].per_second.append(loaded.per_second)
                pages[wanted].cores.append((_worked() - worked) / (time.perf_counter() - at))
                files = await _files(here, numbers)
                at, worked = time.perf_counter(), _worked()
                await _read_in(here, files)
                took = time.perf_counter() - at
                rows[wanted].per_second.append(FILES * PEOPLE * DATES * len(TESTS) / took)
                rows[wanted].cores.append((_worked() - worked) / took)
    return [
        *_findings("Health: pages, 8 at a time", "pages/s", pages),
        *_findings(f"import of {FILES} files at a time", "rows/s", rows),
        Finding(
            name="scaling memory",
            what="memory of one more of records, at rest",
            unit="MB",
            ours=sizes[1:],
            beside="the first that was added",
            baseline=sizes[:1] * len(sizes[1:]),
            at_least=False,
        ),
    ]


def _findings(what: str, unit: str, carried: dict[int, Carried]) -> list[Finding]:
    """Each number of replicas beside one of them."""
    return [
        Finding(
            name=f"scaling {unit} {number}",
            what=f"{what}, {number} of records, {one.in_use:.1f} of {CORES} cores in use",
            unit=unit,
            ours=one.per_second,
            beside="1 of records",
            baseline=carried[1].per_second,
        )
        for number, one in carried.items()
    ]


def _worked() -> float:
    """Seconds that all cores together have worked since the machine came up (proc(5))."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:8]
    user, nice, system, _, _, irq, soft = map(int, fields)
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


async def _files(here: Portal, numbers: "count[int]") -> list[Path]:
    """New patients' charts, so that nothing of them is there already."""
    made = []
    for number in range(FILES):
        people = [Someone(number=next(numbers)) for _ in range(PEOPLE)]
        await here.add(people)
        file = here.written(people, dates=DATES, documents=0)
        made.append(file.rename(file.with_name(f"charts {number}.json")))
    return made


async def _read_in(here: Portal, files: Sequence[Path]) -> None:
    """All at once, until each has its report."""
    for done in await asyncio.gather(*[here.bring_in_file(file) for file in files]):
        taken = sum(subject.results_taken for subject in done.subjects)
        if done.state is not ImportState.DONE or taken != PEOPLE * DATES * len(TESTS):
            raise load.Failing(f"Not every result was taken. {done.problem}")
