"""Pages stay live over two gateways and two replicas of messaging, whichever of them ends."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import pytest

from bench import portal, replicas
from bench.charts import Someone
from bench.clicks import OpenPage, opened_at
from bench.portal import Patient, Portal
from deploy.demo.browser import Browser

BACK_WITHIN = 30
VICTIMS = ("messaging", "nats", "gateway")


@pytest.fixture
async def here() -> AsyncIterator[Portal]:
    async with portal.up() as made, replicas.another(made.here, "messaging"):
        yield made


async def test_a_message_shows_at_every_gateway_whatever_was_killed_before(here: Portal) -> None:
    (patient,) = await here.registered([Someone(number=0)])
    cookie = await here.session(patient)
    async with here.nurse() as nurse, replicas.another(here.here, "gateway") as second:
        for count, victim in enumerate(("", *VICTIMS), start=1):
            if victim:
                os.kill(here.pid(victim), signal.SIGKILL)
            async with AsyncExitStack() as stack:
                gateways = (here.here.url, second)
                pages = [await _opened(stack, at, patient, cookie) for at in gateways]
                await _write(nurse, patient)
                await asyncio.gather(*(page.says(count) for page in pages))


async def _opened(stack: AsyncExitStack, gateway: str, patient: Patient, cookie: str) -> OpenPage:
    """At this gateway, which may have been killed just now."""
    async with asyncio.timeout(BACK_WITHIN):
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                opened = await stack.enter_async_context(opened_at(gateway, patient.id, cookie))
                if opened.there:
                    return opened
            await asyncio.sleep(0.2)


async def _write(nurse: Browser, patient: Patient) -> None:
    """The very same form again where something is away, as somebody would who presses again."""
    page = f"/staff/patients/{patient.id}/messages/new"
    typed = {"category": "health", "subject": "Infusion", "body": "Monday, 9:15.", "do": "send"}
    form: dict[str, str] = {}
    async with asyncio.timeout(BACK_WITHIN):
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                if "draft" not in form:
                    form = await nurse.hidden(page)
                status, _ = await nurse.ask("POST", page, form | typed)
                if status == 303:
                    return
            await asyncio.sleep(0.2)
