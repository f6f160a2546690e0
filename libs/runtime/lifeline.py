"""The connection to NATS, watched: kept for as long as the service runs, and let go in order.

What nats-py and FastStream do not notice or recover from by themselves is noticed here: a
reconnect that hangs, one that was refused, a client closed for good. The last resort is to end
the process, for whatever supervises it to start anew.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import nats.errors
import structlog
from aiohttp import web
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.errors import NotFoundError

from libs.contracts.base import Event
from libs.runtime import background
from libs.runtime.logs import describe

STUCK = 15
"""Seconds without a connection after which a hanging socket is torn down."""
LOST = 60
"""Seconds without a connection, though the server can be reached, after which we start anew."""
BEGUN_WITHIN = 10
"""Seconds in which what was taken from NATS is begun before we stop."""
LATE = 0.5
"""Seconds in which a request is still taken that the server had chosen us for: on a machine that is
busy, it may come later than the answer that no more will come."""
HANDS = 50
"""Turns of the loop after which nothing is on its way from one task to the next: it takes five."""
SOFTWARE_FAILURE = 70
"""Exit code (sysexits.h EX_SOFTWARE)."""

E = TypeVar("E", bound=Event)
log = structlog.get_logger()


class Line:
    """Whether this replica can answer, and since when it can't."""

    def __init__(self, broker: NatsBroker, service: str) -> None:
        self.broker = broker
        self.service = service
        self.ready = False
        self.away_since: float | None = time.monotonic()
        self._listening: list[tuple[type[Event], Callable[[Any], None]]] = []

    def listen(self, event: type[E], hear: Callable[[E], None]) -> None:
        """Hear an event at once, from when we are connected: by a plain subscription."""
        self._listening.append((event, hear))

    async def take_up(self, client: Client) -> None:
        """Subscribe to what is to be heard; nats-py renews that as it reconnects."""
        for event, hear in self._listening:
            await client.subscribe(event.subject, cb=_heard(event, hear))

    async def try_out(self) -> None:
        """Ask ourselves through the server, and find the consumers that we follow with."""
        client = connection(self.broker)
        if client is None or not client.is_connected:
            raise ConnectionError
        subject = f"request.{self.service}.ping.{client.client_id}"

        async def answer(message: Msg) -> None:
            await message.respond(b"pong")

        heard = await client.subscribe(subject, cb=answer)
        try:
            await client.request(subject, b"ping", timeout=2)
        finally:
            await heard.unsubscribe()
        for stream, consumer in followed(self.broker):
            await client.jetstream().consumer_info(stream, consumer)


LINE = web.AppKey("line", Line)


def connection(broker: NatsBroker) -> Client | None:
    """The client under the broker, or None before it has connected for the first time."""
    state: Any = broker.config.connection_state
    client: Client | None = state._connection  # noqa: SLF001
    return client


def followed(broker: NatsBroker) -> list[tuple[str, str]]:
    """Stream and durable consumer of each event that the broker's handlers follow."""
    subscribers: list[Any] = list(broker.subscribers)
    return [
        (subscriber.stream.name, subscriber.config.durable_name)
        for subscriber in subscribers
        if getattr(subscriber, "stream", None)
    ]


def leave() -> None:
    """The end of the process, at once: whoever watches over it starts it anew."""
    os._exit(SOFTWARE_FAILURE)


async def end() -> None:
    """The client is closed for good, and nothing but a new process opens it again."""
    log.error("the connection to NATS is closed for good; ending to start anew")
    leave()


@asynccontextmanager
async def kept(broker: NatsBroker, service: str) -> AsyncIterator[Line]:
    """The broker runs in the background, watched; on the way out it drains and then stops."""
    line = Line(broker, service)
    watcher = asyncio.create_task(_keep(line))
    try:
        yield line
    finally:
        line.ready = False
        await background.end(watcher)
        await _let_go(broker)


async def _keep(line: Line) -> None:
    try:
        await _begin(line.broker)
    except Exception as error:  # noqa: BLE001  (nothing can be done without it)
        log.error("could not begin with NATS; ending to start anew", **describe(error))
        leave()
    client = connection(line.broker)
    assert client is not None  # noqa: S101
    await line.take_up(client)
    client._error_cb = _note  # noqa: SLF001  (FastStream's own raises, and so ends reconnecting)
    while True:
        await _look(line, client)
        await asyncio.sleep(1)


