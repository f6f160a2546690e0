"""From an invitation to an account."""

import asyncio
from datetime import date, timedelta

import pytest

from libs.contracts.identity.invitations import InvitationState, ShowInvitation
from libs.contracts.identity.letters import LetterKind
from libs.contracts.identity.passwords import PasswordRule
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.registration import AcceptInvitation, PatientRegistered
from libs.contracts.identity.sessions import ResolveSession
from tests import parts
from tests.identity.desk import BORN, EMAIL, PASSWORD, PRACTICE, Desk

SECOND = timedelta(seconds=1)


async def test_a_patient_registers_once_and_staff_see_each_step(desk: Desk) -> None:
    patient = await desk.invite()
    token = await desk.token()
    await desk.ask(ShowInvitation(token=token, opened=True))
    assert (await desk.ask(desk.registration(token))).accepted
    assert await desk.refusal(desk.registration(token)) == Refusal.LINK_USED
    assert await desk.refusal(ShowInvitation(token=token, opened=True)) == Refusal.LINK_USED
    await desk.becomes(patient, "invited", "opened", "registered")
    assert [change.version for change in await desk.changes(patient)] == [1, 2, 3]
    (told,) = await parts.stored(desk.servers, PatientRegistered)
    resolved = await desk.resolve(await desk.session())
    assert (told.patient_id, told.account_id) == (patient, resolved.account_id)


async def test_looking_fifty_times_uses_nothing_up(desk: Desk) -> None:
    patient = await desk.invite()
    token = await desk.token()
    looks = [ShowInvitation(token=token, opened=False)] * 25
    shown = await asyncio.gather(*(desk.ask(look) for look in looks))
    assert {(one.email, one.practice_name, one.staff) for one in shown} == {
        (EMAIL, "Lakeside Oncology", False)
    }
    await desk.becomes(patient, "invited")
    looks = [ShowInvitation(token=token, opened=True)] * 25
    await asyncio.gather(*(desk.ask(look) for look in looks))
    await desk.becomes(patient, "invited", "opened")
    assert (await desk.ask(desk.registration(token))).accepted


async def test_a_link_works_until_its_four_days_are_over(desk: Desk) -> None:
    await desk.invite()
    token = await desk.token()
    show = ShowInvitation(token=token, opened=False)
    over = (await desk.ask(show)).expires_at
    sent = await desk.look("SELECT sent_at FROM invitation")
    assert over - sent == timedelta(days=4)
    for late in (timedelta(0), SECOND):
        assert await desk.refusal(show, now=over + late) == Refusal.LINK_EXPIRED
        asked = desk.registration(token)
        assert await desk.refusal(asked, now=over + late) == Refusal.LINK_EXPIRED
    assert await desk.at(over - SECOND, show)
    assert (await desk.at(over - SECOND, desk.registration(token))).accepted


async def test_fifty_registrations_at_once_make_one_account(desk: Desk) -> None:
    patient = await desk.invite()
    token = await desk.token()
    said = await asyncio.gather(*(desk.said(desk.registration(token)) for _ in range(50)))
    assert said.count("done") == 1
    assert set(said) <= {"done", "link_used", "has_account", "busy", "try_later"}
    assert await desk.look("SELECT count(*) FROM account") == 1
    await desk.becomes(patient, "invited", "registered")
    assert len(await parts.stored(desk.servers, PatientRegistered)) == 1


async def test_two_invitations_to_one_address_at_once_make_one_account(desk: Desk) -> None:
    await desk.invite()
    await desk.invite()
    tokens = [await desk.token(number=1), await desk.token(number=2)]
    said = await asyncio.gather(*(desk.said(desk.registration(token)) for token in tokens * 5))
    assert said.count("done") == 1
    assert await desk.look("SELECT count(*) FROM account") == 1


