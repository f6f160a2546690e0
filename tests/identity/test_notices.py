"""Who is told by e-mail of what somebody else did."""

from uuid import UUID, uuid4

import nats
import pytest

from libs.contracts.base import Refused
from libs.contracts.identity.letters import LetterKind
from libs.contracts.identity.refusals import Refusal
from libs.contracts.records.emergency import ChartOpened
from libs.contracts.visa import Role
from libs.runtime.clock import utcnow
from tests.identity.desk import EMAIL, NURSE, PRACTICE, Desk

ADMINISTRATOR = "ada@example.com"


async def opened(desk: Desk, patient_id: UUID, *, times: int = 1) -> ChartOpened:
    """As records announces it."""
    told = ChartOpened(practice_id=PRACTICE, patient_id=patient_id, account_id=uuid4(), at=utcnow())
    client = await nats.connect(
        desk.servers.nats_url,
        nkeys_seed=desk.servers.credentials("records"),
        inbox_prefix=b"_INBOX_records",
    )
    for _ in range(times):
        body = told.model_dump_json().encode()
        await client.jetstream().publish(told.subject, body, stream="records")
    await client.close()
    return told


async def test_the_patient_and_every_administrator_are_told_once_of_an_emergency(
    desk: Desk,
) -> None:
    rosa = await desk.register()
    await desk.register_staff(NURSE)
    await desk.register_staff(ADMINISTRATOR, Role.ADMINISTRATOR)
    told = await opened(desk, rosa, times=3)
    letter = await desk.letter(LetterKind.CHART_OPENED)
    assert (letter.email, letter.path) == (EMAIL, f"/p/{rosa}/activity")
    assert letter.happened_at == told.at
    assert letter.practice
    to_staff = await desk.letter(LetterKind.CHART_OPENED_STAFF)
    assert (to_staff.email, to_staff.path) == (ADMINISTRATOR, f"/staff/patients/{rosa}")
    await desk.all_told()
    assert len(await desk.letters(LetterKind.CHART_OPENED)) == 1
    assert len(await desk.letters(LetterKind.CHART_OPENED_STAFF)) == 1


async def test_a_patient_without_an_account_gets_no_letter(desk: Desk) -> None:
    rosa = await desk.invite()
    await desk.register_staff(ADMINISTRATOR, Role.ADMINISTRATOR)
    await opened(desk, rosa)
    await desk.letter(LetterKind.CHART_OPENED_STAFF)
    assert await desk.letters(LetterKind.CHART_OPENED) == []


async def test_who_is_no_administrator_any_more_is_told_of_no_emergency(desk: Desk) -> None:
    rosa = await desk.register()
    await desk.register_staff(ADMINISTRATOR, Role.ADMINISTRATOR)
    await opened(desk, rosa)
    assert (await desk.letter(LetterKind.CHART_OPENED_STAFF)).email == ADMINISTRATOR
    for change in ("UPDATE seat SET role = 'front_desk'", "DELETE FROM seat"):
        await desk.change(change)
        with pytest.raises(Refused, match=Refusal.LINK_VOID):
            await desk.letter(LetterKind.CHART_OPENED_STAFF)
    assert (await desk.letter(LetterKind.CHART_OPENED)).email == EMAIL
