"""From a nurse's click to the patient's open page: two gateways, two replicas of messaging."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import aiohttp

from bench import portal, replicas
from bench.charts import Someone
from bench.figures import Finding, Load
from bench.terms import Terms
from deploy.demo.browser import Browser

CLICKS = 100
"""Of each round."""
WITHIN = 40
"""Seconds; a page that does not change in this time has heard nothing."""


class OpenPage:
    """A page of Messages that somebody has open, as its script sees it."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    @property
    def there(self) -> bool:
        """Whether the gateway lets the patient look."""
        return self._answer.status == 200  # noqa: PLR2004

    async def says(self, count: int) -> float:
        """When it is told of so many unread messages, by the clock that the click is taken by."""
        async with asyncio.timeout(WITHIN):
            while True:
                line = await self._answer.content.readline()
                if line == b"data: %d\n" % count:
                    return time.perf_counter()


async def measure(terms: Terms) -> list[Finding]:
    """How long it takes until the page is told, and until the nurse has her own answer."""
    async with (
        portal.up() as here,
        replicas.another(here.here, "gateway") as second,
        replicas.another(here.here, "messaging"),
        here.nurse() as nurse,
    ):
        (patient,) = await here.registered([Someone(number=0)])
        page = f"/staff/patients/{patient.id}/messages/new"
        shown: list[Load] = []
        answered: list[Load] = []
        count = 0
        async with opened_at(second, patient.id, await here.session(patient)) as opened:
            await opened.says(0)
            for number in range(terms.rounds):
                terms.say(f"clicks: round {number + 1} of {terms.rounds}")
                told: list[float] = []
                took: list[float] = []
                began = time.perf_counter()
                for _ in range(CLICKS):
                    count += 1
                    changed, done = await _click(nurse, page, opened, count)
                    told.append(changed)
                    took.append(done)
                lasted = time.perf_counter() - began
                shown.append(Load(seconds=lasted, took=told))
                answered.append(Load(seconds=lasted, took=took))
    return [
        Finding(
            name="clicks",
            what="A nurse's click shows in an open page: p99",
            unit="ms",
            ours=[one.p99_ms for one in shown],
            beside="in her own: p99",
            baseline=[one.p99_ms for one in answered],
        )
    ]


async def _click(nurse: Browser, page: str, opened: OpenPage, count: int) -> tuple[float, float]:
    """Seconds until the patient's page changes, and until the nurse's does."""
    typed = {
        "category": "health",
        "subject": "Your infusion",
        "body": "Monday, 9:15.",
        "do": "send",
    }
    form = await nurse.hidden(page) | typed
    clicked = time.perf_counter()

    async def answered() -> float:
        status, _ = await nurse.ask("POST", page, form)
        if status != 303:  # noqa: PLR2004
            raise portal.NotUp(f"A message was answered with {status}.")
        return time.perf_counter()

    changed, done = await asyncio.gather(opened.says(count), answered())
    return changed - clicked, done - clicked


@asynccontextmanager
async def opened_at(gateway: str, patient_id: UUID, cookie: str) -> AsyncIterator[OpenPage]:
    """The patient has a page open, at this gateway."""
    address = f"{gateway}/p/{patient_id}/live"
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as client,
        client.get(address, headers={"Cookie": cookie}) as answer,
    ):
        yield OpenPage(answer)
