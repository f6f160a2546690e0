"""When a gateway that comes up lets people in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

import gateway.app
from gateway.config import Config
from libs.runtime import lifeline
from tests import proxy
from tests.proxy import Proxy
from tests.servers import Servers

SOON = 0.5


@asynccontextmanager
async def nats_away(servers: Servers) -> AsyncIterator[tuple[Proxy, TestServer]]:
    """A line that NATS does not answer on yet, and a gateway that is to come up on it."""
    port = urlsplit(servers.nats_url).port
    assert port
    async with proxy.between(port) as line:
        line.refusing = True
        config = Config(
            nats_url=f"nats://127.0.0.1:{line.port}",
            nats_credentials=servers.credentials("gateway"),
            public_url="https://portal.example.com",
        )
        server = TestServer(gateway.app.build(config))
        try:
            yield line, server
        finally:
            await server.close()


async def test_nobody_is_let_in_before_nats_carries(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.app, "CARRIED_WITHIN", 60)
    async with nats_away(servers) as (line, server):
        coming_up = asyncio.create_task(server.start_server())
        await asyncio.sleep(SOON)
        assert not coming_up.done()
        line.mend()
        await coming_up
        assert server.app[lifeline.LINE].ready


async def test_where_nats_stays_away_the_pages_say_so(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.app, "CARRIED_WITHIN", SOON)
    async with nats_away(servers) as (_, server), aiohttp.ClientSession() as browser:
        await server.start_server()
        cookie = {"__Host-session": "a" * 43}
        async with browser.get(server.make_url("/account"), cookies=cookie) as answer:
            assert answer.status == 503
            assert answer.headers["Retry-After"]
            assert "<h1" in await answer.text()
