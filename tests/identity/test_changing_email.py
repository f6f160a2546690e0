"""A change of e-mail address: the new one has to confirm, the old one is told."""

import asyncio
from datetime import timedelta

import pytest

from libs.contracts.identity.addresses import ChangeEmail, ConfirmEmail
from libs.contracts.identity.letters import DescribeLetter, LetterKind
from libs.contracts.identity.passwords import ForgotPassword, ResetPassword
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.sessions import ResolveSession
from libs.runtime.clock import utcnow
from tests.identity.desk import EMAIL, HOME, PASSWORD, Desk

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
NEW = "rosa.alvarez@example.org"
WRONG = "Wrong-Meadow-58"
AWAY = "198.51.100.7"


def change(session: bytes, email: str = NEW, *, password: str = PASSWORD) -> ChangeEmail:
    return ChangeEmail(session=session, current_password=password, email=email)


def confirm(token: str) -> ConfirmEmail:
    return ConfirmEmail(token=token, source=HOME)


async def test_the_new_address_confirms_and_the_old_one_is_told(desk: Desk) -> None:
    await desk.register()
    session = await desk.session()
    await desk.ask(change(session, f"  {NEW.upper()} "))
    letter = await desk.letter(LetterKind.EMAIL_CONFIRMATION)
    assert (letter.email, letter.greeting_name) == (NEW, "Rosa")
    assert await desk.session()
    assert await desk.refusal(desk.login(email=NEW)) == Refusal.NOT_RECOGNISED
    assert not await desk.letters(LetterKind.EMAIL_CHANGED)
    now = utcnow()
    await desk.at(now, confirm(await desk.token(LetterKind.EMAIL_CONFIRMATION)))
    assert await desk.session(email=NEW)
    assert await desk.refusal(desk.login()) == Refusal.NOT_RECOGNISED
    told = await desk.letter(LetterKind.EMAIL_CHANGED)
    assert (told.email, told.happened_at) == (EMAIL, now)


async def test_every_session_ends_but_the_one_that_asked(desk: Desk) -> None:
    await desk.register()
    here, there = await desk.session(), await desk.session()
    theirs = (await desk.resolve(there)).session_id
    await desk.ask(change(here))
    assert await desk.resolve(there)
    await desk.ask(confirm(await desk.token(LetterKind.EMAIL_CONFIRMATION)))
    assert await desk.refusal(ResolveSession(session=there)) == Refusal.NO_SESSION
    assert (await desk.resolve(here)).email == NEW
    assert await desk.ended() == {theirs}


async def test_a_confirmation_works_for_exactly_a_day(desk: Desk) -> None:
    await desk.register()
    now = utcnow()
    await desk.at(now, change(await desk.session()))
    token = await desk.token(LetterKind.EMAIL_CONFIRMATION)
    for late in (DAY, DAY + SECOND):
        assert await desk.refusal(confirm(token), now=now + late) == Refusal.LINK_EXPIRED
    assert await desk.at(now + DAY - SECOND, confirm(token))


async def test_an_address_is_confirmed_once(desk: Desk) -> None:
    await desk.register()
    await desk.ask(change(await desk.session()))
    token = await desk.token(LetterKind.EMAIL_CONFIRMATION)
    said = await asyncio.gather(*(desk.said(confirm(token)) for _ in range(20)))
    assert said.count("done") == 1
    assert set(said) <= {"done", Refusal.LINK_USED, Refusal.TRY_LATER}
    await desk.all_told()
    assert len(await desk.letters(LetterKind.EMAIL_CHANGED)) == 1


async def test_a_newer_change_voids_the_one_before(desk: Desk) -> None:
    await desk.register()
    session = await desk.session()
    await desk.ask(change(session, "first@example.com"))
    older = await desk.token(LetterKind.EMAIL_CONFIRMATION, number=1)
    await desk.ask(change(session))
    newer = await desk.token(LetterKind.EMAIL_CONFIRMATION, number=2)
    assert await desk.refusal(confirm(older)) == Refusal.LINK_VOID
    assert await desk.ask(confirm(newer))


async def test_it_takes_the_current_password(desk: Desk) -> None:
    await desk.register()
    session = await desk.session()
    wrong = change(session, password=WRONG)
    assert await desk.refusal(wrong) == Refusal.WRONG_PASSWORD
    assert await desk.refusal(change(b"x" * 32)) == Refusal.NO_SESSION
    await desk.all_told()
    assert not await desk.letters(LetterKind.EMAIL_CONFIRMATION)


