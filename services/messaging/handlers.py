"""What messaging answers and follows: load, decide, save, announce, reply."""

from faststream.nats import NatsRouter

from libs.access.gate import AtGate, NotAllowed
from libs.contracts.identity.registration import PatientRegistered
from libs.contracts.messaging import Mailbox, ShowMailbox
from libs.contracts.visa import Limit
from libs.runtime import inbox
from libs.runtime.broker import answers, follows
from libs.runtime.clock import Now
from libs.runtime.database import Database, transaction
from services.messaging import store

router = NatsRouter()


@answers(router, ShowMailbox)
async def show_mailbox(asked: ShowMailbox, pool: Database, now: Now, gate: AtGate) -> Mailbox:
    visa = gate.admit(asked.visa, now=now, limit=Limit.MESSAGES)
    if visa.patient_id is None:
        raise NotAllowed
    async with transaction(pool, practice=visa.practice_id) as db:
        mailbox = await store.get_mailbox(db, visa.practice_id, visa.patient_id)
    return Mailbox(opened_at=mailbox.opened_at)


@follows(router, PatientRegistered, by="messaging")
async def patient_registered(heard: PatientRegistered, pool: Database, now: Now) -> None:
    """Whoever registers has a mailbox from then on."""
    async with transaction(pool, practice=heard.practice_id) as db:
        if await inbox.first_time(db, heard, by="messaging"):
            await store.add_mailbox(db, heard.practice_id, heard.patient_id, now=now)
