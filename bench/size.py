"""The Health page of a portal with very many results, beside one with few."""

from collections.abc import Callable

import asyncpg

from bench import filling, health, load, portal
from bench.figures import Finding
from bench.portal import Patient, Portal
from bench.terms import Terms

FEW = 10_000
PAGES = 10
"""Each second, so that nobody waits for anybody."""


async def measure(terms: Terms) -> list[Finding]:
    """The time that a page takes, of both portals in turns."""
    async with portal.up() as large, portal.up() as small:
        pages = {}
        for here, results in ((small, FEW), (large, terms.results)):
            patients = await health.with_charts(here)
            await _fill(here, patients[0], results, terms.say)
            pages[here.here.port] = [await here.health(patient) for patient in patients]
        many, few = pages[large.here.port], pages[small.here.port]
        ours: list[float] = []
        baseline: list[float] = []
        for asked in (many, few):
            await load.steadily(asked, each=PAGES, seconds=3)
        for number in range(terms.rounds):
            terms.say(f"size: round {number + 1} of {terms.rounds}")
            for medians, asked in ((ours, many), (baseline, few)):
                took = await load.steadily(asked, each=PAGES, seconds=terms.seconds)
                medians.append(took.median_ms)
    return [
        Finding(
            name="size",
            what=f"Health: median with {terms.results:,} results",
            unit="ms",
            ours=ours,
            beside=f"with {FEW:,} results",
            baseline=baseline,
            budget=1.2,
            at_least=False,
        )
    ]


async def _fill(here: Portal, like: Patient, results: int, say: Callable[[str], None]) -> None:
    admin = await asyncpg.connect(here.here.database_url("admin"))
    try:
        await filling.fill(admin, like=like.id, practice=here.practice_id, results=results, say=say)
    finally:
        await admin.close()
