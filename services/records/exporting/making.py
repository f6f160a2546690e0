"""Files that are being made in this replica, each by a task of its own.

If the replica goes, nobody hears of them any more; whoever waits is told that it failed, and asks
again. What was made of it is swept away.
"""

import asyncio
import itertools
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

import asyncpg
import structlog

from libs.contracts.identity.practices import Practice
from libs.contracts.messaging.mailbox import Letter
from libs.contracts.records.exports import ExportState, Selection
from libs.runtime.clock import utcnow
from libs.runtime.context import Context
from libs.runtime.database import Pool, transaction
from libs.runtime.keyring import KeyRing
from libs.runtime.logs import describe
from libs.vault.vault import Vault
from services.records.domain.export import Export, made_for
from services.records.exporting import files, loading
from services.records.exporting.spool import Spool, forget
from services.records.store import exports as store

AT_ONCE = 4
"""Files that a replica makes at the same time; the others wait."""
WORD = timedelta(seconds=1)
"""How often it is said that we are still at it, and seen whether anybody still wants it."""
BREATH = 50
"""Pieces after which others get their turn."""

log = structlog.get_logger()


class NotWanted(Exception):
    """Whoever asked for the file has cancelled it."""


class Makers:
    """The files of one replica."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._room = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(  # noqa: PLR0913
        self,
        pool: Pool,
        export: Export,
        practice: Practice,
        *,
        chosen: Selection,
        letters: Sequence[Letter],
        fetch: files.Fetch,
    ) -> None:
        """Make it, beside whatever else there is to do."""
        maker = _Maker(pool, self._ring, export, practice, chosen, letters, fetch)
        task = asyncio.create_task(maker.make(self._room))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Those that are being made fail."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes one file."""

    pool: Pool
    ring: KeyRing
    export: Export
    practice: Practice
    chosen: Selection
    letters: Sequence[Letter]
    fetch: files.Fetch

    async def make(self, room: asyncio.Semaphore) -> None:
        """From its beginning to its end, whichever that is."""
        word = asyncio.create_task(self._keep_word(asyncio.current_task()))
        try:
            async with room:
                await self._spool()
        except BaseException as error:
            if word.done() or isinstance(error, NotWanted):
                await self._forget()
                return
            log.warning("a file was not finished", export_id=str(self.export.id), **describe(error))
            await asyncio.shield(self._fail())
            if not isinstance(error, Exception):
                raise
        finally:
            word.cancel()

    async def _spool(self) -> None:
        patient_id, now = self.export.patient_id, self.export.begun_at
        async with transaction(self.pool, practice=self.export.practice_id) as db:
            chart = await loading.load(
                db, self.practice, patient_id, self.chosen, letters=self.letters, now=now
            )
        practice_id = self.export.practice_id
        spool = Spool(
            self.pool,
            lambda db: Vault(db, self.ring, practice_id),
            practice_id,
            patient_id,
            made_for(self.export.id),
        )
        steps, count = itertools.count(1), 0

        async def step() -> None:
            await self._say(next(steps))

        async for piece in files.pieces(chart, self.export.format, step=step, fetch=self.fetch):
            await spool.add(piece)
            count += 1
            if count % BREATH == 0:
                await asyncio.sleep(0)
        await spool.finish()
        async with transaction(self.pool, practice=self.export.practice_id) as db:
            if not await store.save_state(db, self.export, ExportState.READY, size=spool.size):
                raise NotWanted
            await store.add_segments(db, self.export, spool.segments)

    async def _keep_word(self, work: asyncio.Task[None] | None) -> None:
        """Until it is cancelled: then the work stops in the middle, whatever it is at."""
        while True:
            await asyncio.sleep(WORD.total_seconds())
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                async with transaction(self.pool, practice=self.export.practice_id) as db:
                    if not await store.keep_word(db, self.export, now=utcnow()):
                        break
        if work:
            work.cancel()

    async def _say(self, done: int) -> None:
        async with transaction(self.pool, practice=self.export.practice_id) as db:
            if not await store.save_progress(db, self.export, done=done, now=utcnow()):
                raise NotWanted

    async def _fail(self) -> None:
        with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            async with transaction(self.pool, practice=self.export.practice_id) as db:
                await store.save_state(db, self.export, ExportState.FAILED)

    async def _forget(self) -> None:
        """With what was made since it was cancelled."""
        with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            async with transaction(self.pool, practice=self.export.practice_id) as db:
                await forget(Vault(db, self.ring, self.export.practice_id), self.export.id)


AtMakers = Annotated[Makers, Context("makers")]


async def sweep(pool: Pool, ring: KeyRing, *, now: datetime) -> int:
    """Forget the files that have lasted long enough; how many there were."""
    async with transaction(pool, worker="exports") as db:
        old = await store.list_old_exports(db, now=now)
    for practice_id, export_id in old:
        async with transaction(pool, practice=practice_id) as db:
            await forget(Vault(db, ring, practice_id), export_id)
    return len(old)
