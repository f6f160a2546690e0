"""From a patient's click to a delegate's last look: two gateways, two replicas of each service."""

import asyncio
import itertools
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from bench import load, portal, replicas
from bench.charts import BORN, Someone
from bench.figures import Finding, Load
from bench.portal import PASSWORD, Patient, Portal
from bench.terms import Terms
from deploy.demo.browser import Browser
from services.identity.domain.link import Links, Purpose, Target

TRIALS = 100
"""Of each round."""
DAUGHTERS = 12
"""In turns, so that it is not always the same two people."""
PAGES = 10
"""Each second, of somebody else: the portal has other things to do meanwhile."""
REPLICATED = ("identity", "records", "messaging", "delegation", "gateway")
WITHIN = 30
INVITATION = re.compile(r"/users/([0-9a-f-]{36})/(?:resend|revoke)")
DATED = {f"date_of_birth_{part}": str(getattr(BORN, part)) for part in ("year", "month", "day")}


class NeverRefused(Exception):
    """A delegate could still look, long after access was revoked."""


@dataclass(kw_only=True)
class Family:
    """A patient at one gateway, her delegate at the other."""

    links: Links
    mother: Browser
    daughter: Browser
    email: str
    record: str
    version: int = 0

    async def let_in(self) -> None:
        """Invited, accepted, and looking."""
        fields = {"email": self.email, "access": "full", "proof_password": PASSWORD} | DATED
        await self.mother.send(f"{self.record}/users", fields, to=f"{self.record}/users/invite")
        self.version += 1
        target = Target(id=await self._invitation(), version=self.version)
        token = self.links.token(Purpose.INVITATION, target)
        await self.daughter.send(f"/invitations/{token}", {"terms": "yes"} | DATED)
        async with asyncio.timeout(WITHIN):
            while not await self.looks():  # noqa: ASYNC110  (what is waited for is elsewhere)
                await asyncio.sleep(0.02)

    async def looks(self) -> bool:
        """Whether the delegate sees the record now."""
        status, _ = await self.daughter.ask("GET", f"{self.record}/health")
        return status == 200  # noqa: PLR2004

    async def revoke(self) -> float:
        """Seconds from the click to the beginning of the last look that was let through."""
        page = f"{self.record}/users/{await self._invitation()}/revoke"
        hidden = await self.mother.hidden(page)
        clicked = last = time.perf_counter()
        revoking = asyncio.create_task(self.mother.ask("POST", page, hidden))
        while True:
            began = time.perf_counter()
            if not await self.looks() and revoking.done():
                return last - clicked
            last = began
            if last - clicked > WITHIN:
                raise NeverRefused

    async def _invitation(self) -> UUID:
        found = INVITATION.search(await self.mother.see(f"{self.record}/users"))
        if found is None:
            raise portal.NotUp("Nobody is on the list of users.")
        return UUID(found[1])


async def measure(terms: Terms) -> list[Finding]:
    """How long a delegate still got through, and how long the patient's own click took."""
    async with portal.up() as here, AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(replicas.another(here.here, p)) for p in REPLICATED]
        people = [Someone(number=number) for number in range(DAUGHTERS + 2)]
        other, *patients = await here.registered(people)
        families = await stack.enter_async_context(_families(here, urls[-1], patients))
        in_turns = itertools.cycle(families)
        busy = [await here.health(other)]
        took: list[float] = []
        for number in range(terms.rounds):
            terms.say(f"revocations: round {number + 1} of {terms.rounds}")
            loading = asyncio.create_task(load.steadily(busy, each=PAGES, seconds=terms.seconds))
            for _ in range(TRIALS):
                family = next(in_turns)
                await family.let_in()
                took.append(max(0.0, await family.revoke()))
                if loading.done():
                    loading = asyncio.create_task(
                        load.steadily(busy, each=PAGES, seconds=terms.seconds)
                    )
            await loading
    every = Load(seconds=1, took=took)
    return [
        _finding("p50", every.median_ms, len(took)),
        _finding("p99", every.p99_ms, len(took)),
        _finding("longest", max(took) * 1000, len(took), budget=1.0),
    ]


def _finding(which: str, figure: float, trials: int, budget: float | None = None) -> Finding:
    return Finding(
        name=f"revocations {which}",
        what=f"Revoked, and still let through: {which} of {trials}",
        unit="ms",
        ours=[figure],
        beside="what is promised",
        baseline=[1000.0],
        budget=budget,
        at_least=False,
    )


@asynccontextmanager
async def _families(
    here: Portal, second: str, patients: list[Patient]
) -> AsyncIterator[list[Family]]:
    """One mother, and each of her daughters."""
    mother, *daughters = patients
    async with AsyncExitStack() as stack:

        async def at(url: str, who: Patient) -> Browser:
            browser = await stack.enter_async_context(Browser(url))
            await browser.send("/login", {"email": who.who.email, "password": PASSWORD} | DATED)
            return browser

        hers = await at(here.here.url, mother)
        yield [
            Family(
                links=Links(here.here.keys.link_key),
                mother=hers,
                daughter=await at(second, daughter),
                email=daughter.who.email,
                record=f"/p/{mother.id}",
            )
            for daughter in daughters
        ]
