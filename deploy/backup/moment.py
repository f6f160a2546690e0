"""One moment of the databases and the streams together.

A change and the event that tells of it are written in one transaction; later, the relay carries the
event to its stream and forgets it. For a moment in which both fit, nobody may announce anything,
and nothing may be forgotten: so we hold every outbox still, see where each stream ends, and let the
databases' snapshot begin. What was carried by then is in its stream before that end; what was not
is in its outbox. What comes into a stream after that end tells of what the snapshot does not have,
or is in its outbox too.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from nats.js import JetStreamContext

from deploy.migrate import connected
from deploy.problem import Problem, SaidNo
from libs.contracts import registry

HELD_WITHIN = 5
"""Seconds for those who are announcing something to end; new ones wait behind us as long."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What may be read as it was then, for as long as this is open."""

    db: asyncpg.Connection
    """In a transaction that reads only."""
    ends: Mapping[str, int]
    """By service: the last event in its stream, by its sequence number."""


@asynccontextmanager
async def moment(url: str, jetstream: JetStreamContext) -> AsyncIterator[Moment]:
    """Now. Nobody waits for longer than it takes to look at five streams."""
    db, holding = await connected(url), await connected(url)
    try:
        await _sees_everything(db)
        reading = db.transaction(isolation="repeatable_read", readonly=True)
        async with holding.transaction():
            await _hold_outboxes(holding)
            ends = {
                service: (await jetstream.stream_info(service)).state.last_seq
                for service in registry.services()
            }
            await reading.start()
            await db.execute("SELECT")  # the snapshot is taken with the first statement
        yield Moment(db=db, ends=ends)
        await reading.rollback()
    finally:
        for connection in (holding, db):
            connection.terminate()


async def _sees_everything(db: asyncpg.Connection) -> None:
    for service in registry.services():
        if not await db.fetchval("SELECT to_regclass($1)", f"{service}.outbox"):
            raise Problem(f"The tables of {service} are not here: run `carespace migrate` first.")
    if await db.fetchval("SELECT row_security_active('records.activity')"):
        raise Problem(
            "CARESPACE_DATABASE_URL names a role that sees one practice at a time: "
            "name an administrator."
        )


async def _hold_outboxes(holding: asyncpg.Connection) -> None:
    outboxes = ", ".join(f"{service}.outbox" for service in registry.services())
    try:
        await holding.execute(f"SET LOCAL lock_timeout = '{HELD_WITHIN}s'")
        await holding.execute(f"LOCK TABLE {outboxes} IN SHARE MODE")
    except asyncpg.LockNotAvailableError:
        raise SaidNo(
            f"Something has been under way for more than {HELD_WITHIN} s: try again."
        ) from None