async def _begin(broker: NatsBroker) -> None:
    """The first connection; nats-py waits for ever on a line whose handshake failed."""
    while True:
        begun = asyncio.create_task(broker.start())
        try:
            while not begun.done():
                await asyncio.wait([begun], timeout=STUCK)
                if connection(broker) is None and not begun.done():
                    await background.end(begun)
            if not begun.cancelled():
                return begun.result()
        finally:
            await background.end(begun)


async def _look(line: Line, client: Client) -> None:
    now = time.monotonic()
    if client.is_connected:
        line.away_since = None
        if not line.ready:
            line.ready = await _tried_out(line)
        return
    line.ready = False
    line.away_since = line.away_since or now
    away = now - line.away_since
    if away > LOST and await _reachable(client):
        log.error("NATS is there and we are not connected; ending to start anew")
        leave()
    if away > STUCK:
        writer = getattr(client._transport, "_io_writer", None)  # noqa: SLF001
        if writer is not None:
            writer.transport.abort()


async def _tried_out(line: Line) -> bool:
    try:
        await line.try_out()
    except NotFoundError:
        log.error("a stream or consumer is missing; run `carespace migrate`")
    except (nats.errors.Error, OSError) as error:
        log.warning("not ready yet", **describe(error))
    else:
        log.info("ready")
        return True
    return False


async def _reachable(client: Client) -> bool:
    for server in client.servers:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(2):
                _, writer = await asyncio.open_connection(server.hostname, server.port)
            writer.close()
            return True
    return False


async def _let_go(broker: NatsBroker) -> None:
    """First no new requests, then the ones under way, then the connection."""
    client = connection(broker)
    if client is None:
        return
    client._closed_cb = None  # noqa: SLF001  (from here on, closing is what we want)
    subscribers: list[Any] = list(broker.subscribers)
    held = [each.subscription for each in subscribers if hasattr(each.subscription, "drain")]
    # All at once: each asks the server, and one after the other would be a long goodbye.
    await asyncio.gather(*(_no_more(client, each) for each in held))
    await asyncio.sleep(LATE)
    await asyncio.gather(*map(_drained, subscribers))
    with suppress(TimeoutError):
        async with asyncio.timeout(BEGUN_WITHIN):
            await _begun(subscribers)
    with suppress(nats.errors.Error, OSError, TimeoutError):
        await broker.stop()


async def _no_more(client: Client, subscription: Subscription) -> None:
    """The server gives it nothing new; what comes all the same is still taken."""
    with suppress(nats.errors.Error, OSError, TimeoutError):
        await client._send_unsubscribe(subscription._id)  # noqa: SLF001
        await client.flush()


async def _drained(subscriber: Any) -> None:
    subscription = subscriber.subscription
    if hasattr(subscription, "drain"):
        subscriber.subscription = None
        with suppress(nats.errors.Error, OSError, TimeoutError):
            await subscription.drain()


async def _begun(subscribers: list[Any]) -> None:
    """Whatever was taken from NATS is being worked on; FastStream drops the rest as it stops.

    A request goes from hand to hand before that, one turn of the loop each. Turns are counted, for
    where the processors are others', no pause is long enough.
    """
    quiet = 0
    while quiet < HANDS:
        waiting = any(map(_waiting, subscribers))
        quiet = 0 if waiting else quiet + 1
        await asyncio.sleep(0.005 if waiting else 0)


def _waiting(subscriber: Any) -> int:
    """Requests that were taken from NATS and that no worker has begun."""
    queue = getattr(subscriber, "receive_stream", None)
    if queue is None:
        return 0
    return int(
        queue.statistics().current_buffer_used + subscriber.limiter.statistics().tasks_waiting
    )


def _heard(event: type[E], hear: Callable[[E], None]) -> Callable[[Msg], Awaitable[None]]:
    async def callback(message: Msg) -> None:
        hear(event.model_validate_json(message.data))

    return callback


async def _note(error: Exception) -> None:
    # What the server itself says names subjects, and those name nobody.
    said = {"said": str(error)} if type(error) is nats.errors.Error else {}
    log.warning("NATS reported", **said, **describe(error))
