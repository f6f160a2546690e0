"""Who is told by e-mail that a message waits: once until it is read, and as they chose."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from libs.contracts.messaging.announcements import (
    AnnouncementDue,
    DescribeAnnouncement,
    Frequency,
    SaveChoice,
    ShowChoice,
)
from libs.contracts.messaging.mailbox import MarkRead
from libs.contracts.messaging.refusals import Refusal
from libs.runtime.broker import ask
from libs.runtime.clock import utcnow
from services.messaging.domain.announcing import FOR_PATIENTS, FOR_STAFF, Choice, due
from tests import parts
from tests.messaging.ward import Someone, Ward
from tests.waiting import until

DENVER = "America/Denver"
NOON = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)


def quiet(begins: int, ends: int) -> Choice:
    return Choice(
        frequency=Frequency.AT_ONCE, quiet_from=begins, quiet_until=ends, time_zone=DENVER
    )


@pytest.mark.parametrize(
    ("choice", "hours"),
    [
        (FOR_PATIENTS, 0),
        (FOR_STAFF, None),
        (quiet(21, 7), 0),
        (quiet(12, 13), 1),
        (quiet(11, 12), 0),
        (quiet(13, 12), 0),
        (quiet(22, 14), 2),
        (Choice(frequency=Frequency.DAILY, time_zone=DENVER), 20),
    ],
)
def test_everyone_is_told_when_they_want_to_be(choice: Choice, hours: int | None) -> None:
    """Told at noon in Denver."""
    expected = None if hours is None else NOON + timedelta(hours=hours)
    assert due(choice, now=NOON) == expected


async def registered(patient: Someone) -> None:
    """As the patient's registration leaves it."""
    async with patient.ward.rows() as rows:
        await rows.execute(
            "INSERT INTO correspondent (practice_id, patient_id, account_id) VALUES ($1, $2, $3)",
            patient.ward.practice_id,
            patient.patient_id,
            patient.account_id,
        )


async def let_in(ana: Someone, until_when: datetime) -> None:
    """Ana is told of the messages of the patient who lets her in, until then."""
    async with ana.ward.rows() as rows:
        await rows.execute(
            """
            INSERT INTO correspondent (practice_id, patient_id, account_id, until)
            VALUES ($1, $2, $3, $4)
                ON CONFLICT (practice_id, patient_id, account_id) DO UPDATE SET until = $4
            """,
            ana.ward.practice_id,
            ana.patient_id,
            ana.account_id,
            until_when,
        )


async def told(ward: Ward, count: int) -> list[AnnouncementDue]:
    async def enough() -> list[AnnouncementDue] | None:
        found = await parts.stored(ward.servers, AnnouncementDue)
        return found if len(found) >= count else None

    found: list[AnnouncementDue] = await until(enough)
    assert len(found) == count
    return found


async def describe(ward: Ward, announcement: UUID) -> str:
    """Where the letter would lead."""
    async with parts.asking(ward.servers, "notifier") as notifier:
        asked = DescribeAnnouncement(practice_id=ward.practice_id, reference_id=announcement)
        return (await ask(notifier, asked)).path


async def test_one_conversation_is_announced_once_until_it_is_read(ward: Ward) -> None:
    rosa = ward.patient()
    await registered(rosa)
    nora = ward.nurse(rosa)
    asked = await rosa.sends()
    first = await nora.answers(asked, "One")
    await nora.answers(asked, "Two")
    [event] = await told(ward, 1)
    assert await describe(ward, event.reference_id) == (
        f"/p/{rosa.patient_id}/messages/{first.message_id}"
    )
    await rosa.reads(first.message_id)
    with pytest.raises(Exception, match=Refusal.NOTHING_WAITS):
        await describe(ward, event.reference_id)
    await nora.answers(asked, "Three")
    assert len(await told(ward, 2)) == 2


async def test_a_day_is_told_in_one_letter_about_what_still_waits(ward: Ward) -> None:
    rosa = ward.patient()
    await registered(rosa)
    await rosa.asks(SaveChoice, frequency=Frequency.DAILY, time_zone=DENVER)
    nora = ward.nurse(rosa)
    sent = [await nora.sends(f"News {number}") for number in range(3)]
    events = await told(ward, 3)
    assert len({event.at for event in events}) == 1
    inbox = f"/p/{rosa.patient_id}/messages"
    assert await describe(ward, events[0].reference_id) == inbox
    for event in events[1:]:
        with pytest.raises(Exception, match=Refusal.NOTHING_WAITS):
            await describe(ward, event.reference_id)
    await rosa.reads(sent[0].message_id)
    assert await describe(ward, events[1].reference_id) == inbox
    await rosa.asks(MarkRead, message_ids=None)
    for event in events:
        with pytest.raises(Exception, match=Refusal.NOTHING_WAITS):
            await describe(ward, event.reference_id)


async def test_who_wants_to_hear_nothing_is_told_nothing(ward: Ward) -> None:
    rosa, bill = ward.patient(), ward.patient("Bill Bones")
    for patient in (rosa, bill):
        await registered(patient)
    await rosa.asks(SaveChoice, frequency=Frequency.NEVER, time_zone="Nowhere/At-All")
    assert (await rosa.asks(ShowChoice)).frequency is Frequency.NEVER
    assert (await bill.asks(ShowChoice)).frequency is Frequency.AT_ONCE
    for patient in (rosa, bill):
        await ward.nurse(patient).sends("News")
    [event] = await told(ward, 1)
    assert str(bill.patient_id) in await describe(ward, event.reference_id)


async def test_staff_are_told_if_they_chose_to_be_and_while_somebody_waits(ward: Ward) -> None:
    rosa = ward.patient()
    nora, ben = ward.nurse(rosa), ward.nurse(rosa, "Ben Okafor, RN")
    assert (await nora.asks(ShowChoice)).frequency is Frequency.NEVER
    await nora.asks(SaveChoice, frequency=Frequency.AT_ONCE, time_zone=DENVER)
    sent = await rosa.sends("Are you there?")
    [event] = await told(ward, 1)
    assert await describe(ward, event.reference_id) == f"/staff/messages/{sent.conversation_id}"
    await ben.answers(sent)
    with pytest.raises(Exception, match=Refusal.NOTHING_WAITS):
        await describe(ward, event.reference_id)


async def test_nobody_is_told_after_their_last_day_of_what_came_before(ward: Ward) -> None:
    """Ana is told once a day: of Rosa's messages until her last day, and of her own."""
    rosa = ward.patient()
    ana = ward.delegate(rosa)
    herself = ward.patient("Ana Ruiz")
    herself.account_id = ana.account_id
    await let_in(ana, utcnow() + timedelta(days=3))
    await registered(herself)
    await ana.asks(SaveChoice, frequency=Frequency.DAILY, time_zone=DENVER)
    await ward.nurse(rosa).sends("News for Rosa")
    [of_rosas] = await told(ward, 1)
    await ward.nurse(herself).sends("News for Ana")
    [_, of_her_own] = await told(ward, 2)
    assert str(rosa.patient_id) in await describe(ward, of_rosas.reference_id)
    with pytest.raises(Exception, match=Refusal.NOTHING_WAITS):
        await describe(ward, of_her_own.reference_id)  # one letter a day is enough

    await let_in(ana, utcnow())
    with pytest.raises(Exception, match=Refusal.NOTHING_WAITS):
        await describe(ward, of_rosas.reference_id)
    assert str(herself.patient_id) in await describe(ward, of_her_own.reference_id)
