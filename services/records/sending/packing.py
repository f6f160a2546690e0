"""Records that are being packed in this replica, each by a task of its own.

The key is nowhere but here, so nobody else can go on: if the replica goes, the sending has failed,
which is said, and no letter went out.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import asyncpg
import structlog

from libs.contracts.activity import Act
from libs.contracts.delegation import AccessRevoked
from libs.contracts.identity.practices import Practice
from libs.contracts.messaging.mailbox import Letter
from libs.contracts.records.exports import Format, Selection
from libs.contracts.records.sending import RecordSent, SendingState
from libs.runtime import background, outbox
from libs.runtime.clock import utcnow
from libs.runtime.context import Context
from libs.runtime.database import Connection, Pool, transaction
from libs.runtime.keyring import KeyRing
from libs.runtime.logs import describe
from libs.vault.vault import Vault
from services.records.activity import enter_all
from services.records.domain.activity import Actor, Happened
from services.records.domain.chart import Chart
from services.records.domain.document import Document
from services.records.domain.export import ENDINGS, made_for
from services.records.domain.sending import Sending
from services.records.exporting import files, loading
from services.records.exporting.sealing import Sealing
from services.records.exporting.spool import Spool
from services.records.sending.package import Package
from services.records.store import sendings as store
from services.records.store import tries

AT_ONCE = 2
"""Records that a replica packs at the same time; the others wait."""
WORD = timedelta(seconds=1)
"""How often it is said that we are still at it, and seen whether anybody still wants it."""
BREATH = 50

log = structlog.get_logger()


class NotWanted(Exception):
    """It was revoked while it was packed, or counts as failed, for nothing was heard of us."""


class Packers:
    """The packing of one replica."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._room = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[asyncio.Task[None], Sending] = {}

    def begin(self, packer: "Packer") -> None:
        """Pack it, beside whatever else there is to do."""
        task = asyncio.create_task(packer.pack(self._ring, self._room))
        self._tasks[task] = packer.sending
        task.add_done_callback(self._tasks.pop)

    def hear_revoked(self, heard: AccessRevoked) -> None:
        """Whoever may no longer act for a patient sends nothing of theirs any more."""
        for task, sending in self._tasks.items():
            if (sending.account_id, sending.patient_id) == (heard.account_id, heard.patient_id):
                task.cancel()

    async def close(self) -> None:
        """Those that are being packed fail."""
        await background.end(*self._tasks)


AtPackers = Annotated[Packers, Context("packers")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Packer:
    """Packs one record."""

    pool: Pool
    sending: Sending
    practice: Practice
    chosen: Selection
    letters: Sequence[Letter]
    fetch: files.Fetch
    key: bytes = field(repr=False)
    actor: Actor

    async def pack(self, ring: KeyRing, room: asyncio.Semaphore) -> None:
        """From its beginning to the letter, or to where it failed."""
        word = asyncio.create_task(self._keep_word(asyncio.current_task()))
        try:
            async with room:
                await self._pack(ring)
        except BaseException as error:
            await asyncio.shield(self._forget(SendingState.FAILED))  # unless it was revoked
            if word.done() or isinstance(error, NotWanted):
                return
            log.warning("a record was not sent", sending_id=str(self.sending.id), **describe(error))
            if not isinstance(error, Exception):
                raise
        finally:
            word.cancel()

    async def _pack(self, ring: KeyRing) -> None:
        sending = self.sending
        practice_id, now = sending.practice_id, sending.sent_at
        async with transaction(self.pool, practice=practice_id) as db:
            chart = await loading.load(
                db, self.practice, sending.patient_id, self.chosen, letters=self.letters, now=now
            )
        await self._copy(ring, chart.documents)
        offered = [(form, await self._make(form, chart)) for form in Format]
        async with transaction(self.pool, practice=practice_id) as db:
            if not await store.save_packed(db, sending, now=utcnow()):
                raise NotWanted
            for form, spool in offered:
                name = f"{chart.file_name}.{ENDINGS[form]}"
                await store.add_file(db, sending, form, file_name=name, size=spool.size)
                await store.add_segments(db, sending, form, spool.segments)
            await outbox.announce(db, RecordSent(practice_id=practice_id, sending_id=sending.id))
            await enter_all(db, practice_id, [self._happened()])

    def _happened(self) -> Happened:
        return Happened(
            patient_id=self.sending.patient_id,
            actor=self.actor,
            act=Act.SENT_RECORD,
            subject=self.sending.recipient,
            at=utcnow(),
        )

    async def _copy(self, ring: KeyRing, documents: Iterable[Document]) -> None:
        """Each document, a chunk at a time: opened here and sealed again under the other key."""
        practice_id = self.sending.practice_id
        for document in documents:
            async with transaction(self.pool, practice=practice_id) as db:
                vault, package = Vault(db, ring, practice_id), self._sealer(db)
                there = await vault.open(document.content_id)
                here = await package.begin(document.content_id, owner_id=self.sending.id)
                async for piece in vault.pieces(there):
                    here = await package.append(here, piece)
            await self._assure_wanted()

    async def _make(self, form: Format, chart: Chart) -> Spool:
        """One of the files; the documents in it are those that were copied."""
        number = list(Format).index(form)
        contents = made_for(UUID(int=self.sending.id.int ^ (number + 1)))
        spool = Spool(self.pool, self._sealer, self.sending.practice_id, self.sending.id, contents)
        count = 0
        async for piece in files.pieces(chart, form, step=self._assure_wanted, fetch=self.fetch):
            await spool.add(piece)
            count += 1
            if count % BREATH == 0:
                await asyncio.sleep(0)
        await spool.finish()
        return spool

    def _sealer(self, db: Connection) -> Sealing:
        return Package(db, self.sending.practice_id, self.sending.id, self.key)

    async def _assure_wanted(self) -> None:
        async with transaction(self.pool, practice=self.sending.practice_id) as db:
            if not await store.keep_word(db, self.sending, now=utcnow()):
                raise NotWanted

    async def _keep_word(self, work: asyncio.Task[None] | None) -> None:
        """Until it is taken back: then the work stops in the middle, whatever it is at."""
        with suppress(NotWanted):
            while True:
                await asyncio.sleep(WORD.total_seconds())
                with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await self._assure_wanted()
        if work:
            work.cancel()

    async def _forget(self, state: SendingState) -> None:
        with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            async with transaction(self.pool, practice=self.sending.practice_id) as db:
                await forget(db, self.sending, state)


async def forget(db: Connection, sending: Sending, state: SendingState) -> bool:
    """It opens nothing any more, and what was in it is gone; False if that was so already."""
    was_there = await store.save_over(db, sending, state)
    await store.remove_files(db, sending.practice_id, sending.id)
    await store.remove_contents(db, sending.practice_id, sending.id)
    await tries.remove_tries(db, sending.practice_id, sending.id)
    return was_there


async def sweep(pool: Pool, *, now: datetime) -> int:
    """Forget what has had its time, and what nobody packs any more; how many there were."""
    async with transaction(pool, worker="sendings") as db:
        over = await store.list_over(db, now=now)
    for practice_id, sending_id in over:
        async with transaction(pool, practice=practice_id) as db:
            sending = await store.get_sending(db, practice_id, sending_id)
            await forget(db, sending, sending.standing(now=now))
    return len(over)