@pytest.mark.parametrize(
    ("email", "refusal"),
    [
        (EMAIL.upper(), Refusal.SAME_EMAIL),
        ("", Refusal.EMAIL_NOT_USABLE),
        ("rosa", Refusal.EMAIL_NOT_USABLE),
        ("rosa@example.com\r\nBcc: eve@example.com", Refusal.EMAIL_NOT_USABLE),
        ("a@example.com, b@example.com", Refusal.EMAIL_NOT_USABLE),
    ],
)
async def test_it_takes_another_address(desk: Desk, email: str, refusal: Refusal) -> None:
    await desk.register()
    assert await desk.refusal(change(await desk.session(), email)) == refusal


async def test_nobody_learns_that_an_address_is_taken_and_nobody_takes_it(desk: Desk) -> None:
    await desk.register()
    await desk.register("ana@example.com")
    session = await desk.session()
    assert await desk.said(change(session, "ana@example.com")) == "done"
    token = await desk.token(LetterKind.EMAIL_CONFIRMATION)
    assert await desk.refusal(confirm(token)) == Refusal.LINK_VOID
    assert await desk.resolve(session)
    assert await desk.session()
    assert await desk.session(email="ana@example.com")
    await desk.all_told()
    assert not await desk.letters(LetterKind.EMAIL_CHANGED)


async def test_a_confirmed_address_voids_reset_links_to_the_old_one(desk: Desk) -> None:
    await desk.register()
    session = await desk.session()
    await desk.ask(ForgotPassword(email=EMAIL, source=AWAY))
    old_link = await desk.token(LetterKind.PASSWORD_RESET)
    await desk.ask(change(session))
    await desk.ask(confirm(await desk.token(LetterKind.EMAIL_CONFIRMATION)))
    asked = ResetPassword(token=old_link, password=WRONG, confirm_password=WRONG, source=AWAY)
    assert await desk.refusal(asked) == Refusal.LINK_VOID
    await desk.ask(ForgotPassword(email=EMAIL, source=AWAY))
    await desk.all_told()
    assert len(await desk.letters(LetterKind.PASSWORD_RESET)) == 1


async def test_no_other_link_confirms_an_address(desk: Desk) -> None:
    await desk.register()
    await desk.ask(change(await desk.session()))
    await desk.ask(ForgotPassword(email=EMAIL, source=AWAY))
    token = await desk.token(LetterKind.EMAIL_CONFIRMATION)
    reset = await desk.token(LetterKind.PASSWORD_RESET)
    for other in (reset, token[:-1], token.swapcase(), token.replace(".1.", ".2."), ""):
        assert await desk.refusal(confirm(other)) == Refusal.LINK_UNKNOWN
    given = ResetPassword(token=token, password=WRONG, confirm_password=WRONG, source=AWAY)
    assert await desk.refusal(given) == Refusal.LINK_UNKNOWN


async def test_three_confirmations_go_within_an_hour(desk: Desk) -> None:
    await desk.register()
    session, now = await desk.session(), utcnow()
    for number in range(3):
        await desk.at(now, change(session, f"new{number}@example.com"))
    assert await desk.refusal(change(session), now=now) == Refusal.TRY_LATER
    await desk.change("UPDATE email_change SET asked_at = asked_at - interval '1 hour'")
    assert await desk.at(now, change(session))


async def test_the_owner_is_known_from_before_under_the_new_address_too(desk: Desk) -> None:
    await desk.register()
    await desk.ask(change(await desk.session()))
    await desk.ask(confirm(await desk.token(LetterKind.EMAIL_CONFIRMATION)))
    for number in range(100):
        wrong = desk.login(email=NEW, password=WRONG, source=f"192.0.2.{number}")
        assert await desk.refusal(wrong, now=utcnow()) == Refusal.NOT_RECOGNISED
    assert await desk.refusal(desk.login(email=NEW, source=AWAY)) == Refusal.TRY_LATER
    assert await desk.session(email=NEW, source=HOME)


async def test_a_letter_for_a_change_that_is_void_is_not_written(desk: Desk) -> None:
    await desk.register()
    session = await desk.session()
    for email in ("first@example.com", NEW):
        await desk.ask(change(session, email))
    await desk.all_told()
    first, _ = await desk.letters(LetterKind.EMAIL_CONFIRMATION)
    asked = DescribeLetter(kind=first.kind, reference_id=first.reference_id, version=1)
    assert await desk.refusal(asked, now=utcnow()) == Refusal.LINK_VOID
    told = asked.model_copy(update={"kind": LetterKind.EMAIL_CHANGED})
    assert await desk.refusal(told, now=utcnow()) == Refusal.LINK_VOID
