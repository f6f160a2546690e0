"""What is looked up at the moment somebody asks for the metrics, and not before.

A figure that can't be had within a moment is left out: an old one would say that all is well.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import asyncpg
import nats.errors
from aiohttp import web
from nats.aio.client import Client
from nats.js.api import ConsumerInfo
from prometheus_client import Gauge

from libs.runtime import lifeline, metrics
from libs.runtime.database import POOL, Pool

WITHIN = 2.0
"""Seconds for all of it."""
AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, nats.errors.Error)

Reading = tuple[Gauge, tuple[str, ...], float]
"""A gauge, its labels, and its value."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """One thing to look up: which gauges it fills, and how."""

    read: Callable[[web.Application], Awaitable[list[Reading]]]
    plain: tuple[Gauge, ...] = ()
    labelled: tuple[Gauge, ...] = ()

    async def taken(self, app: web.Application) -> list[Reading] | None:
        """What was read, or None where it can't be had."""
        try:
            async with asyncio.timeout(WITHIN):
                return await self.read(app)
        except AWAY:
            return None

    def show(self, readings: list[Reading] | None) -> None:
        """The gauges say this, and nothing else."""
        for gauge in self.plain:
            gauge.set(math.nan)
        for gauge in self.labelled:
            gauge.clear()
        for gauge, labels, value in readings or []:
            (gauge.labels(*labels) if labels else gauge).set(value)


LOOKS = web.AppKey("looks", list[Look])
"""What a service looks up beside what all do."""


async def refresh(app: web.Application) -> None:
    """Every gauge of this application says how it is now.

    Nothing is awaited between showing and the end, so that whoever then reads, reads one moment.
    """
    looks = [*app[LOOKS]] if LOOKS in app else []
    if lifeline.LINE in app:
        looks += [NATS, FOLLOWERS]
    if POOL in app:
        looks += [CONNECTIONS, OUTBOX]
    taken = await asyncio.gather(*(look.taken(app) for look in looks))
    for look, readings in zip(looks, taken, strict=True):
        look.show(readings)
    if POOL in app:
        outbox = taken[looks.index(OUTBOX)]
        metrics.DEPENDENCY.labels("postgres").set(outbox is not None)


async def _nats(app: web.Application) -> list[Reading]:
    client = lifeline.connection(app[lifeline.LINE].broker)
    return [(metrics.DEPENDENCY, ("nats",), bool(client and client.is_connected))]


async def _connections(app: web.Application) -> list[Reading]:
    pool = app[POOL]
    idle = pool.get_idle_size()
    return [
        (metrics.POOL, ("idle",), idle),
        (metrics.POOL, ("in_use",), pool.get_size() - idle),
        (metrics.POOL_LIMIT, (), pool.get_max_size()),
    ]


async def _outbox(app: web.Application) -> list[Reading]:
    waiting, oldest = await count_outbox(app[POOL])
    return [(metrics.OUTBOX, (), waiting), (metrics.OUTBOX_AGE, (), oldest)]


async def count_outbox(pool: Pool) -> tuple[int, float]:
    """How many events wait to be carried, and for how many seconds the oldest has."""
    row = await pool.fetchrow(
        """
        SELECT count(*) AS waiting,
               coalesce(extract(epoch FROM now() - min(announced_at)), 0)::float8 AS oldest
          FROM outbox
        """
    )
    return (row["waiting"], max(0.0, row["oldest"])) if row else (0, 0.0)


async def _followers(app: web.Application) -> list[Reading]:
    line = app[lifeline.LINE]
    client = lifeline.connection(line.broker)
    if client is None or not client.is_connected:
        raise ConnectionError
    found = await asyncio.gather(
        *(_follower(client, *names) for names in lifeline.followed(line.broker))
    )
    return [reading for readings in found for reading in readings]


async def _follower(client: Client, stream: str, consumer: str) -> list[Reading]:
    info = await client.jetstream(timeout=WITHIN).consumer_info(stream, consumer)
    names = (stream, consumer)
    done_up_to = info.ack_floor.stream_seq if info.ack_floor else 0
    return [
        (metrics.PENDING, names, info.num_pending or 0),
        (metrics.UNACKED, names, info.num_ack_pending or 0),
        (metrics.REDELIVERED, names, info.num_redelivered or 0),
        (metrics.OLDEST_UNACKED, names, metrics.UNDONE.oldest(names, done_up_to=done_up_to)),
        (metrics.STANDING, names, _standing(names, info)),
    ]


_BUSY_SINCE: dict[tuple[str, str], float] = {}
"""Since when each follower was seen with something to do."""


def _standing(names: tuple[str, str], info: ConsumerInfo) -> float:
    """Since it last finished something, or since there was something to finish."""
    if not (info.num_pending or info.num_ack_pending):
        _BUSY_SINCE.pop(names, None)
        return 0.0
    now = time.time()
    last = info.ack_floor.last_active if info.ack_floor else None
    busy_since = _BUSY_SINCE.setdefault(names, now)
    return max(0.0, now - max(busy_since, last.timestamp() if last else 0.0))


NATS = Look(read=_nats, labelled=(metrics.DEPENDENCY,))
CONNECTIONS = Look(read=_connections, plain=(metrics.POOL_LIMIT,), labelled=(metrics.POOL,))
OUTBOX = Look(read=_outbox, plain=(metrics.OUTBOX, metrics.OUTBOX_AGE))
FOLLOWERS = Look(
    read=_followers,
    labelled=(
        metrics.PENDING,
        metrics.UNACKED,
        metrics.REDELIVERED,
        metrics.OLDEST_UNACKED,
        metrics.STANDING,
    ),
)
