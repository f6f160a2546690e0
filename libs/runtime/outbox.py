"""Announce an event in the transaction that made it true; a relay carries it to NATS after.

One relay per service carries at a time, so that two replicas never change the order: it holds an
advisory lock on a connection of its own, and whoever loses that connection loses the lock.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
import structlog
from aiohttp import web

from libs.contracts.base import Event
from libs.runtime import background, failover, lifeline, tracing
from libs.runtime.broker import BROKER, REQUEST_ID_HEADER
from libs.runtime.database import Connection
from libs.runtime.logs import REQUEST_ID, describe

BATCH = 100
PUBLISH_WITHIN = 10
"""Seconds; a leader election of a cluster takes up to 9."""
SWEEP = 3600
"""Seconds between sweeps of what the inbox and the answered forms no longer need."""

log = structlog.get_logger()


async def announce(db: Connection, *events: Event) -> None:
    """Write events down beside the change they tell of, and wake the relay on commit.

    With them goes which request they came from, for logs and traces.
    """
    came_from = (REQUEST_ID.get(), tracing.carried().get(tracing.HEADER, ""))
    await db.executemany(
        """
        INSERT INTO outbox (id, subject, body, request_id, traceparent)
        VALUES ($1, $2, $3, $4, $5)
        """,
        [(event.id, event.subject, event.model_dump_json(), *came_from) for event in events],
    )
    await db.execute("SELECT pg_notify('outbox_' || current_schema, '')")


def relayed(
    service: str, database_url: str, *, key: str = ""
) -> Callable[[web.Application], AbstractAsyncContextManager[None]]:
    """The application's events reach its stream for as long as it runs.

    `key` is its newest master key. Its connection says so, for whoever puts data under a newer one.
    """
    name = f"{service} relay {key}".strip()

    @asynccontextmanager
    async def context(app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(_relay(app, service, database_url, name))
        yield
        await background.end(task)

    return context


async def _relay(app: web.Application, service: str, database_url: str, name: str) -> None:
    hosts = failover.Hosts(database_url)
    while True:
        try:
            db = await hosts.connect(
                command_timeout=failover.COMMAND_WITHIN,
                server_settings={"search_path": service, "application_name": name},
            )
            try:
                await _hold(app, service, db)
            finally:
                db.terminate()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("the outbox has to wait for Postgres", **describe(error))
        await asyncio.sleep(1)


async def _hold(app: web.Application, service: str, db: asyncpg.Connection) -> None:
    """Wait for our turn, then carry until this connection is lost."""
    woken = asyncio.Event()
    await db.add_listener(f"outbox_{service}", lambda *_: woken.set())
    lock = "SELECT pg_try_advisory_lock(hashtext('outbox ' || $1))"
    while not await db.fetchval(lock, service):  # noqa: ASYNC110  (Postgres's lock, not ours)
        await asyncio.sleep(1)
    swept = 0.0
    while True:
        woken.clear()
        failover.assure_writable(db)
        if await _carry(app, service, db) == BATCH:
            continue
        if (now := asyncio.get_running_loop().time()) > swept + SWEEP:
            await _sweep(db)
            swept = now
        await background.happens(woken, within=2)


async def _carry(app: web.Application, stream: str, db: asyncpg.Connection) -> int:
    """Publish what is waiting, oldest first, and forget what NATS says it has.

    A crash between the two repeats; by its message id, NATS drops the repeat.
    """
    waiting = await db.fetch(
        """
        SELECT position, id, subject, body, request_id, traceparent
          FROM outbox
         ORDER BY position
         LIMIT $1
        """,
        BATCH,
    )
    client = lifeline.connection(app[BROKER])
    carried = []
    if waiting and client and client.is_connected:
        jetstream = client.jetstream()
        for row in waiting:
            try:
                await jetstream.publish(
                    row["subject"],
                    row["body"].encode(),
                    timeout=PUBLISH_WITHIN,
                    stream=stream,
                    headers=_headers(row),
                )
            except Exception as error:  # noqa: BLE001  (whatever it was, the event stays)
                log.warning("the outbox has to wait for NATS", **describe(error))
                break
            carried.append(row["position"])
        await db.execute("DELETE FROM outbox WHERE position = ANY($1)", carried)
    return len(carried)


def _headers(row: asyncpg.Record) -> dict[str, str]:
    """What tells a repeat apart, and where the event came from."""
    headers = {"Nats-Msg-Id": str(row["id"])}
    if row["request_id"]:
        headers[REQUEST_ID_HEADER] = row["request_id"]
    if row["traceparent"]:
        headers[tracing.HEADER] = row["traceparent"]
    return headers


async def _sweep(db: asyncpg.Connection) -> None:
    """An event can come again for as long as its stream keeps it, and a week to spare."""
    await db.execute("DELETE FROM inbox WHERE heard_at < now() - interval '21 days'")
    await db.execute("DELETE FROM answered WHERE answered_at < now() - interval '7 days'")
