"""The inbox of somebody with very many messages, beside that of somebody with few."""

import asyncpg

from bench import load, mailboxes, portal
from bench.charts import Someone
from bench.figures import Finding
from bench.terms import Terms
from libs.contracts.messaging.mailbox import PAGE

FEW = 10
MANY = 100_000
PAGES = 10
"""Each second, so that nobody waits for anybody."""


async def measure(terms: Terms) -> list[Finding]:
    """The time that the page takes, of all in turns."""
    counts = (MANY, FEW, PAGE)
    async with portal.up() as here:
        people = [Someone(number=number) for number in range(len(counts))]
        patients = await here.registered(people)
        admin = await asyncpg.connect(here.here.database_url("admin"))
        try:
            for patient, count in zip(patients, counts, strict=True):
                await mailboxes.fill(admin, here, patient.id, count)
        finally:
            await admin.close()
        inboxes = [
            [load.page(f"{here.here.url}/p/{patient.id}/messages", await here.session(patient))]
            for patient in patients
        ]
        took: dict[int, list[float]] = {count: [] for count in counts}
        for asked in inboxes:
            await load.steadily(asked, each=PAGES, seconds=3)
        for number in range(terms.rounds):
            terms.say(f"inbox: round {number + 1} of {terms.rounds}")
            for count, asked in zip(counts, inboxes, strict=True):
                one = await load.steadily(asked, each=PAGES, seconds=terms.seconds)
                took[count].append(one.median_ms)
    return [_finding(took, FEW), _finding(took, PAGE)]


def _finding(took: dict[int, list[float]], few: int) -> Finding:
    """Only a page that is as long is to be as fast."""
    return Finding(
        name=f"inbox beside {few}",
        what=f"Messages: median with {MANY:,} messages",
        unit="ms",
        ours=took[MANY],
        beside=f"with {few} messages{', a full page' if few == PAGE else ''}",
        baseline=took[few],
        budget=1.2 if few == PAGE else None,
        at_least=False,
    )
