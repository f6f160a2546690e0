"""The worker that reads what was sent: it leases imports from Postgres, and sweeps what is left.

Any replica may take up what another one has begun, once that has not been heard of for a while.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import timedelta
from uuid import UUID

import asyncpg
import structlog
from aiohttp import web
from uuid_utils.compat import uuid7

from libs.runtime import background, wake
from libs.runtime.broker import BROKER, Unavailable
from libs.runtime.clock import utcnow
from libs.runtime.database import POOL, Connection, Pool, transaction
from libs.runtime.keyring import KeyRing
from libs.runtime.logs import describe
from libs.vault import contents
from services.records.domain.importing import LEASE, MOST_TRIES, Job
from services.records.exporting import making
from services.records.importing.reading import Reading
from services.records.importing.zones import Zones
from services.records.reading.apart import Readers
from services.records.store import reading as store
from services.records.store import uploads
from services.records.store.reading import LeaseLost

LINES = 2
"""Files that a replica reads at the same time."""
AGAIN = timedelta(seconds=5)
"""Before a reading that failed is begun anew, for each time that it did."""
SWEEP = timedelta(hours=1)
BELL = "import"

log = structlog.get_logger()


async def ring(db: Connection) -> None:
    """Tell every worker, on commit, that there is something to read."""
    await wake.ring(db, BELL)


def working(
    database_url: str, key_ring: KeyRing, readers: Readers
) -> Callable[[web.Application], AbstractAsyncContextManager[None]]:
    """What is sent is read for as long as the application runs; what it stops in goes on later."""

    @asynccontextmanager
    async def context(app: web.Application) -> AsyncIterator[None]:
        async with wake.listening(database_url, schema="records", bell=BELL) as bell:
            worker = Worker(app[POOL], key_ring, readers, Zones(app[BROKER]), bell)
            tasks = [asyncio.create_task(worker.read_imports()) for _ in range(LINES)]
            tasks += [
                asyncio.create_task(worker.keep_leases()),
                asyncio.create_task(worker.sweep()),
            ]
            yield
            await background.end(*tasks)
            await worker.hand_back()

    return context


class Worker:
    """One replica's readings under way."""

    def __init__(
        self, pool: Pool, key_ring: KeyRing, readers: Readers, zones: Zones, bell: wake.Bell
    ) -> None:
        self._pool = pool
        self._ring = key_ring
        self._readers = readers
        self._zones = zones
        self._bell = bell
        self._in_hand: dict[UUID, Job] = {}

    async def read_imports(self) -> None:
        """Lease, read, wait. Whatever fails, the file stays due and we go on."""
        while True:
            try:
                if job := await self._lease():
                    await self._read(job)
                    continue
            except Exception as error:  # noqa: BLE001  (the lease runs out and it is due again)
                log.warning("an import has to wait", **describe(error))
            await self._bell.wait()

    async def keep_leases(self) -> None:
        """Say that we are still at it, well before anyone would think otherwise."""
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 4)
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                async with transaction(self._pool, worker="import") as db:
                    await store.keep_leases(db, list(self._in_hand), now=utcnow())

    async def sweep(self) -> None:
        """Forget what was begun and never used, and files that have lasted long enough."""
        while True:
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await sweep(self._pool)
                await making.sweep(self._pool, self._ring, now=utcnow())
            await asyncio.sleep(SWEEP.total_seconds())

    async def hand_back(self) -> None:
        """What we had in hand is due at once, for another replica."""
        for job in list(self._in_hand.values()):
            await self._put_back(job, timedelta(), uncounted=True)

    async def _lease(self) -> Job | None:
        async with transaction(self._pool, worker="import") as db:
            return await store.lease_import(db, lease=uuid7(), now=utcnow())

    async def _read(self, job: Job) -> None:
        self._in_hand[job.lease] = job
        reading = Reading(job, self._pool, self._ring, self._readers, self._zones)
        try:
            if job.tries > MOST_TRIES:
                await reading.give_up()
            else:
                await reading.carry_out()
        except LeaseLost:
            log.info("an import is in other hands", import_id=str(job.id))
        except Unavailable as error:
            log.info("an import has to wait", import_id=str(job.id), **describe(error))
            await self._put_back(job, AGAIN, uncounted=True)
        except Exception as error:  # noqa: BLE001  (it is tried again, and then given up)
            log.warning("an import failed", import_id=str(job.id), **describe(error))
            await self._put_back(job, AGAIN * job.tries, uncounted=False)
        del self._in_hand[job.lease]  # not if we are told to stop: then it is handed back

    async def _put_back(self, job: Job, pause: timedelta, *, uncounted: bool) -> None:
        """Due again after a pause; without Postgres, once the lease has run out."""
        with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            async with transaction(self._pool, practice=job.practice_id) as db:
                await store.put_back(db, job, again_at=utcnow() + pause, uncounted=uncounted)


async def sweep(pool: Pool) -> int:
    """Forget uploads that are too old, with what came in of them; how many there were."""
    async with transaction(pool, worker="uploads") as db:
        old = await uploads.list_old_uploads(db, now=utcnow())
    for practice_id, upload_id in old:
        async with transaction(pool, practice=practice_id) as db:
            gone = await uploads.remove_upload(db, practice_id, upload_id)
            if gone and gone.became_id is None:
                await contents.remove_content(db, practice_id, [upload_id])
    return len(old)
