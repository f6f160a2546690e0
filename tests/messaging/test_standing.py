"""Messages of a record that the practice has closed to its patient."""

import pytest

from libs.contracts.base import Refused
from libs.contracts.identity.registration import PatientRegistered
from libs.contracts.messaging.announcements import AnnouncementDue, DescribeAnnouncement
from libs.contracts.messaging.queue import Close
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.writing import SendDraft
from libs.contracts.records.standing import StandingChanged
from libs.runtime.broker import ask
from tests import parts
from tests.delegation.test_list_access import announce
from tests.messaging.ward import Someone, Ward
from tests.waiting import until


async def stands(ward: Ward, rosa: Someone, change: int, *, active: bool) -> None:
    """Records has said so, and messaging keeps it."""
    said = StandingChanged(
        practice_id=ward.practice_id, patient_id=rosa.patient_id, active=active, change=change
    )
    await announce(ward.servers, said, by="records")

    async def is_kept() -> bool:
        async with ward.rows() as rows:
            kept = await rows.fetchval(
                "SELECT change FROM standing WHERE patient_id = $1", rosa.patient_id
            )
        return bool(kept == change)

    await until(is_kept)


async def test_a_question_stays_in_the_queue_where_nobody_can_answer_it_until_it_is_open_again(
    ward: Ward,
) -> None:
    rosa = ward.patient()
    nora = ward.nurse(rosa)
    asked = await rosa.sends("Is this normal?")
    draft = await nora.drafts("Yes.", conversation_id=asked.conversation_id, title="")
    async with parts.running(parts.relay(ward.servers, "records")):
        await stands(ward, rosa, 1, active=False)
        assert [one.conversation_id for one in (await nora.queue()).cases] == [
            asked.conversation_id
        ]
        assert await nora.is_refused(SendDraft, draft_id=draft.draft_id) == Refusal.DEACTIVATED
        new = await nora.drafts("Come and see us.")
        assert await nora.is_refused(SendDraft, draft_id=new.draft_id) == Refusal.DEACTIVATED
        closed = await nora.asks(Close, conversation_id=asked.conversation_id)
        assert not closed.open
        await stands(ward, rosa, 2, active=True)
        sent = await nora.asks(SendDraft, draft_id=draft.draft_id)
        assert sent.conversation_id == asked.conversation_id


async def test_nobody_is_told_by_email_of_messages_in_a_closed_record(ward: Ward) -> None:
    rosa = ward.patient()
    nora = ward.nurse(rosa)
    registered = PatientRegistered(
        practice_id=ward.practice_id,
        patient_id=rosa.patient_id,
        account_id=rosa.account_id,
        invitation_id=rosa.account_id,
    )

    async def due() -> list[AnnouncementDue]:
        return await parts.stored(ward.servers, AnnouncementDue)

    async def knows_her() -> bool:
        async with ward.rows() as rows:
            return bool(
                await rows.fetchval(
                    "SELECT count(*) FROM correspondent WHERE account_id = $1", rosa.account_id
                )
            )

    async with parts.running(
        parts.relay(ward.servers, "identity"), parts.relay(ward.servers, "records")
    ):
        await announce(ward.servers, registered)
        await until(knows_her)
        await nora.answers(await rosa.sends())
        (told,) = await until(due)
        describe = DescribeAnnouncement(
            practice_id=ward.practice_id, reference_id=told.reference_id
        )
        async with parts.asking(ward.servers, "notifier") as notifier:
            assert (await ask(notifier, describe)).account_id == rosa.account_id
            await stands(ward, rosa, 1, active=False)
            with pytest.raises(Refused, match=Refusal.NOTHING_WAITS):
                await ask(notifier, describe)
