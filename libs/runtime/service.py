"""How any part of CareSpace is started as a process of its own, and how it stops.

Told to stop, it lets nobody new in, finishes what is under way, and only then leaves NATS and
Postgres: the other replicas take what comes next, and nobody is turned away.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

import uvloop
from aiohttp import hdrs, web

from libs.runtime import config, logs, metrics, tracing
from libs.runtime.health import OPEN

STOP_WITHIN = 25
"""Seconds for what is under way when the process is told to stop."""
HEARD_WITHIN = 2.0
"""Seconds for those who were let in last to say what they want."""
LET_IN_WITHIN = 0.2
"""Of these, the seconds in which the loop has them all before it, and reads what has come."""
QUEUE = 128
"""Connections that may wait to be let in."""


class Runnable(Protocol):
    """What every part's settings have in common."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def log_level(self) -> str: ...
    @property
    def otlp_endpoint(self) -> str: ...


C = TypeVar("C", bound=Runnable)


def run(name: str, settings: type[C], build: Callable[[C], web.Application]) -> None:
    """Read the settings or say which is wrong, then run until told to stop; twice hurries."""
    given = config.or_exit(settings)
    logs.configure(name, given.log_level)
    uvloop.install()
    with tracing.sent(name, given.otlp_endpoint or os.environ.get(tracing.STANDARD, "")):
        asyncio.run(_serve(build(given), given.host, given.port))


async def _serve(app: web.Application, host: str, port: int) -> None:
    app[OPEN] = asyncio.Event()
    app.on_response_prepare.append(_say_goodbye)
    app.cleanup_ctx.append(metrics.loop_watched)
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=STOP_WITHIN, handler_cancellation=False
    )
    stop = _told_to_stop()
    try:
        await runner.setup()
        await let_in(runner, app[OPEN], host, port, until=stop)
    finally:
        await runner.cleanup()


def _told_to_stop() -> asyncio.Event:
    """Set by the first signal; the second ends the process as if nobody listened for any."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    ours = (signal.SIGINT, signal.SIGTERM)

    def told() -> None:
        stop.set()
        for each in ours:
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)

    for each in ours:
        loop.add_signal_handler(each, told)
    return stop


async def let_in(
    runner: web.AppRunner, is_open: asyncio.Event, host: str, port: int, *, until: asyncio.Event
) -> None:
    """Take connections until that is set, and then whoever has come by that moment.

    The kernel says yes to a connection before we take it. Closing the socket that the loop listens
    on would reset those, so we hold it once more, empty its queue and close it in one go.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=QUEUE) as listening:
        listening.settimeout(0)
        site = web.SockSite(runner, listening.dup(), backlog=QUEUE)
        await site.start()
        is_open.set()
        await until.wait()
        is_open.clear()
        await site.stop()
        came = []
        with suppress(BlockingIOError):
            while True:
                came.append(listening.accept()[0])
        listening.close()
        for connection in came:
            connection.settimeout(0)
            await _take(runner, connection)
        await _heard(runner)


async def _heard(runner: web.AppRunner) -> None:
    """Everyone who was let in has asked for something, or has had the time to.

    Where the machine is busy, the loop or the asker is late: those who never asked are waited for.
    """
    assert runner.server is not None  # noqa: S101
    await asyncio.sleep(LET_IN_WITHIN)
    with suppress(TimeoutError):
        async with asyncio.timeout(HEARD_WITHIN - LET_IN_WITHIN):
            while _not_heard(runner.server):  # noqa: ASYNC110  (aiohttp tells nobody)
                await asyncio.sleep(0.05)


def _not_heard(server: web.Server) -> list[object]:
    """The connections on which nothing was asked for yet."""
    return [one for one in server.connections if not one._request_count]  # noqa: SLF001


async def _take(runner: web.AppRunner, connection: socket.socket) -> None:
    assert runner.server is not None  # noqa: S101
    with suppress(OSError):  # it has gone already
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(runner.server, connection)


async def _say_goodbye(request: web.Request, response: web.StreamResponse) -> None:
    """Once we stop, whoever kept a connection is told to make their next one elsewhere."""
    if not request.app[OPEN].is_set():
        response.force_close()
        response.headers[hdrs.CONNECTION] = "close"
