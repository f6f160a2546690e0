"""Work that waits in a table is taken up at once: whoever commits some rings, workers wake.

A ring that is missed costs one `LOOK`, so it carries no promise and nothing but itself.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import structlog

from libs.runtime import background, failover
from libs.runtime.database import Connection
from libs.runtime.logs import describe

LOOK = 2.0
"""Seconds between looks at the table where nobody rang."""

SOUND = 10.0
"""Seconds between two questions whether the bell's own line still leads to who takes writes."""

log = structlog.get_logger()


async def ring(db: Connection, bell: str) -> None:
    """Wake this service's workers of that name as the transaction commits."""
    await db.execute("SELECT pg_notify($1 || '_' || current_schema, '')", bell)


class Bell:
    """What a worker waits for between two looks."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def strike(self) -> None:
        self._rung.set()

    async def wait(self) -> None:
        """Until somebody rings, or it is time to look anyway."""
        await background.happens(self._rung, within=LOOK)
        self._rung.clear()


@asynccontextmanager
async def listening(database_url: str, *, schema: str, bell: str) -> AsyncIterator[Bell]:
    """A bell that hears every ring, over lost connections too."""
    heard = Bell()
    task = asyncio.create_task(_listen(database_url, f"{bell}_{schema}", heard))
    try:
        yield heard
    finally:
        await background.end(task)


async def _listen(database_url: str, channel: str, heard: Bell) -> None:
    hosts = failover.Hosts(database_url)
    while True:
        try:
            db = await hosts.connect(command_timeout=failover.COMMAND_WITHIN)
            lost = asyncio.Event()
            db.add_termination_listener(lambda _, lost=lost: lost.set())
            try:
                await db.add_listener(channel, lambda *_: heard.strike())
                heard.strike()
                while not await background.happens(lost, within=SOUND):
                    await db.execute("SELECT")
                    failover.assure_writable(db)
            finally:
                db.terminate()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("can't hear who rings; looking now and then", **describe(error))
        await asyncio.sleep(1)
