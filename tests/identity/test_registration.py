"""From an invitation to an account."""

import asyncio
from datetime import date, timedelta

import pytest

from libs.contracts.base import Refused
from libs.contracts.identity import (
    AskForNewLink,
    InvitationState,
    LetterKind,
    PasswordRule,
    PasswordSet,
    Refusal,
    ShowInvitation,
)
from libs.contracts.notifier import MailState
from libs.runtime.clock import utcnow
from services.identity import worker
from services.identity.domain import invitation as rules
from services.identity.domain.invitation import LINK_LIFETIME, Invitation
from tests.identity.desk import BORN, EMAIL, PASSWORD, PRACTICE, Desk

NOON = utcnow()
INVITED = Invitation(
    practice_id=PRACTICE,
    id=PRACTICE,
    patient_id=PRACTICE,
    role=None,
    name="Rosa Alvarez",
    email=EMAIL,
    date_of_birth=BORN,
    state=InvitationState.INVITED,
    version=1,
    change=1,
    sent_at=NOON,
    expires_at=NOON + LINK_LIFETIME,
)


def test_a_link_works_for_four_days_and_not_a_moment_longer() -> None:
    rules.check_link(INVITED, 1, now=NOON + timedelta(days=4) - timedelta(seconds=1))
    for late in (timedelta(0), timedelta(seconds=1)):
        with pytest.raises(Refused, match=Refusal.LINK_EXPIRED):
            rules.check_link(INVITED, 1, now=NOON + timedelta(days=4) + late)


def test_a_resend_starts_the_days_over_and_voids_the_older_link() -> None:
    later = NOON + timedelta(days=3)
    resent = rules.resent(INVITED, now=later)
    assert (resent.version, resent.expires_at) == (2, later + LINK_LIFETIME)
    rules.check_link(resent, 2, now=later)
    with pytest.raises(Refused, match=Refusal.LINK_VOID):
        rules.check_link(resent, 1, now=later)
    with pytest.raises(Refused, match=Refusal.SENT_MOMENTS_AGO):
        rules.resent(INVITED, now=NOON + timedelta(minutes=4))


def test_the_fifth_wrong_date_of_birth_locks_the_link() -> None:
    invitation = INVITED
    for _ in range(4):
        invitation = rules.wrong_date(invitation)
        rules.check_link(invitation, 1, now=NOON)
    invitation = rules.wrong_date(invitation)
    with pytest.raises(Refused, match=Refusal.LINK_LOCKED):
        rules.check_link(invitation, 1, now=NOON)
    assert rules.renewed(invitation, now=NOON).wrong_dates == 0


def test_a_letters_fate_is_told_only_of_its_own_version_and_before_anything_further() -> None:
    delivered = rules.settled(INVITED, 1, MailState.SENT)
    assert delivered
    assert delivered.state is InvitationState.DELIVERED
    bounced = rules.settled(INVITED, 1, MailState.BOUNCED)
    assert bounced
    assert bounced.state is InvitationState.BOUNCED
    opened = rules.opened(INVITED)
    assert opened
    assert rules.settled(opened, 1, MailState.SENT) is None
    assert rules.settled(rules.renewed(INVITED, now=NOON), 1, MailState.BOUNCED) is None


async def test_a_patient_registers_once_and_staff_see_each_step(desk: Desk) -> None:
    patient = await desk.invite()
    token = await desk.token()
    for _ in range(50):
        await desk.ask(ShowInvitation(token=token, opened=False))
    shown = await desk.ask(ShowInvitation(token=token, opened=False))
    assert (shown.email, shown.practice_name) == (EMAIL, "Lakeside Oncology")
    await desk.ask(ShowInvitation(token=token, opened=True))
    answer = await desk.ask(desk.registration(token))
    assert answer.accepted
    assert await desk.refusal(desk.registration(token)) == Refusal.LINK_USED
    assert await desk.refusal(ShowInvitation(token=token, opened=True)) == Refusal.LINK_USED

    async def states() -> bool:
        return await desk.states(patient) == ["invited", "opened", "registered"]

    from tests.waiting import until

    await until(states)
    assert await desk.session()


async def test_fifty_registrations_at_once_make_one_account(desk: Desk) -> None:
    await desk.invite()
    token = await desk.token()

    async def register() -> str:
        try:
            await desk.ask(desk.registration(token))
        except Refused as refused:
            return refused.code
        return "accepted"

    said = await asyncio.gather(*(register() for _ in range(50)))
    assert said.count("accepted") == 1
    assert set(said) <= {"accepted", Refusal.LINK_USED, Refusal.HAS_ACCOUNT, Refusal.BUSY}


