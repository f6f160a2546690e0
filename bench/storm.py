"""How long the slowest pages take while everyone logs in at once, beside a quiet hour."""

import asyncio

from bench import health, load, portal
from bench.figures import Finding
from bench.terms import Terms

PAGES = 10
"""Each second; well within what the machine can do."""
TIMES_AS_LONG = 4
"""As other loads: so few pages a second need time for their slowest hundredth to mean something."""
AT_ONCE = 2
"""Log-ins of each patient at the same time."""
GATHERING = 1.0
"""Seconds before and after the pages in which there is a storm already, and still."""


async def measure(terms: Terms) -> list[Finding]:
    """The p99 of Health, with a storm and without, in turns."""
    seconds = terms.seconds * TIMES_AS_LONG
    async with portal.up() as here:
        patients = await health.with_charts(here)
        pages = [await here.health(patient) for patient in patients]
        doors = [await here.log_in(patient) for patient in patients] * AT_ONCE
        storm, idle = [], []
        await load.steadily(pages, each=PAGES, seconds=2)
        for number in range(terms.rounds):
            terms.say(f"storm: round {number + 1} of {terms.rounds}")
            quiet = await load.steadily(pages, each=PAGES, seconds=seconds)
            idle.append(quiet.p99_ms)
            async with asyncio.TaskGroup() as group:
                group.create_task(_storm(doors, seconds + 2 * GATHERING))
                await asyncio.sleep(GATHERING)
                busy = group.create_task(load.steadily(pages, each=PAGES, seconds=seconds))
            storm.append(busy.result().p99_ms)
    return [
        Finding(
            name="storm",
            what=f"Health: p99 while {len(doors)} log in at a time",
            unit="ms",
            ours=storm,
            beside="nobody logging in",
            baseline=idle,
            budget=3,
            at_least=False,
        )
    ]


async def _storm(doors: list[load.Asked], seconds: float) -> None:
    """Whoever is turned away because so many came, comes again."""
    await load.flat_out(doors, seconds=seconds, turned_away=True)
