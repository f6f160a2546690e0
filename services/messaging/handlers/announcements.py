"""Who is told by e-mail that a message waits."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from faststream.nats import NatsRouter

from libs.access.gate import AtGate, NotAllowed
from libs.contracts.base import Done, Refused
from libs.contracts.messaging.announcements import (
    Announcement,
    Choice,
    DescribeAnnouncement,
    SaveChoice,
    ShowChoice,
)
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.visa import Capacity, Limit, Visa
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Database, transaction
from services.messaging.domain import announcing as rules
from services.messaging.store import announcements as store

router = NatsRouter()


@answers(router, ShowChoice)
async def show_choice(asked: ShowChoice, pool: Database, now: Now, gate: AtGate) -> Choice:
    visa = gate.admit(asked.visa, now=now, limit=Limit.MESSAGES)
    async with transaction(pool, practice=visa.practice_id) as db:
        chosen = await store.find_choice(
            db, visa.practice_id, visa.account_id, staff=_by_staff(visa)
        )
    return Choice(
        frequency=chosen.frequency,
        quiet_from=chosen.quiet_from,
        quiet_until=chosen.quiet_until,
    )


@answers(router, SaveChoice)
async def save_choice(asked: SaveChoice, pool: Database, now: Now, gate: AtGate) -> Done:
    visa = gate.admit(asked.visa, now=now, limit=Limit.MESSAGES)
    quiet = (asked.quiet_from, asked.quiet_until)
    if None in quiet or asked.quiet_from == asked.quiet_until:
        quiet = (None, None)
    choice = rules.Choice(
        frequency=asked.frequency,
        quiet_from=quiet[0],
        quiet_until=quiet[1],
        time_zone=_known(asked.time_zone),
    )
    async with transaction(pool, practice=visa.practice_id) as db:
        await store.save_choice(
            db, visa.practice_id, visa.account_id, choice, staff=_by_staff(visa)
        )
    return Done()


@answers(router, DescribeAnnouncement)
async def describe_announcement(
    asked: DescribeAnnouncement, pool: Database, now: Now
) -> Announcement:
    async with transaction(pool, practice=asked.practice_id) as db:
        found = await store.find_announcement(db, asked.practice_id, asked.reference_id, now=now)
    if found is None:
        raise Refused(Refusal.NOTHING_WAITS)
    mailbox = "/staff/messages" if found.staff else f"/p/{found.patient_id}/messages"
    named = found.conversation_id if found.staff else found.message_id
    return Announcement(
        account_id=found.account_id,
        path=mailbox if found.daily else f"{mailbox}/{named}",
        staff=found.staff,
    )


def _by_staff(visa: Visa) -> bool:
    if visa.capacity is Capacity.MACHINE:
        raise NotAllowed
    return visa.capacity is Capacity.STAFF


def _known(time_zone: str) -> str:
    """A zone that there is."""
    try:
        return ZoneInfo(time_zone).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"
