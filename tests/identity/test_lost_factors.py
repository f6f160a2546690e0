"""Who lost phone and recovery codes is helped: by another administrator, or by the operator."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.activity import Act
from libs.contracts.base import Refused
from libs.contracts.identity.acts import IdentityActed
from libs.contracts.identity.factors import (
    PROVEN_FOR,
    REASON_LIMIT,
    BeginCode,
    ConfirmCode,
    ResetFactors,
    ShowFactors,
)
from libs.contracts.identity.invitations import InvitationState
from libs.contracts.identity.letters import LetterKind
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.registration import AcceptInvitation
from libs.contracts.identity.staff import ResetColleagueFactors
from libs.contracts.visa import Capacity, Role
from libs.runtime.clock import utcnow
from services.identity.domain.team import why
from tests import parts
from tests.identity.desk import EMAIL, NURSE_BORN, PRACTICE, Desk, code, hash_of, secret_in
from tests.identity.test_team import BOSS, KIM, LETTER, Office, logged_in
from tests.identity.test_team import office as administrators_office

office = administrators_office
ELSEWHERE = UUID("0192a000-0000-7000-8000-00000000bbbb")


def test_the_operator_says_why_in_one_line() -> None:
    assert why(" Came with her  passport. ") == "Came with her passport."
    for text, refusal in (("", "reason_missing"), ("x" * (REASON_LIMIT + 1), "too_long")):
        with pytest.raises(Refused, match=refusal):
            why(text)


async def resets(office: Office, email: str = KIM) -> ResetColleagueFactors:
    invitation_id = (await office.member(email)).invitation_id
    return ResetColleagueFactors(visa=await office.visa(), invitation_id=invitation_id)


async def told(desk: Desk) -> list[str]:
    """Whose factors a letter says were changed."""
    count = len(await desk.letters(LetterKind.FACTORS_CHANGED))
    return [
        (await desk.letter(LetterKind.FACTORS_CHANGED, number=number + 1)).email
        for number in range(count)
    ]


def comes_in(email: str, **changes: Any) -> dict[str, Any]:
    return {"email": email, "date_of_birth": NURSE_BORN} | changes


async def test_a_colleague_is_out_at_once_and_back_by_a_letter_with_codes_of_their_own(
    office: Office,
) -> None:
    desk = office.desk
    secret = await office.registers()
    kims = await logged_in(desk, KIM, secret)
    kim_id = (await desk.resolve(kims)).session_id
    before = len(await desk.letters(LETTER))
    await desk.ask(await resets(office))

    assert await desk.ended() >= {kim_id}
    assert await told(desk) == [KIM]
    kim = await office.member()
    assert (kim.state, kim.role) == (InvitationState.INVITED, Role.CLINICIAN)
    assert (kim.factors_reset_by, kim.factors_reset_at is not None) == ("Nora Lind", True)
    later = utcnow() + timedelta(minutes=1)
    for door in (
        desk.staff_login(email=KIM, code=code(secret, later)),
        desk.staff_login(email=KIM),
    ):
        assert await desk.refusal(door, now=later) == Refusal.NOT_RECOGNISED

    token = await desk.token(LETTER, number=before + 1)
    opened = await desk.ask(desk.login(**comes_in(KIM)))
    accepts = AcceptInvitation(
        token=token,
        session=hash_of(opened.token),
        date_of_birth=NURSE_BORN,
        terms_version="2026-11",
    )
    anew = secret_in((await desk.ask(accepts)).enrolment)
    assert anew != secret
    seat = (await desk.resolve(await logged_in(desk, KIM, anew))).seat
    assert seat
    assert seat.role is Role.CLINICIAN
    assert (await office.member()).state is InvitationState.REGISTERED


async def test_nobody_resets_their_own_nor_without_a_proof_nor_as_a_clinician(
    office: Office,
) -> None:
    desk = office.desk
    assert await desk.refusal(await resets(office, BOSS)) == Refusal.OWN_FACTORS
    secret = await office.registers()
    kims = Office(desk, await logged_in(desk, KIM, secret))
    assert await desk.refusal(await resets(kims, BOSS)) == Refusal.NOT_ALLOWED
    asked = await resets(office)
    stale = (
        f"UPDATE session SET proven_at = now() - interval '{PROVEN_FOR.total_seconds()} seconds'"
    )
    await desk.change(stale)
    assert await desk.refusal(asked) == Refusal.PROOF_NEEDED
    assert await told(desk) == []


async def test_who_has_not_registered_or_is_off_the_team_has_nothing_to_reset(
    office: Office,
) -> None:
    await office.desk.ask(await office.invites())
    asked = await resets(office)
    assert await office.desk.refusal(asked) == Refusal.NOT_REGISTERED
    await office.desk.ask(await office.remove(KIM))
    assert await office.desk.refusal(asked) == Refusal.INVITATION_ENDED


async def test_of_two_administrators_who_reset_each_other_one_stays(office: Office) -> None:
    desk = office.desk
    secret = await office.registers(role=Role.ADMINISTRATOR)
    kims = Office(desk, await logged_in(desk, KIM, secret))
    mine, theirs = await resets(office), await resets(kims, BOSS)
    said = await asyncio.gather(desk.said(mine), desk.said(theirs))
    assert said.count("done") == 1
    assert max(said) in (Refusal.NOT_ALLOWED, Refusal.PROOF_NEEDED)
    assert await desk.look("SELECT count(*) FROM seat WHERE role = 'administrator'") == 1


async def test_an_account_that_opens_more_than_this_practice_is_not_for_its_administrator(
    office: Office,
) -> None:
    desk = office.desk
    secret = await office.registers()
    kim_id = (await office.member()).account_id
    await desk.open_practice(ELSEWHERE)
    await desk.change(
        "INSERT INTO seat (practice_id, account_id, role) VALUES ($1, $2, 'clinician')",
        ELSEWHERE,
        kim_id,
    )
    assert await desk.refusal(await resets(office)) == Refusal.ACCOUNT_OPENS_MORE
    await desk.change("DELETE FROM seat WHERE practice_id = $1", ELSEWHERE)
    patient_id = await desk.invite(KIM)
    await desk.change(
        "UPDATE invitation SET state = 'registered', account_id = $1 WHERE patient_id = $2",
        kim_id,
        patient_id,
    )
    assert await desk.refusal(await resets(office)) == Refusal.ACCOUNT_OPENS_MORE
    later = utcnow() + timedelta(minutes=1)
    assert await desk.at(later, desk.staff_login(email=KIM, code=code(secret, later)))
    assert await told(desk) == []


async def test_the_operator_helps_a_patient_and_it_stands_in_their_log(desk: Desk) -> None:
    patient_id = await desk.register()
    session = await desk.session()
    secret = secret_in((await desk.ask(BeginCode(session=session))).enrolment)
    await desk.ask(ConfirmCode(session=session, code=code(secret)))
    assert await desk.refusal(desk.login()) == Refusal.CODE_NEEDED

    done = await desk.as_operator(ResetFactors(email=EMAIL.upper(), reason="Came by."))
    assert done.name.startswith("Rosa Alvarez")
    assert done.practices == ()
    assert len(await desk.ended()) == 1
    fresh = await desk.session()
    shown = await desk.ask(ShowFactors(session=fresh))
    assert (shown.code, shown.recovery_codes, shown.passkeys) == (False, 0, ())
    assert (await told(desk))[-1] == EMAIL
    await desk.all_told()
    acted = [
        (one.patient_id, one.capacity, one.account_id)
        for one in await parts.stored(desk.servers, IdentityActed)
        if one.act is Act.RESET_FACTORS
    ]
    assert acted == [(patient_id, Capacity.MACHINE, UUID(int=0))]
    assert await desk.look("SELECT reason FROM factor_reset") == "Came by."


async def test_the_operator_helps_the_last_administrator(office: Office) -> None:
    desk = office.desk
    before = len(await desk.letters(LETTER))
    done = await desk.as_operator(ResetFactors(email=BOSS, reason="Called at her number."))
    assert done.practices == ("Lakeside Oncology",)
    token = await desk.token(LETTER, number=before + 1)
    opened = await desk.ask(desk.login(**comes_in(BOSS)))
    accepts = AcceptInvitation(
        token=token,
        session=hash_of(opened.token),
        date_of_birth=NURSE_BORN,
        terms_version="2026-11",
    )
    secret = secret_in((await desk.ask(accepts)).enrolment)
    seat = (await desk.resolve(await logged_in(desk, BOSS, secret))).seat
    assert seat
    assert (seat.practice_id, seat.role) == (PRACTICE, Role.ADMINISTRATOR)


async def test_the_operator_is_told_of_an_address_that_is_nobodys_and_has_to_say_why(
    desk: Desk,
) -> None:
    for said, refusal in (
        ({"email": "nobody@example.com", "reason": "x"}, Refusal.UNKNOWN_ACCOUNT),
        ({"email": EMAIL, "reason": " "}, Refusal.REASON_MISSING),
    ):
        with pytest.raises(Refused, match=refusal):
            await desk.as_operator(ResetFactors(**said))
