"""What the notifier answers and follows: load, decide, save, announce, reply."""

from uuid import UUID

from faststream.nats import NatsRouter
from uuid_utils.compat import uuid7

from libs.access.gate import AtGate
from libs.contracts.base import Done
from libs.contracts.identity.letters import LetterDue, LetterKind
from libs.contracts.messaging.announcements import AnnouncementDue
from libs.contracts.notifier import ListMails, Mail, MailList, RetryMail
from libs.contracts.records.sending import RecordSent, SendingState, SendingTold
from libs.runtime import inbox
from libs.runtime.broker import answers, follows
from libs.runtime.clock import Now
from libs.runtime.database import Database, transaction
from services.notifier import domain, store, worker

router = NatsRouter()


@follows(router, LetterDue, by="notifier")
async def letter_due(heard: LetterDue, pool: Database, now: Now) -> None:
    """The letter is owed from here on, whatever becomes of NATS."""
    async with transaction(pool, worker="mail") as db:
        if await inbox.first_time(db, heard, by="notifier"):
            await store.add_job(
                db,
                practice_id=heard.practice_id or domain.NO_PRACTICE,
                id=uuid7(),
                kind=heard.kind,
                reference_id=heard.reference_id,
                version=heard.version,
                announced_at=domain.announced_at(heard.id),
                now=now,
            )
            await worker.ring(db)


@follows(router, AnnouncementDue, by="notifier")
async def announcement_due(heard: AnnouncementDue, pool: Database, now: Now) -> None:
    """Somebody is to be told of a message, no sooner than that."""
    async with transaction(pool, worker="mail") as db:
        if await inbox.first_time(db, heard, by="notifier"):
            await store.add_job(
                db,
                practice_id=heard.practice_id,
                id=uuid7(),
                kind=LetterKind.MESSAGE_WAITING,
                reference_id=heard.reference_id,
                version=1,
                announced_at=domain.announced_at(heard.id),
                now=now,
                due_at=heard.at,
            )
            await worker.ring(db)


@follows(router, RecordSent, by="notifier")
async def record_sent(heard: RecordSent, pool: Database, now: Now) -> None:
    """Its recipient is to be written to."""
    async with transaction(pool, worker="mail") as db:
        if await inbox.first_time(db, heard, by="notifier"):
            await store.add_job(
                db,
                practice_id=heard.practice_id,
                id=uuid7(),
                kind=LetterKind.RECORD_SENT,
                reference_id=heard.sending_id,
                version=1,
                announced_at=domain.announced_at(heard.id),
                now=now,
            )
            await worker.ring(db)


@follows(router, SendingTold, by="notifier")
async def sending_told(heard: SendingTold, pool: Database, now: Now) -> None:
    """Whoever sent it is to be told what became of it."""
    is_locked = heard.state is SendingState.LOCKED
    async with transaction(pool, worker="mail") as db:
        if await inbox.first_time(db, heard, by="notifier"):
            await store.add_job(
                db,
                practice_id=heard.practice_id,
                id=uuid7(),
                kind=LetterKind.SENDING_LOCKED if is_locked else LetterKind.SENDING_NOTE,
                reference_id=heard.sending_id,
                version=1,
                announced_at=domain.announced_at(heard.id),
                now=now,
            )
            await worker.ring(db)


@answers(router, ListMails)
async def list_mails(asked: ListMails, pool: Database, now: Now, gate: AtGate) -> MailList:
    visa = gate.admit_staff(asked.visa, now=now)
    before = UUID(asked.after) if asked.after else None
    async with transaction(pool, practice=visa.practice_id) as db:
        jobs = await store.list_jobs(db, visa.practice_id, state=asked.state, before=before)
    more = len(jobs) > store.PAGE
    return MailList(
        mails=tuple(
            Mail(
                mail_id=job.id,
                kind=job.kind,
                recipient=job.recipient,
                state=job.state,
                queued_at=job.queued_at,
                tries=job.tries,
                next_try_at=job.due_at,
                sent_at=job.sent_at,
                answer=job.answer,
            )
            for job in jobs[: store.PAGE]
        ),
        after=str(jobs[store.PAGE - 1].id) if more else "",
    )


@answers(router, RetryMail)
async def retry_mail(asked: RetryMail, pool: Database, now: Now, gate: AtGate) -> Done:
    visa = gate.admit_staff(asked.visa, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        job = await store.lock_job(db, visa.practice_id, asked.mail_id)
        domain.retriable(job)
        await store.make_due(db, job, now=now)
        await worker.ring(db)
    return Done()
