"""A part that is told to stop finishes what it has begun, and turns nobody away whom it let in."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

import pytest
from aiohttp import web

from deploy import waiting
from libs.runtime import service
from tests.runtime import stopping
from tests.waiting import until

ENDS_WITHIN = 20


class Part:
    """The process, and where it answers."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    async def ready(self) -> bool:
        return await asyncio.to_thread(waiting.ready, "127.0.0.1", self.port)

    async def ended(self) -> int:
        """Its exit code."""
        async with asyncio.timeout(ENDS_WITHIN):
            return await self.process.wait()


@pytest.fixture
async def part() -> AsyncIterator[Part]:
    port = waiting.free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.runtime.stopping"),
        env=dict(os.environ) | {"CARESPACE_PORT": str(port)},
    )
    made = Part(process, port)
    try:
        await until(made.ready)
        yield made
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
async def test_what_is_under_way_is_finished_and_nobody_new_is_let_in(
    part: Part, told: signal.Signals
) -> None:
    async with line(part.port) as (reader, writer):
        writer.write(asks("/health/live"))
        assert (await reader.readuntil(b"alive")).startswith(b"HTTP/1.1 200")
        writer.write(asks("/slow"))
        part.process.send_signal(told)
        await until(lambda: not waiting.answers("127.0.0.1", part.port))
        answer = await reader.read()
        assert answer.endswith(b"done")
        assert b"Connection: close" in answer
    assert await part.ended() == 0


async def test_told_twice_it_ends_at_once(part: Part) -> None:
    async with line(part.port) as (_, writer):
        writer.write(asks("/for-ever"))
        part.process.terminate()
        await until(lambda: not waiting.answers("127.0.0.1", part.port))
        part.process.terminate()
        assert await part.ended() == -signal.SIGTERM


async def test_whoever_the_kernel_has_let_in_is_answered() -> None:
    app, port, is_open = stopping.build(None), waiting.free_port(), asyncio.Event()
    runner = web.AppRunner(app)
    await runner.setup()
    stop = asyncio.Event()
    door = asyncio.create_task(service.let_in(runner, is_open, "127.0.0.1", port, until=stop))
    await until(is_open.is_set)
    with ExitStack() as stack:
        came = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in "123"]
        for connection in came:
            connection.sendall(asks("/slow"))
        stop.set()  # before the loop has looked who is there
        await door
        assert not is_open.is_set()
        assert not waiting.answers("127.0.0.1", port)
        await runner.cleanup()
        answers = [connection.makefile("rb").read() for connection in came]
    assert [answer[-4:] for answer in answers] == [b"done"] * 3


@pytest.mark.parametrize(("late", "heard"), [(1, True), (4, False)])
async def test_whoever_was_let_in_last_has_two_seconds_to_ask(
    part: Part, late: float, heard: bool
) -> None:
    async with line(part.port) as (reader, writer):
        part.process.terminate()
        await asyncio.sleep(late)
        writer.write(asks("/health/live"))
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200") is heard
    assert await part.ended() == 0


async def test_an_open_connection_that_has_asked_before_does_not_hold_it_up(part: Part) -> None:
    async with line(part.port) as (reader, writer):
        writer.write(asks("/health/live"))
        await reader.readuntil(b"alive")
        part.process.terminate()
        async with asyncio.timeout(service.HEARD_WITHIN):
            assert await part.ended() == 0


@asynccontextmanager
async def line(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


def asks(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode()
