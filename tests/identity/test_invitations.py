"""Invitations issued, delivered, bounced, sent again, wanted anew."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from libs.contracts.identity.invitations import (
    AskForNewLink,
    InvitationState,
    ResendInvitation,
    ShowInvitation,
)
from libs.contracts.identity.letters import LetterKind
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.registration import AcceptInvitation
from libs.contracts.identity.sessions import ResolveSession
from libs.contracts.identity.staff import InviteStaff
from libs.contracts.notifier import MailSettled, MailState
from libs.contracts.visa import Role
from libs.runtime.clock import utcnow
from services.identity import worker
from tests.identity.desk import (
    BORN,
    EMAIL,
    HOME,
    NURSE,
    NURSE_BORN,
    PRACTICE,
    Desk,
    code,
    hash_of,
    secret_in,
)
from tests.waiting import until

ELSEWHERE = UUID("0192a000-0000-7000-8000-00000000bbbb")
MINUTE = timedelta(minutes=1)


def resend(desk: Desk, patient_id: UUID, *, practice_id: UUID = PRACTICE) -> ResendInvitation:
    return ResendInvitation(visa=desk.staff_visa(practice_id), patient_id=patient_id)


def nurse(**changes: object) -> InviteStaff:
    asked = InviteStaff(
        practice_id=PRACTICE,
        name="Nora Lind",
        email=NURSE,
        date_of_birth=NURSE_BORN,
        role=Role.CLINICIAN,
    )
    return asked.model_copy(update=changes)


async def settled(desk: Desk, state: MailState, *, number: int = 1) -> MailSettled:
    """What the notifier says of the letter of this number."""
    await desk.letter(number=number)
    due = (await desk.letters(LetterKind.INVITATION))[number - 1]
    return MailSettled(
        kind=due.kind, reference_id=due.reference_id, version=due.version, state=state
    )


async def long_ago(desk: Desk) -> None:
    """The last letter is not so fresh that another would chase it."""
    await desk.change("UPDATE invitation SET sent_at = sent_at - interval '10 minutes'")


async def test_a_resend_starts_over_and_kills_the_older_link(desk: Desk) -> None:
    patient = await desk.invite()
    old = await desk.token()
    await long_ago(desk)
    resent = await desk.ask(resend(desk, patient))
    assert resent.email == EMAIL
    for asked in (ShowInvitation(token=old, opened=True), desk.registration(old)):
        assert await desk.refusal(asked) == Refusal.LINK_VOID
    new = await desk.token(number=2)
    shown = await desk.ask(ShowInvitation(token=new, opened=False))
    assert shown.expires_at == resent.expires_at
    assert (await desk.ask(desk.registration(new))).accepted
    await desk.becomes(patient, "invited", "invited", "registered")


async def test_a_letter_does_not_chase_the_one_before(desk: Desk) -> None:
    patient = await desk.invite()
    await desk.letter()
    sent = await desk.look("SELECT sent_at FROM invitation")
    early = resend(desk, patient)
    assert await desk.refusal(early) == Refusal.SENT_MOMENTS_AGO
    await desk.change("UPDATE invitation SET sent_at = $1", sent - 5 * MINUTE)
    said = await asyncio.gather(*(desk.said(resend(desk, patient)) for _ in range(10)))
    assert sorted(said) == ["done", *[Refusal.SENT_MOMENTS_AGO] * 9]


async def test_staff_see_a_bounce_and_a_resend_need_not_wait_then(desk: Desk) -> None:
    patient = await desk.invite()
    await desk.settle(await settled(desk, MailState.BOUNCED))
    await until(lambda: _is(desk, patient, "bounced"))
    assert await desk.ask(resend(desk, patient))
    await desk.becomes(patient, "invited", "bounced", "invited")


async def test_a_delivered_letter_may_come_back_later_and_is_heard_of_once(desk: Desk) -> None:
    patient = await desk.invite()
    delivered = await settled(desk, MailState.SENT)
    for _ in range(3):
        await desk.settle(delivered)
    await until(lambda: _is(desk, patient, "delivered"))
    await desk.settle(await settled(desk, MailState.BOUNCED))
    await until(lambda: _is(desk, patient, "bounced"))
    await desk.becomes(patient, "invited", "delivered", "bounced")


async def test_news_of_an_older_letter_says_nothing_of_the_newer(desk: Desk) -> None:
    patient = await desk.invite()
    old = await settled(desk, MailState.BOUNCED)
    await long_ago(desk)
    await desk.ask(resend(desk, patient))
    await desk.settle(old)
    await desk.settle(await settled(desk, MailState.SENT, number=2))
    await until(lambda: _is(desk, patient, "delivered"))
    await desk.becomes(patient, "invited", "invited", "delivered")


async def test_nobody_is_invited_again_once_they_have_registered(desk: Desk) -> None:
    patient = await desk.register()
    await long_ago(desk)
    assert await desk.refusal(resend(desk, patient)) == Refusal.ALREADY_REGISTERED


async def test_another_practice_resends_nothing(desk: Desk) -> None:
    patient = await desk.invite()
    await desk.open_practice(ELSEWHERE)
    await long_ago(desk)
    for asked in (
        resend(desk, patient, practice_id=ELSEWHERE),
        resend(desk, uuid4()),
    ):
        assert await desk.refusal(asked) == Refusal.UNKNOWN_PATIENT
    await desk.becomes(patient, "invited")


async def test_one_person_is_invited_by_two_practices_apart(desk: Desk) -> None:
    await desk.open_practice(ELSEWHERE)
    here = await desk.register()
    there = await desk.invite(practice_id=ELSEWHERE)
    token = await desk.token(number=2)
    assert (await desk.ask(ShowInvitation(token=token, opened=False))).practice_id == ELSEWHERE
    accept = AcceptInvitation(
        token=token, session=await desk.session(), date_of_birth=BORN, terms_version="2026-11"
    )
    await desk.ask(accept)
    assert await desk.look("SELECT count(*) FROM account") == 1
    await desk.becomes(here, "invited", "registered")
    await desk.becomes(there, "invited", "registered")


async def test_the_holder_of_a_dead_link_asks_and_the_practice_hears_once_a_day(
    desk: Desk,
) -> None:
    patient = await desk.invite()
    asked = AskForNewLink(token=await desk.token(), source=HOME)
    now = utcnow() + timedelta(days=5)
    for minutes in (0, 1, 60, 23 * 60):
        await desk.at(now + minutes * MINUTE, asked)
    await desk.all_told()
    assert len(await desk.letters(LetterKind.NEW_LINK_WANTED)) == 1
    await desk.at(now + timedelta(days=1), asked)
    await desk.all_told()
    assert len(await desk.letters(LetterKind.NEW_LINK_WANTED)) == 2
    assert (await desk.changes(patient))[-1].new_link_wanted
    await long_ago(desk)
    assert await desk.ask(resend(desk, patient))
    await desk.all_told()
    assert not (await desk.changes(patient))[-1].new_link_wanted


async def test_asking_for_a_new_link_says_the_same_for_any_link(desk: Desk) -> None:
    await desk.invite()
    used = await desk.token()
    await desk.ask(desk.registration(used))
    for token in ("", "x", used, used[:-1], used.replace(".1.", ".2.")):
        assert await desk.said(AskForNewLink(token=token, source=HOME)) == "done"
    await desk.all_told()
    assert not await desk.letters(LetterKind.NEW_LINK_WANTED)


async def test_four_days_later_an_invitation_says_by_itself_that_it_is_over(desk: Desk) -> None:
    patient = await desk.invite()
    await desk.letter()
    over = await desk.look("SELECT expires_at FROM invitation")
    assert await worker.expire(desk.pool, now=over - timedelta(seconds=1)) == 0
    found = await asyncio.gather(*(worker.expire(desk.pool, now=over) for _ in range(4)))
    assert max(found) == 1
    assert await worker.expire(desk.pool, now=over) == 0
    await desk.becomes(patient, "invited", "expired")


async def test_staff_are_invited_anew_until_they_have_registered(desk: Desk) -> None:
    await desk.as_operator(nurse())
    first = await desk.token(LetterKind.STAFF_INVITATION, number=1)
    await desk.as_operator(nurse(role=Role.FRONT_DESK, email=NURSE.upper()))
    second = await desk.token(LetterKind.STAFF_INVITATION, number=2)
    shown = ShowInvitation(token=first, opened=True)
    assert await desk.refusal(shown) == Refusal.LINK_VOID
    answer = await desk.ask(desk.registration(second, date_of_birth=NURSE_BORN))
    assert await desk.look("SELECT role FROM seat") == "front_desk"
    secret = secret_in(answer.enrolment)
    assert (await desk.ask(desk.staff_login(code=code(secret)))).staff
    assert await desk.refusal(nurse(), now=utcnow()) == Refusal.ALREADY_REGISTERED
    assert await desk.refusal(nurse(email="nobody"), now=utcnow()) == Refusal.EMAIL_NOT_USABLE
    assert await desk.refusal(nurse(practice_id=uuid4()), now=utcnow()) == Refusal.UNKNOWN_PRACTICE


async def test_a_patient_who_joins_the_staff_has_a_code_from_then_on(desk: Desk) -> None:
    """No seat is ever without one, and whoever was logged in elsewhere has to show it."""
    await desk.register()
    await desk.as_operator(nurse(email=EMAIL))
    token = await desk.token(LetterKind.STAFF_INVITATION)
    here, there = await desk.session(), await desk.session()
    accept = AcceptInvitation(
        token=token, session=here, date_of_birth=NURSE_BORN, terms_version="2026-11"
    )
    accepted = await desk.ask(accept)
    secret = secret_in(accepted.enrolment)
    assert (await desk.resolve(here)).seat is None
    assert await desk.refusal(ResolveSession(session=there)) == Refusal.NO_SESSION
    assert await desk.refusal(desk.login()) == Refusal.CODE_NEEDED
    assert await desk.refusal(desk.staff_login(email=EMAIL)) == Refusal.CODE_NEEDED
    assert (await desk.ask(desk.staff_login(email=EMAIL, code=code(secret)))).staff


async def test_whoever_has_a_code_keeps_it_when_they_take_another_seat(desk: Desk) -> None:
    secret = await desk.register_staff()
    await desk.open_practice(ELSEWHERE)
    await desk.as_operator(nurse(practice_id=ELSEWHERE))
    token = await desk.token(LetterKind.STAFF_INVITATION, number=2)
    logged_in = await desk.ask(desk.login(email=NURSE, date_of_birth=NURSE_BORN, code=code(secret)))
    accept = AcceptInvitation(
        token=token,
        session=hash_of(logged_in.token),
        date_of_birth=NURSE_BORN,
        terms_version="2026-11",
    )
    assert (await desk.ask(accept)).enrolment == ""
    assert await desk.look("SELECT count(*) FROM seat") == 2


@pytest.mark.parametrize("state", [MailState.QUEUED, MailState.RETRYING, MailState.EXPIRED])
async def test_other_news_of_a_letter_changes_nothing(desk: Desk, state: MailState) -> None:
    patient = await desk.invite()
    await desk.settle(await settled(desk, state))
    await desk.settle(await settled(desk, MailState.SENT))
    await until(lambda: _is(desk, patient, "delivered"))
    await desk.becomes(patient, "invited", "delivered")


async def _is(desk: Desk, patient_id: UUID, state: str) -> bool:
    return (await desk.states(patient_id))[-1] == InvitationState(state)
