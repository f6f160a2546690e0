"""The worker that sends what is owed: it leases letters from Postgres and settles each.

Mail may be down for days: the letters wait in their table, and nothing waits in NATS.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import timedelta
from uuid import UUID

import asyncpg
import structlog
from aiohttp import web
from faststream.nats import NatsBroker

from libs.contracts.base import Refused
from libs.contracts.identity.letters import DescribeLetter, Letter, LetterKind
from libs.contracts.messaging.announcements import DescribeAnnouncement
from libs.contracts.notifier import MailSettled, MailState
from libs.contracts.records.sending import DescribeSender, DescribeSending
from libs.runtime import background, outbox, wake
from libs.runtime.broker import BROKER, Unavailable, ask
from libs.runtime.clock import utcnow
from libs.runtime.database import POOL, Connection, Pool, transaction
from libs.runtime.logs import describe
from services.notifier import domain, store, watch, writing
from services.notifier.config import Config
from services.notifier.domain import LEASE, Job, Outcome
from services.notifier.smtp import Line, Server

LINES = 4
"""Letters in flight per replica, and so the most that can come twice if it is killed."""
AGAIN = timedelta(seconds=5)
"""Before asking once more for what a letter needs, while identity is away."""
BELL = "mail"

log = structlog.get_logger()


async def ring(db: Connection) -> None:
    """Tell every worker, on commit, that a letter is due."""
    await wake.ring(db, BELL)


def working(config: Config) -> Callable[[web.Application], AbstractAsyncContextManager[None]]:
    """Owed letters are sent for as long as the application runs; what is in flight is finished."""

    @asynccontextmanager
    async def context(app: web.Application) -> AsyncIterator[None]:
        async with wake.listening(config.database_url, schema="notifier", bell=BELL) as bell:
            worker = Worker(app[POOL], app[BROKER], config, bell)
            lines = [asyncio.create_task(worker.send_letters()) for _ in range(LINES)]
            keeper = asyncio.create_task(worker.keep_leases())
            yield
            worker.stopping = True
            bell.strike()
            await asyncio.wait(lines, timeout=10)
            await background.end(keeper, *lines)

    return context


class Worker:
    """One replica's letters in flight."""

    def __init__(self, pool: Pool, broker: NatsBroker, config: Config, bell: wake.Bell) -> None:
        self._pool = pool
        self._broker = broker
        self._config = config
        self._bell = bell
        self._server = Server.parse(config.smtp_url, ca=config.smtp_ca)
        self._in_hand: set[UUID] = set()
        self.stopping = False

    async def send_letters(self) -> None:
        """Lease, send, settle, wait. Whatever fails, the letter stays owed and we go on."""
        async with Line(self._server) as line:
            while not self.stopping:
                try:
                    job = await self._lease()
                    if job:
                        await self._send(job, line)
                        continue
                except Exception as error:  # noqa: BLE001  (its lease runs out and it is due again)
                    log.warning("a letter has to wait", **describe(error))
                await self._bell.wait()

    async def keep_leases(self) -> None:
        """Say that we are still at it, well before anyone would think otherwise."""
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                async with transaction(self._pool, worker="mail") as db:
                    await store.keep_leases(db, list(self._in_hand), now=utcnow())

    async def _lease(self) -> Job | None:
        async with transaction(self._pool, worker="mail") as db:
            jobs = await store.lease_jobs(db, limit=1, now=utcnow())
        return jobs[0] if jobs else None

    async def _send(self, job: Job, line: Line) -> None:
        self._in_hand.add(job.id)
        try:
            letter = await self._describe(job)
            if letter is None:
                return
            message = writing.write(
                job,
                letter,
                public_url=self._config.public_url,
                mail_from=self._config.mail_from,
            )
            with watch.SECONDS.time():
                outcome = await line.send(
                    message, sender=self._config.mail_from, recipient=letter.email
                )
            watch.TRIES.labels(outcome.state).inc()
            await self._settle(job, outcome, recipient=letter.email)
        finally:
            self._in_hand.discard(job.id)

    async def _describe(self, job: Job) -> Letter | None:
        """What the letter says now; None if that can't be asked, or nothing is owed."""
        try:
            if job.kind is LetterKind.MESSAGE_WAITING:
                return await self._announce(job)
            if job.kind is LetterKind.RECORD_SENT:
                return await self._hand_over(job)
            if job.kind in (LetterKind.SENDING_LOCKED, LetterKind.SENDING_NOTE):
                return await self._tell_sender(job)
            return await ask(
                self._broker,
                DescribeLetter(kind=job.kind, reference_id=job.reference_id, version=job.version),
            )
        except Unavailable:
            async with transaction(self._pool, worker="mail") as db:
                await store.put_back(db, job, due_at=utcnow() + AGAIN)
        except Refused as refused:
            outcome = Outcome(state=MailState.EXPIRED, answer=refused.code)
            await self._settle(job, outcome, recipient="")
        return None

    async def _announce(self, job: Job) -> Letter:
        """Messaging says whom and where, identity at which address."""
        asked = DescribeAnnouncement(practice_id=job.practice_id, reference_id=job.reference_id)
        told = await ask(self._broker, asked)
        return await self._to_account(job, told.account_id, told.path, staff=told.staff)

    async def _hand_over(self, job: Job) -> Letter:
        """To whom a record was sent: records says to which address, and where it lies."""
        asked = DescribeSending(practice_id=job.practice_id, sending_id=job.reference_id)
        told = await ask(self._broker, asked)
        return Letter(
            email=told.email,
            practice=told.practice,
            path=told.path,
            link_expires_at=told.expires_at,
            time_zone=told.practice.time_zone,
        )

    async def _tell_sender(self, job: Job) -> Letter:
        """Records says who sent it, identity at which address they are, or else the patient."""
        asked = DescribeSender(practice_id=job.practice_id, sending_id=job.reference_id)
        told = await ask(self._broker, asked)
        return await self._to_account(job, told.account_id, told.path, patient_id=told.patient_id)

    async def _to_account(
        self,
        job: Job,
        account_id: UUID,
        path: str,
        *,
        patient_id: UUID | None = None,
        staff: bool = False,
    ) -> Letter:
        letter = await ask(
            self._broker,
            DescribeLetter(
                kind=job.kind,
                reference_id=account_id,
                version=job.version,
                practice_id=job.practice_id,
                patient_id=patient_id,
                staff=staff,
            ),
        )
        return letter.model_copy(update={"path": path})

    async def _settle(self, job: Job, outcome: Outcome, *, recipient: str) -> None:
        now = utcnow()
        due_at = domain.next_try(job, now=now) if outcome.state is MailState.RETRYING else None
        state = outcome.state
        if state is MailState.RETRYING and due_at is None:
            state = MailState.FAILED
        async with transaction(self._pool, worker="mail") as db:
            await store.save_outcome(
                db,
                job,
                state=state,
                answer=outcome.answer,
                recipient=recipient,
                due_at=due_at,
                now=now,
            )
            if due_at is None:
                settled = MailSettled(
                    kind=job.kind,
                    reference_id=job.reference_id,
                    version=job.version,
                    state=state,
                )
                await outbox.announce(db, settled)
        if due_at is None:
            watch.SETTLED.labels(state).inc()
