"""One moment of the databases and the streams together.

A change and the event that tells of it are written in one transaction; later, the relay carries the
event to its stream and forgets it. For a moment in which both fit, nobody may announce anything,
and nothing may be forgotten: so we hold every outbox still, see where each stream ends, and let the
databases' snapshot begin. What was carried by then is in its stream before that end; what was not
is in its outbox. What comes into a stream after that end tells of what the snapshot does not have,
or is in its outbox too.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg
from nats.js import JetStreamContext

from deploy import databases
from deploy.databases import Connections, Databases
from deploy.problem import Problem, SaidNo
from libs.contracts import registry

HELD_WITHIN = 5
"""Seconds for those who are announcing something to end; new ones wait behind us as long."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What may be read as it was then, for as long as this is open."""

    dbs: Connections
    """Each in a transaction that reads only."""
    ends: Mapping[str, int]
    """By service: the last event in its stream, by its sequence number."""


@asynccontextmanager
async def moment(there: Databases, jetstream: JetStreamContext) -> AsyncIterator[Moment]:
    """Now. Nobody waits for longer than it takes to look at five streams."""
    async with databases.opened(there) as dbs, databases.opened(there) as holding:
        for db, services in databases.together(dbs):
            await _sees_everything(db, services)
        async with AsyncExitStack() as held:
            for db, services in databases.together(holding):
                await held.enter_async_context(db.transaction())
                await _hold_outboxes(db, services)
            ends = {
                service: (await jetstream.stream_info(service)).state.last_seq
                for service in registry.services()
            }
            for db, _ in databases.together(dbs):
                await db.transaction(isolation="repeatable_read", readonly=True).start()
                await db.execute("SELECT")  # the snapshot is taken with the first statement
        yield Moment(dbs=dbs, ends=ends)


async def _sees_everything(db: asyncpg.Connection, services: Sequence[str]) -> None:
    for service in services:
        if not await db.fetchval("SELECT to_regclass($1)", f"{service}.outbox"):
            raise Problem(f"The tables of {service} are not here: run `carespace migrate` first.")
    await databases.assure_sees_everything(db)


async def _hold_outboxes(holding: asyncpg.Connection, services: Sequence[str]) -> None:
    outboxes = ", ".join(f"{service}.outbox" for service in services)
    try:
        await holding.execute(f"SET LOCAL lock_timeout = '{HELD_WITHIN}s'")
        await holding.execute(f"LOCK TABLE {outboxes} IN SHARE MODE")
    except asyncpg.LockNotAvailableError:
        raise SaidNo(
            f"Something has been under way for more than {HELD_WITHIN} s: try again."
        ) from None
