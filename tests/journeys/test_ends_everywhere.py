"""What ends a session at one gateway ends it at the other, whatever each of them remembers."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from bench import portal, replicas
from bench.charts import Someone
from bench.portal import PASSWORD, Patient, Portal
from bench.revocations import DATED
from deploy.demo.browser import Browser
from tests.waiting import until

REPLICATED = ("identity", "records", "messaging", "delegation", "gateway")
WITHIN = 1.0
"""Seconds from when whoever ended it is told so."""
TIMES = 10


class Two:
    """The same person in browsers at two gateways, with two of each service behind them."""

    def __init__(self, stack: AsyncExitStack, urls: tuple[str, str], patient: Patient) -> None:
        self.stack = stack
        self.urls = urls
        self.pages = [f"/p/{patient.id}/health", f"/p/{patient.id}/messages"]
        self.email = patient.who.email
        self.password = PASSWORD

    async def logged_in(self, number: int) -> Browser:
        browser = await self.stack.enter_async_context(Browser(self.urls[number]))
        await browser.send("/login", {"email": self.email, "password": self.password} | DATED)
        return browser

    async def elsewhere(self, browser: Browser, number: int) -> Browser:
        """The same session at another gateway."""
        other = await self.stack.enter_async_context(Browser(self.urls[number]))
        other._cookies |= browser._cookies
        return other

    async def seen_by(self, browser: Browser) -> list[int]:
        return [(await browser.ask("GET", page))[0] for page in self.pages]

    async def is_out_within_a_second(self, browser: Browser) -> None:
        """Refused every page, and then led to the door."""
        answered = time.perf_counter()
        while 200 in (found := await self.seen_by(browser)):
            assert time.perf_counter() - answered < WITHIN, found
        await until(lambda: self.is_led_to_the_door(browser))

    async def is_led_to_the_door(self, browser: Browser) -> bool:
        return set(await self.seen_by(browser)) == {303}


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    async with portal.up() as here, AsyncExitStack() as stack:
        yield await _two(here, stack)


async def _two(here: Portal, stack: AsyncExitStack) -> Two:
    urls = [await stack.enter_async_context(replicas.another(here.here, p)) for p in REPLICATED]
    (patient,) = await here.registered([Someone(number=0)])
    return Two(stack, (here.here.url, urls[-1]), patient)


async def test_a_log_out_and_a_new_password_end_sessions_everywhere(two: Two) -> None:
    for number in range(TIMES):
        here, there = number % 2, (number + 1) % 2
        mine = await two.logged_in(here)
        same = await two.elsewhere(mine, there)
        assert await two.seen_by(same) == [200, 200]
        hidden = await mine.hidden("/account")
        assert (await mine.ask("POST", "/logout", hidden))[0] == 303
        await two.is_out_within_a_second(same)

        mine, other = await two.logged_in(here), await two.logged_in(there)
        assert await two.seen_by(other) == [200, 200]
        hidden, new = await mine.hidden("/account"), f"Quiet-Meadow-{number}7"
        typed = {"current_password": two.password, "password": new, "confirm_password": new}
        assert (await mine.ask("POST", "/account/password", hidden | typed))[0] == 303
        await two.is_out_within_a_second(other)
        assert await two.seen_by(mine) == [200, 200]
        two.password = new
