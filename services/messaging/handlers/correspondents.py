"""Who is told of a patient's messages: whoever may read them, for as long as they may."""

from datetime import datetime

from faststream.nats import NatsRouter

from libs.contracts.delegation import AccessChanged, AccessGranted, AccessRevoked
from libs.contracts.identity.registration import PatientRegistered
from libs.contracts.records.standing import StandingChanged
from libs.contracts.visa import Limit
from libs.runtime import inbox
from libs.runtime.broker import follows
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from services.messaging.store import announcements, mailboxes, standing

router = NatsRouter()


@follows(router, PatientRegistered, by="messaging")
async def patient_registered(heard: PatientRegistered, pool: Database, now: Now) -> None:
    """Whoever registers has a mailbox from then on."""
    async with transaction(pool, practice=heard.practice_id) as db:
        if await inbox.first_time(db, heard, by="messaging"):
            await mailboxes.open_mailbox(db, heard.practice_id, heard.patient_id, now=now)
            await announcements.add_correspondent(
                db, heard.practice_id, heard.patient_id, heard.account_id
            )


@follows(router, AccessGranted, by="messaging")
async def access_granted(heard: AccessGranted, pool: Database) -> None:
    """Whoever may read the messages is told of them."""
    if Limit.MESSAGES not in heard.limits:
        return
    async with transaction(pool, practice=heard.practice_id) as db:
        if await inbox.first_time(db, heard, by="messaging"):
            await announcements.save_delegate(
                db,
                heard.practice_id,
                heard.patient_id,
                heard.account_id,
                until=heard.ends_at,
                now=heard.granted_at,
            )


@follows(router, AccessRevoked, by="messaging")
async def access_revoked(heard: AccessRevoked, pool: Database) -> None:
    """Nobody is told of what they may no longer read, not even of what came before."""
    async with transaction(pool, practice=heard.practice_id) as db:
        if await inbox.first_time(db, heard, by="messaging"):
            await _tell_no_longer(db, heard, now=heard.revoked_at)


@follows(router, AccessChanged, by="messaging")
async def access_changed(heard: AccessChanged, pool: Database) -> None:
    """Whoever may read the messages now is told of them for as long as they may."""
    async with transaction(pool, practice=heard.practice_id) as db:
        if not await inbox.first_time(db, heard, by="messaging"):
            return
        if Limit.MESSAGES not in heard.limits:
            await _tell_no_longer(db, heard, now=heard.changed_at)
            return
        await announcements.save_delegate(
            db,
            heard.practice_id,
            heard.patient_id,
            heard.account_id,
            until=heard.ends_at,
            now=heard.changed_at,
        )


@follows(router, StandingChanged, by="messaging")
async def standing_changed(heard: StandingChanged, pool: Database) -> None:
    """While a record is closed, nobody is told of its messages; who is, once it is open, stays."""
    async with transaction(pool, practice=heard.practice_id) as db:
        if await inbox.first_time(db, heard, by="messaging"):
            await standing.save_standing(
                db,
                heard.practice_id,
                heard.patient_id,
                active=heard.active,
                change=heard.change,
            )


async def _tell_no_longer(
    db: Connection, heard: AccessRevoked | AccessChanged, *, now: datetime
) -> None:
    """Unless something newer is known."""
    who = (heard.practice_id, heard.patient_id, heard.account_id)
    if await announcements.save_delegate(db, *who, until=now, now=now):
        await announcements.forget_read(db, who[0], who[1], account_id=who[2], message_ids=None)