@pytest.mark.parametrize(
    ("password", "broken"),
    [
        ("Zk3!vwx", {PasswordRule.LENGTH}),
        ("QuietHarbor72", {PasswordRule.SPECIAL}),
        ("Password1!", {PasswordRule.NOT_COMMON}),
        ("Alvarez-is-72", {PasswordRule.NOT_PERSONAL}),
        ("Zq!x12041961", {PasswordRule.NOT_PERSONAL}),
        ("Lakeside-72x", {PasswordRule.NOT_PERSONAL}),
        ("Zk3!" + "vw-q" * 63 + "x", {PasswordRule.TOO_LONG}),
    ],
)
async def test_a_password_is_told_each_rule_and_which_it_breaks(
    desk: Desk, password: str, broken: set[PasswordRule]
) -> None:
    await desk.invite()
    token = await desk.token()
    answer = await desk.ask(desk.registration(token, password=password))
    assert not answer.accepted
    assert {met.rule for met in answer.rules if not met.met} == broken
    assert {met.rule for met in answer.rules} >= set(PasswordRule) - {PasswordRule.TOO_LONG}
    assert await desk.look("SELECT count(*) FROM account") == 0
    assert (await desk.ask(desk.registration(token))).accepted


@pytest.mark.parametrize(
    "password", ["Zk3!vwxq", "Zk3!" + "vw-q" * 63, "Café-Zürich-47", "Nul\0-Harbor-72"]
)
async def test_a_password_that_was_taken_gets_its_owner_in(desk: Desk, password: str) -> None:
    await desk.register(password=password)
    assert await desk.session(password=password)
    assert await desk.refusal(desk.login(password=password[:-1])) == Refusal.NOT_RECOGNISED
    decomposed = password.replace("é", "e\u0301").replace("ü", "u\u0308")
    assert await desk.session(password=decomposed)


async def test_five_wrong_dates_of_birth_lock_the_link(desk: Desk) -> None:
    patient = await desk.invite()
    token = await desk.token()
    wrong = desk.registration(token, date_of_birth=date(1961, 4, 13))
    none = desk.registration(token, date_of_birth=None)
    for _ in range(3):
        assert await desk.refusal(none) == Refusal.WRONG_DATE_OF_BIRTH
    for _ in range(5):
        assert await desk.refusal(wrong) == Refusal.WRONG_DATE_OF_BIRTH
    assert await desk.refusal(desk.registration(token)) == Refusal.LINK_LOCKED
    shown = ShowInvitation(token=token, opened=True)
    assert await desk.refusal(shown) == Refusal.LINK_LOCKED
    await desk.becomes(patient, "invited", "locked")


async def test_fifty_dates_of_birth_at_once_are_five_tries(desk: Desk) -> None:
    patient = await desk.invite()
    token = await desk.token()
    days = [date(1990, 1, 1) + timedelta(days=day) for day in range(50)]
    said = await asyncio.gather(
        *(desk.said(desk.registration(token, date_of_birth=day, source=str(day))) for day in days)
    )
    assert said.count(Refusal.WRONG_DATE_OF_BIRTH) == 5
    assert said.count(Refusal.LINK_LOCKED) == 45
    await desk.becomes(patient, "invited", "locked")


async def test_terms_have_to_be_accepted(desk: Desk) -> None:
    await desk.invite()
    token = await desk.token()
    without = desk.registration(token, terms_version="")
    assert await desk.refusal(without) == Refusal.TERMS_NOT_ACCEPTED
    assert (await desk.ask(desk.registration(token))).accepted
    assert await desk.look("SELECT terms_version FROM account") == "2026-11"


@pytest.mark.parametrize("change", ["", "x", "a.1.b", "{0}x", "{1}", "{2}", "{3}", "{0}\0"])
async def test_a_changed_link_leads_nowhere(desk: Desk, change: str) -> None:
    await desk.invite()
    token = await desk.token()
    other = change.format(token, token.swapcase(), token.replace(".1.", ".2."), token[:-1])
    assert await desk.refusal(ShowInvitation(token=other, opened=True)) == Refusal.LINK_UNKNOWN
    assert await desk.refusal(desk.registration(other)) == Refusal.LINK_UNKNOWN