@pytest.mark.parametrize(
    ("password", "broken"),
    [
        ("Ab1!xyz", {PasswordRule.LENGTH}),
        ("quiet-harbor-72", {PasswordRule.UPPERCASE}),
        ("QUIET-HARBOR-72", {PasswordRule.LOWERCASE}),
        ("Quiet-Harbor-xy", {PasswordRule.NUMBER}),
        ("QuietHarbor72", {PasswordRule.SPECIAL}),
        ("Password1!", {PasswordRule.NOT_COMMON}),
        ("Alvarez-is-72", {PasswordRule.NOT_PERSONAL}),
        ("Zq!x12041961", {PasswordRule.NOT_PERSONAL}),
        ("Aa1!" + "xk3-" * 64, {PasswordRule.TOO_LONG}),
    ],
)
async def test_a_password_is_told_which_rule_it_breaks(
    desk: Desk, password: str, broken: set[PasswordRule]
) -> None:
    await desk.invite()
    token = await desk.token()
    answer: PasswordSet = await desk.ask(
        desk.registration(token, password=password, confirm_password=password)
    )
    assert not answer.accepted
    assert {met.rule for met in answer.rules if not met.met} == broken
    assert (await desk.ask(desk.registration(token))).accepted


async def test_edges_of_length_are_taken(desk: Desk) -> None:
    for password, email in (("Zk3!vwxq", "a@example.com"), ("Zk3!" + "vw-q" * 63, "b@example.com")):
        assert len(password) in (8, 256)
        before = len(await desk.letters(LetterKind.INVITATION))
        await desk.invite(email)
        token = await desk.token(more_than=before)
        asked = desk.registration(token, password=password, confirm_password=password)
        assert (await desk.ask(asked)).accepted
        assert await desk.session(email=email, password=password)


async def test_a_wrong_date_of_birth_is_counted_and_tells_nothing(desk: Desk) -> None:
    patient = await desk.invite()
    token = await desk.token()
    wrong = desk.registration(token, date_of_birth=date(1961, 4, 13))
    for _ in range(5):
        assert await desk.refusal(wrong) == Refusal.WRONG_DATE_OF_BIRTH
    assert await desk.refusal(desk.registration(token)) == Refusal.LINK_LOCKED
    assert (await desk.states(patient))[-1] == "locked"


async def test_terms_have_to_be_accepted_and_both_passwords_the_same(desk: Desk) -> None:
    await desk.invite()
    token = await desk.token()
    assert (
        await desk.refusal(desk.registration(token, terms_version="")) == Refusal.TERMS_NOT_ACCEPTED
    )
    answer = await desk.ask(desk.registration(token, confirm_password=PASSWORD + "x"))
    assert [met.rule for met in answer.rules if not met.met] == [PasswordRule.CONFIRMED]


@pytest.mark.parametrize("change", ["", "x", "a.1.b", "{0}x", "{1}", "{2}"])
async def test_a_changed_link_leads_nowhere(desk: Desk, change: str) -> None:
    await desk.invite()
    token = await desk.token()
    other = change.format(token, token.swapcase(), token.replace(".1.", ".2."))
    assert await desk.refusal(ShowInvitation(token=other, opened=True)) == Refusal.LINK_UNKNOWN


async def test_an_expired_invitation_says_so_by_itself(desk: Desk) -> None:
    patient = await desk.invite()
    token = await desk.token()
    await desk.move(
        "UPDATE invitation SET sent_at = sent_at - $1::interval, expires_at = expires_at - $1::interval",
        timedelta(days=4),
    )
    assert await desk.refusal(desk.registration(token)) == Refusal.LINK_EXPIRED
    import asyncpg

    async with asyncpg.create_pool(
        desk.servers.database_url("identity"), server_settings={"search_path": "identity"}
    ) as pool:
        for _ in range(2):
            await worker.expire(pool, now=utcnow())

    async def expired() -> bool:
        return (await desk.states(patient))[-1] == "expired"

    from tests.waiting import until

    await until(expired)
    assert (await desk.states(patient)).count("expired") == 1
    await desk.ask(AskForNewLink(token=token, source="x"))
    await desk.ask(AskForNewLink(token=token, source="x"))
    await desk.ask(AskForNewLink(token="nonsense", source="x"))

    async def told() -> bool:
        return len(await desk.letters(LetterKind.NEW_LINK_WANTED)) == 1

    await until(told)


async def test_someone_with_an_account_is_asked_to_log_in_and_accept(desk: Desk) -> None:
    await desk.register()
    before = len(await desk.letters(LetterKind.INVITATION))
    await desk.invite()
    token = await desk.token(more_than=before)
    assert (await desk.ask(ShowInvitation(token=token, opened=True))).has_account
    assert await desk.refusal(desk.registration(token)) == Refusal.HAS_ACCOUNT
    from libs.contracts.identity import AcceptInvitation

    session = await desk.session()
    await desk.ask(
        AcceptInvitation(token=token, session=session, date_of_birth=BORN, terms_version="2026-11")
    )
    assert await desk.refusal(ShowInvitation(token=token, opened=True)) == Refusal.LINK_USED
