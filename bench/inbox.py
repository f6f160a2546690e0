"""The inbox of somebody with very many messages, beside that of somebody with few."""

import asyncpg

from bench import load, mailboxes, portal
from bench.charts import Someone
from bench.figures import Finding
from bench.terms import Terms

FEW = 10
MANY = 100_000
PAGES = 10
"""Each second, so that nobody waits for anybody."""


async def measure(terms: Terms) -> list[Finding]:
    """The time that the page takes, of both in turns."""
    async with portal.up() as here:
        patients = await here.registered([Someone(number=number) for number in range(2)])
        admin = await asyncpg.connect(here.here.database_url("admin"))
        try:
            for patient, count in zip(patients, (FEW, MANY), strict=True):
                await mailboxes.fill(admin, here, patient.id, count)
        finally:
            await admin.close()
        few, many = [
            [load.page(f"{here.here.url}/p/{patient.id}/messages", await here.session(patient))]
            for patient in patients
        ]
        ours: list[float] = []
        baseline: list[float] = []
        for asked in (many, few):
            await load.steadily(asked, each=PAGES, seconds=3)
        for number in range(terms.rounds):
            terms.say(f"inbox: round {number + 1} of {terms.rounds}")
            for medians, asked in ((ours, many), (baseline, few)):
                took = await load.steadily(asked, each=PAGES, seconds=terms.seconds)
                medians.append(took.median_ms)
    return [
        Finding(
            name="inbox",
            what=f"Messages: median with {MANY:,} messages",
            unit="ms",
            ours=ours,
            beside=f"with {FEW} messages",
            baseline=baseline,
            budget=1.2,
            at_least=False,
        )
    ]
