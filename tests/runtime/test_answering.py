"""How a service answers: always, many at a time, in time, and without gossip."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from faststream.nats import NatsBroker, NatsRouter

from libs.contracts.base import Refused
from libs.contracts.messaging.queue import CountWaiting, Waiting
from libs.runtime import broker, lifeline, logs
from libs.runtime.broker import EXPIRES, Unavailable, answers, ask
from tests import parts
from tests.servers import Servers
from tests.waiting import until

CANARY = "canary-7f3a"


class Queues:
    """A stand-in for messaging that does what the visa says."""

    def __init__(self) -> None:
        self.router = NatsRouter()
        self.heard: list[str] = []
        self.ended: list[str] = []
        answers(self.router, CountWaiting)(self.show)

    async def show(self, asked: CountWaiting) -> Waiting:
        self.heard.append(asked.visa)
        match asked.visa.split(" "):
            case ["refuse"]:
                raise Refused("no_mailbox")
            case ["fail", words]:
                raise RuntimeError(words)
            case ["wait", seconds]:
                await asyncio.sleep(float(seconds))
            case _:
                pass
        self.ended.append(asked.visa)
        return Waiting(unclaimed=0, late=0, mine=0, open=0)


def app(servers: Servers, queues: Queues) -> web.Application:
    made = web.Application()
    made.cleanup_ctx.append(
        broker.connected(
            "messaging", servers.nats_url, servers.credentials("messaging"), queues.router
        )
    )
    return made


@asynccontextmanager
async def asking(servers: Servers) -> AsyncIterator[tuple[NatsBroker, Queues]]:
    queues = Queues()
    async with parts.running(app(servers, queues)), parts.asking(servers) as gateway:
        yield gateway, queues


async def test_a_refusal_and_a_failure_are_answers_too(servers: Servers) -> None:
    async with asking(servers) as (gateway, _):
        began = time.monotonic()
        with pytest.raises(Refused, match="no_mailbox"):
            await ask(gateway, CountWaiting(visa="refuse"))
        with pytest.raises(Unavailable):
            await ask(gateway, CountWaiting(visa="fail x"))
        assert time.monotonic() - began < 1


@pytest.mark.parametrize("body", [b"not json", b"[]", b'{"visa": {"a": 1}}', b"\xff\xfe", b""])
async def test_what_does_not_fit_is_answered_at_once(servers: Servers, body: bytes) -> None:
    async with asking(servers) as (gateway, queues):
        client = lifeline.connection(gateway)
        assert client
        answer = await client.request(CountWaiting.subject, body, timeout=1)
        assert (answer.headers or {})[broker.FAILED] == "invalid"
        assert queues.heard == []


async def test_nobody_there_is_said_at_once(servers: Servers) -> None:
    async with parts.asking(servers) as gateway:
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await ask(gateway, CountWaiting(visa="x"))
        assert time.monotonic() - began < 1


async def test_many_are_answered_at_the_same_time(servers: Servers) -> None:
    async with asking(servers) as (gateway, _):
        began = time.monotonic()
        await asyncio.gather(*(ask(gateway, CountWaiting(visa="wait 0.3")) for _ in range(30)))
        assert time.monotonic() - began < 4


async def test_work_nobody_waits_for_any_more_is_given_up(servers: Servers) -> None:
    async with asking(servers) as (gateway, queues):
        with pytest.raises(Unavailable):
            await ask(gateway, CountWaiting(visa="wait 1"), within=0.3)
        await asyncio.sleep(1)
        assert queues.heard == ["wait 1"]
        assert queues.ended == []


async def test_a_request_that_comes_too_late_is_not_begun(servers: Servers) -> None:
    async with asking(servers) as (gateway, queues):
        client = lifeline.connection(gateway)
        assert client
        answer = await client.request(
            CountWaiting.subject,
            CountWaiting(visa="x").model_dump_json().encode(),
            headers={broker.DEADLINE: f"{time.time() - 1:.3f}"},
            timeout=1,
        )
        assert (answer.headers or {}).get(broker.FAILED) == "late"
        assert queues.ended == []


async def test_what_is_asked_on_the_way_inherits_the_deadline(servers: Servers) -> None:
    async with asking(servers) as (gateway, _):
        EXPIRES.set(time.time() + 0.2)
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await ask(gateway, CountWaiting(visa="wait 2"), within=5)
        assert time.monotonic() - began < 1.5


def _ready(server: TestServer) -> bool:
    return bool(server.app[lifeline.LINE].ready)


async def test_a_replica_that_stops_loses_no_request(servers: Servers) -> None:
    staying, leaving = Queues(), Queues()
    failed: list[BaseException] = []
    stop, asked = asyncio.Event(), 0

    async def keep_asking(gateway: NatsBroker) -> None:
        nonlocal asked
        while not stop.is_set():
            try:
                await ask(gateway, CountWaiting(visa="wait 0.02"))
            except Unavailable as error:
                failed.append(error)
            asked += 1

    async def fifty_more() -> None:
        enough = asked + 50
        await until(lambda: asked > enough)

    async with parts.running(app(servers, staying)), parts.asking(servers) as gateway:
        for _ in range(3):
            leaving = Queues()
            other = TestServer(app(servers, leaving))
            await other.start_server()
            await until(partial(_ready, other))
            stop.clear()
            askers = [asyncio.create_task(keep_asking(gateway)) for _ in range(10)]
            await fifty_more()
            await other.close()
            await fifty_more()
            stop.set()
            await asyncio.gather(*askers)
            assert leaving.ended
    assert failed == []


async def test_a_log_tells_the_kind_of_a_failure_and_nothing_of_its_message(
    servers: Servers, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure("messaging", "DEBUG")
    async with asking(servers) as (gateway, _):
        client = lifeline.connection(gateway)
        assert client
        with pytest.raises(Unavailable):
            await ask(gateway, CountWaiting(visa=f"fail {CANARY}"))
        for body in (f'{{"visa": 1, "x": "{CANARY}"}}', CANARY):
            await client.request(CountWaiting.subject, body.encode(), timeout=1)
    written = capfd.readouterr().err
    lines: list[dict[str, Any]] = [json.loads(line) for line in written.splitlines()]
    assert any(line.get("error") == "RuntimeError" for line in lines)
    assert CANARY not in written


async def test_a_request_id_follows_a_request(
    servers: Servers, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure("messaging")
    request_id = uuid4().hex
    async with asking(servers) as (gateway, _):
        logs.REQUEST_ID.set(request_id)
        with pytest.raises(Unavailable):
            await ask(gateway, CountWaiting(visa="fail x"))
    assert any(
        json.loads(line).get("request_id") == request_id
        for line in capfd.readouterr().err.splitlines()
    )
    assert UUID(request_id)
