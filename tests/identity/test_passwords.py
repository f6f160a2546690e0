"""Passwords forgotten, reset and changed."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from libs.contracts.identity.addresses import ChangeEmail, ConfirmEmail
from libs.contracts.identity.letters import LetterKind
from libs.contracts.identity.passwords import (
    ChangePassword,
    ForgotPassword,
    PasswordRule,
    ResetPassword,
    ShowResetLink,
)
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.sessions import ResolveSession
from libs.runtime.clock import utcnow
from tests.identity.desk import EMAIL, HOME, NURSE, PASSWORD, Desk, code

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
AWAY = "198.51.100.7"
NEW = "Other-Meadow-58"
NEWER = "Third-Meadow-94"
WRONG = "Wrong-Meadow-58"


def forgot(email: str = EMAIL, source: str = AWAY) -> ForgotPassword:
    return ForgotPassword(email=email, source=source)


def reset(token: str, password: str = NEW, *, source: str = AWAY) -> ResetPassword:
    return ResetPassword(token=token, password=password, confirm_password=password, source=source)


def change(session: bytes, password: str = NEW, *, current: str = PASSWORD) -> ChangePassword:
    return ChangePassword(
        session=session, current_password=current, password=password, confirm_password=password
    )


async def link(desk: Desk, *, now: datetime | None = None) -> str:
    """The token in a new reset letter."""
    before = len(await desk.letters(LetterKind.PASSWORD_RESET))
    await desk.at(now or utcnow(), forgot())
    return await desk.token(LetterKind.PASSWORD_RESET, number=before + 1)


async def test_the_owner_sets_a_password_by_the_link_and_logs_in_with_it(desk: Desk) -> None:
    await desk.register()
    token = await link(desk)
    assert (await desk.ask(reset(token))).accepted
    assert await desk.refusal(desk.login(), now=utcnow()) == Refusal.NOT_RECOGNISED
    assert await desk.session(password=NEW)


async def test_a_link_works_for_exactly_an_hour(desk: Desk) -> None:
    await desk.register()
    now = utcnow()
    token = await link(desk, now=now)
    for late in (HOUR, HOUR + SECOND):
        for asked in (ShowResetLink(token=token), reset(token)):
            assert await desk.refusal(asked, now=now + late) == Refusal.LINK_EXPIRED
    last = now + HOUR - SECOND
    assert (await desk.at(last, ShowResetLink(token=token))).expires_at == now + HOUR
    assert (await desk.at(last, reset(token))).accepted


async def test_looking_at_a_link_fifty_times_uses_nothing_up(desk: Desk) -> None:
    await desk.register()
    token = await link(desk)
    await asyncio.gather(*(desk.ask(ShowResetLink(token=token)) for _ in range(50)))
    assert (await desk.ask(reset(token))).accepted


async def test_a_link_sets_a_password_once(desk: Desk) -> None:
    await desk.register()
    token = await link(desk)
    said = await asyncio.gather(*(desk.said(reset(token)) for _ in range(50)))
    assert said.count("done") == 1
    assert set(said) <= {"done", Refusal.LINK_USED, Refusal.BUSY, Refusal.TRY_LATER}
    for asked in (ShowResetLink(token=token), reset(token, NEWER)):
        assert await desk.refusal(asked) == Refusal.LINK_USED
    assert await desk.session(password=NEW)
    await desk.all_told()
    assert len(await desk.letters(LetterKind.PASSWORD_CHANGED)) == 1


async def test_a_newer_link_voids_the_one_before(desk: Desk) -> None:
    await desk.register()
    older, newer = await link(desk), await link(desk)
    for asked in (ShowResetLink(token=older), reset(older)):
        assert await desk.refusal(asked) == Refusal.LINK_VOID
    assert (await desk.ask(reset(newer))).accepted


async def test_a_changed_password_voids_the_link(desk: Desk) -> None:
    await desk.register()
    token = await link(desk)
    assert (await desk.ask(change(await desk.session()))).accepted
    assert await desk.refusal(reset(token, NEWER)) == Refusal.LINK_VOID
    assert await desk.session(password=NEW)


async def test_asking_for_a_link_changes_nothing_until_it_is_used(desk: Desk) -> None:
    await desk.register()
    session = await desk.session()
    await link(desk)
    assert await desk.resolve(session)
    assert await desk.session()


async def test_the_answer_is_the_same_for_an_address_that_nobody_has(desk: Desk) -> None:
    await desk.register()
    await desk.register("gone@example.com")
    await desk.change("UPDATE account SET active = false WHERE email = 'gone@example.com'")
    await desk.invite("invited@example.com")
    asked = ["nobody@example.com", "gone@example.com", "invited@example.com", "", "no address"]
    replies = [await desk.ask(forgot(email)) for email in [*asked, "x" * 100_000, EMAIL]]
    assert len({reply.model_dump_json() for reply in replies}) == 1
    await desk.all_told()
    assert len(await desk.letters(LetterKind.PASSWORD_RESET)) == 1
    assert (await desk.letter(LetterKind.PASSWORD_RESET)).email == EMAIL


async def test_a_reset_ends_every_session_and_tells_the_owner(desk: Desk) -> None:
    await desk.register()
    open_ones = [await desk.session() for _ in range(3)]
    ids = {(await desk.resolve(session)).session_id for session in open_ones}
    token = await link(desk)
    now = utcnow()
    await desk.at(now, reset(token))
    for session in open_ones:
        assert await desk.refusal(ResolveSession(session=session)) == Refusal.NO_SESSION
    assert await desk.ended() == ids
    told = await desk.letter(LetterKind.PASSWORD_CHANGED)
    assert (told.email, told.greeting_name, told.happened_at) == (EMAIL, "Rosa", now)


async def test_a_reset_does_not_log_anyone_in_nor_go_around_the_code(desk: Desk) -> None:
    secret = await desk.register_staff()
    await desk.ask(forgot(NURSE))
    token = await desk.token(LetterKind.PASSWORD_RESET)
    assert (await desk.ask(reset(token))).enrolment == ""
    assert await desk.look("SELECT count(*) FROM session") == 0
    assert await desk.refusal(desk.staff_login(password=NEW)) == Refusal.CODE_NEEDED
    assert await desk.ask(desk.staff_login(password=NEW, code=code(secret)))


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("Zk3!vwx", PasswordRule.LENGTH),
        ("Password1!", PasswordRule.NOT_COMMON),
        ("Alvarez-is-72", PasswordRule.NOT_PERSONAL),
        ("Zq!x12041961", PasswordRule.NOT_PERSONAL),
        ("Zk3!" * 100_000, PasswordRule.TOO_LONG),
    ],
)
async def test_a_password_that_breaks_a_rule_uses_nothing_up(
    desk: Desk, password: str, rule: PasswordRule
) -> None:
    await desk.register()
    token, session = await link(desk), await desk.session()
    for asked in (reset(token, password), change(session, password)):
        answer = await desk.ask(asked)
        assert not answer.accepted
        assert [met.rule for met in answer.rules if not met.met] == [rule]
    assert await desk.session()
    assert (await desk.ask(reset(token))).accepted


async def test_both_fields_have_to_hold_the_same(desk: Desk) -> None:
    await desk.register()
    token, session = await link(desk), await desk.session()
    for asked in (reset(token), change(session)):
        answer = await desk.ask(asked.model_copy(update={"confirm_password": NEWER}))
        broken = [met.rule for met in answer.rules if not met.met]
        assert broken == [PasswordRule.CONFIRMED]


@pytest.mark.parametrize(
    "changed",
    [
        lambda token, _: token[:-1],
        lambda token, _: token.swapcase(),
        lambda token, _: token.replace(".1.", ".2."),
        lambda token, _: f"{token}\0",
        lambda *_: "",
        lambda _, invitation: invitation,
    ],
)
async def test_no_other_link_sets_a_password(
    desk: Desk, changed: Callable[[str, str], str]
) -> None:
    await desk.register()
    await desk.invite("ana@example.com")
    other = changed(await link(desk), await desk.token(LetterKind.INVITATION, number=2))
    for asked in (ShowResetLink(token=other), reset(other)):
        assert await desk.refusal(asked) == Refusal.LINK_UNKNOWN


async def test_a_link_to_anothers_account_changes_only_that(desk: Desk) -> None:
    await desk.register()
    await desk.register("ana@example.com")
    token = await link(desk)
    await desk.ask(reset(token))
    assert await desk.session(email="ana@example.com")


async def test_three_letters_go_within_an_hour_and_ten_within_a_day(desk: Desk) -> None:
    """From where the owner came in before; the page says the same, whether or not one goes."""
    await desk.register()
    await desk.session()
    began = utcnow()
    gone: list[int] = []
    for minutes in range(0, 30 * 60, 15):
        known = len(await desk.letters(LetterKind.PASSWORD_RESET))
        await desk.at(began + timedelta(minutes=minutes), forgot(source=HOME))
        await desk.all_told()
        if len(await desk.letters(LetterKind.PASSWORD_RESET)) > known:
            gone.append(minutes)
    assert gone[:4] == [0, 15, 30, 60]
    assert max(sum(one <= other < one + 60 for other in gone) for one in gone) == 3
    assert max(sum(one <= other < one + 24 * 60 for other in gone) for one in gone) == 10


async def test_strangers_who_ask_all_day_use_up_nobodys_letters(desk: Desk) -> None:
    """They leave one for a device that the owner was never seen with, every 8 hours, and one an
    hour for a device that they were."""
    await desk.register()
    await desk.session()
    began = utcnow()

    async def letters() -> int:
        await desk.all_told()
        return len(await desk.letters(LetterKind.PASSWORD_RESET))

    strange: list[int] = []
    for hour in range(24):
        for number in range(4):
            before = await letters()
            now = began + timedelta(hours=hour, minutes=number)
            await desk.at(now, forgot(source=f"192.0.2.{hour}"))
            strange += [hour] * (await letters() - before)
    assert len(strange) == 7
    pauses = [later - one for one, later in zip(strange, [*strange[1:], 24], strict=True)]
    assert max(pauses) <= 8
    before = await letters()
    await desk.at(began + timedelta(hours=23, minutes=30), forgot(source=HOME))
    assert await letters() == before + 1


async def test_changing_a_password_ends_every_other_session_and_tells_the_owner(
    desk: Desk,
) -> None:
    await desk.register()
    here, there = await desk.session(), await desk.session()
    theirs = (await desk.resolve(there)).session_id
    now = utcnow()
    assert (await desk.at(now, change(here))).accepted
    assert await desk.resolve(here)
    assert await desk.refusal(ResolveSession(session=there)) == Refusal.NO_SESSION
    assert await desk.ended() == {theirs}
    told = await desk.letter(LetterKind.PASSWORD_CHANGED)
    assert (told.email, told.happened_at, told.path) == (EMAIL, now, "/forgot-password")
    assert await desk.refusal(desk.login()) == Refusal.NOT_RECOGNISED
    assert await desk.session(password=NEW)


async def test_a_new_password_takes_the_current_one(desk: Desk) -> None:
    await desk.register()
    session = await desk.session()
    for current in (WRONG, "", PASSWORD.lower(), PASSWORD + "x" * 300):
        assert await desk.refusal(change(session, current=current)) == Refusal.WRONG_PASSWORD
    assert await desk.session()
    assert await desk.refusal(change(b"x" * 32)) == Refusal.NO_SESSION
    await desk.all_told()
    assert not await desk.letters(LetterKind.PASSWORD_CHANGED)


async def test_of_many_changes_at_once_one_counts(desk: Desk) -> None:
    await desk.register()
    session = await desk.session()
    wanted = [f"Meadow-Gate-{number}{number}x" for number in range(10, 18)]
    said = await asyncio.gather(*(desk.said(change(session, password)) for password in wanted))
    assert said.count("done") == 1
    assert set(said) <= {"done", Refusal.WRONG_PASSWORD, Refusal.TRY_LATER}
    assert await desk.session(password=wanted[said.index("done")])


async def test_a_login_that_was_checked_before_the_password_changed_does_not_come_in(
    desk: Desk,
) -> None:
    """Whatever the order, nobody is in by the old password once the new one is set."""
    await desk.register()
    session = await desk.session()
    logins = [desk.said(desk.login(source=f"10.0.0.{number}")) for number in range(8)]
    changed, *said = await asyncio.gather(desk.said(change(session)), *logins)
    assert changed == "done"
    assert set(said) <= {"done", Refusal.NOT_RECOGNISED}
    assert await desk.look("SELECT count(*) FROM session") == 1


@pytest.mark.parametrize("by", ["reset", "change"])
async def test_a_new_password_voids_a_change_of_address_that_waits(desk: Desk, by: str) -> None:
    """A thief who knew the old one may have asked for it."""
    await desk.register()
    thief, owner = await desk.session(), await desk.session()
    await desk.ask(ChangeEmail(session=thief, current_password=PASSWORD, email="thief@example.com"))
    token = await desk.token(LetterKind.EMAIL_CONFIRMATION)
    asked = change(owner) if by == "change" else reset(await link(desk))
    assert (await desk.ask(asked)).accepted
    assert await desk.refusal(ConfirmEmail(token=token)) == Refusal.LINK_VOID
    assert await desk.session(password=NEW)