async def test_someone_with_an_account_logs_in_and_accepts(desk: Desk) -> None:
    await desk.register()
    second = await desk.invite()
    token = await desk.token(number=2)
    assert (await desk.ask(ShowInvitation(token=token, opened=True))).has_account
    assert await desk.refusal(desk.registration(token)) == Refusal.HAS_ACCOUNT
    accept = AcceptInvitation(
        token=token, session=await desk.session(), date_of_birth=BORN, terms_version="2026-11"
    )
    assert await desk.refusal(accept.model_copy(update={"session": b"x"})) == Refusal.NO_SESSION
    no_terms = accept.model_copy(update={"terms_version": ""})
    assert await desk.refusal(no_terms) == Refusal.TERMS_NOT_ACCEPTED
    said = await asyncio.gather(*(desk.said(accept) for _ in range(20)))
    assert said.count("done") == 1
    assert set(said) <= {"done", Refusal.LINK_USED, Refusal.TRY_LATER}
    await desk.becomes(second, "invited", "opened", "registered")
    told = await parts.stored(desk.servers, PatientRegistered)
    assert len({event.account_id for event in told}) == 1
    assert len({event.patient_id for event in told}) == 2


async def test_nobody_accepts_what_was_sent_to_another(desk: Desk) -> None:
    await desk.register("ana@example.com")
    await desk.invite()
    token = await desk.token(number=2)
    ana = await desk.session(email="ana@example.com")
    accept = AcceptInvitation(token=token, session=ana, date_of_birth=BORN, terms_version="2026-11")
    assert await desk.refusal(accept) == Refusal.NOT_ALLOWED
    assert (await desk.ask(desk.registration(token))).accepted


async def test_accepting_takes_the_right_date_of_birth_within_five_tries(desk: Desk) -> None:
    await desk.register()
    patient = await desk.invite()
    token = await desk.token(number=2)
    wrong = AcceptInvitation(
        token=token,
        session=await desk.session(),
        date_of_birth=date(1961, 4, 13),
        terms_version="2026-11",
    )
    for _ in range(5):
        assert await desk.refusal(wrong) == Refusal.WRONG_DATE_OF_BIRTH
    right = wrong.model_copy(update={"date_of_birth": BORN})
    assert await desk.refusal(right) == Refusal.LINK_LOCKED
    await desk.becomes(patient, "invited", "locked")


async def test_a_date_that_differs_from_the_accounts_own_is_the_practices_to_know(
    desk: Desk,
) -> None:
    """The practice's list says who is invited; the account keeps its own."""
    await desk.register()
    await desk.invite(born=date(1961, 4, 21))
    token = await desk.token(number=2)
    accept = AcceptInvitation(
        token=token,
        session=await desk.session(),
        date_of_birth=date(1961, 4, 21),
        terms_version="2026-11",
    )
    assert await desk.ask(accept)
    assert await desk.session(date_of_birth=BORN)


async def test_registering_says_nothing_of_a_password_and_keeps_none(desk: Desk) -> None:
    await desk.register()
    kept = await desk.look("SELECT password_hash FROM account")
    assert kept.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert PASSWORD not in kept
    assert await desk.look("SELECT count(*) FROM account WHERE account::text LIKE '%Quiet%'") == 0
    assert [due.practice_id for due in await desk.letters(LetterKind.INVITATION)] == [PRACTICE]


async def test_the_states_that_staff_see_are_only_ever_told_in_order(desk: Desk) -> None:
    patient = await desk.invite()
    token = await desk.token()
    looks = [desk.ask(ShowInvitation(token=token, opened=True)) for _ in range(10)]
    registering = desk.said(desk.registration(token))
    await asyncio.gather(registering, *looks, return_exceptions=True)
    await desk.all_told()
    changes = await desk.changes(patient)
    assert [change.version for change in changes] == list(range(1, len(changes) + 1))
    assert changes[-1].state is InvitationState.REGISTERED


async def test_a_session_from_before_is_not_another_persons(desk: Desk) -> None:
    await desk.register()
    assert await desk.refusal(ResolveSession(session=b"")) == Refusal.NO_SESSION
    assert await desk.refusal(ResolveSession(session=b"x" * 32)) == Refusal.NO_SESSION
