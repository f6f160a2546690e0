"""Guessing ends, for whoever guesses; the owner gets in."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from libs.contracts.identity.letters import LetterKind
from libs.contracts.identity.passwords import ChangePassword, ForgotPassword, ResetPassword
from libs.contracts.identity.refusals import Refusal
from libs.runtime.clock import utcnow
from services.identity.domain.throttle import (
    LIMITS,
    WINDOW,
    Count,
    Guess,
    Scope,
    counted,
    held_back,
)
from services.identity.guessing import Guesser
from tests.identity.desk import EMAIL, HOME, Desk, code

AWAY = "198.51.100.7"
WRONG = "Wrong-Meadow-58"
NEW = "Other-Meadow-58"
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("scope", Scope)
def test_a_count_holds_back_the_try_after_the_last_one(scope: Scope) -> None:
    assert not held_back([Count(scope=scope, failures=LIMITS[scope])])
    assert held_back([Count(scope=scope, failures=LIMITS[scope] + 1)])


def test_strangers_are_counted_apart_from_where_the_owner_came_in_before() -> None:
    guess = Guess(who=b"w", source=b"s", scopes=frozenset(Scope) - {Scope.ASKING})
    assert Scope.FAMILIAR not in counted(guess, familiar=False)
    assert Scope.STRANGERS not in counted(guess, familiar=True)


def test_counts_name_nobody() -> None:
    guesser = Guesser(key=b"k" * 32)
    guess = guesser.at_the_door(EMAIL, HOME)
    other = replace(guesser, key=b"l" * 32).at_the_door(EMAIL, HOME)
    assert len({guess.who, guess.source, other.who, other.source}) == 4
    assert EMAIL.encode() not in guess.who
    assert repr(guesser) == "Guesser()"


async def test_ten_wrong_tries_from_one_source_are_the_most_until_it_pauses(desk: Desk) -> None:
    await desk.register()
    now = utcnow()
    for number in range(10):
        wrong = desk.login(password=WRONG)
        then = now + number * SECOND
        assert await desk.refusal(wrong, now=then) == Refusal.NOT_RECOGNISED
    last = now + 9 * SECOND
    assert await desk.refusal(desk.login(), now=last + WINDOW - SECOND) == Refusal.TRY_LATER
    assert await desk.at(last + WINDOW, desk.login())


async def test_no_quarter_of_an_hour_holds_more_than_ten(desk: Desk) -> None:
    """Also where the tries are spread so as to straddle two windows."""
    await desk.register()
    began = utcnow()
    taken = []
    for minute in range(0, 120, 1):
        now = began + timedelta(minutes=minute)
        if await desk.refusal(desk.login(password=WRONG), now=now) == Refusal.NOT_RECOGNISED:
            taken.append(minute)
    most = max(sum(start <= minute < start + 15 for minute in taken) for start in taken)
    assert most == 10


async def test_another_source_is_not_held_back(desk: Desk) -> None:
    await desk.register()
    for _ in range(10):
        assert await desk.refusal(desk.login(password=WRONG)) == Refusal.NOT_RECOGNISED
    assert await desk.refusal(desk.login()) == Refusal.TRY_LATER
    assert await desk.session(source=AWAY)


async def test_an_address_without_an_account_is_counted_like_one_with(desk: Desk) -> None:
    await desk.register()
    for email in (EMAIL, "ghost@example.com", "not an address"):
        said = [await desk.said(desk.login(email=email, password=WRONG)) for _ in range(11)]
        assert said == [Refusal.NOT_RECOGNISED] * 10 + [Refusal.TRY_LATER]


async def test_fifty_tries_at_once_are_ten(desk: Desk) -> None:
    await desk.register()
    wrong = desk.login(password=WRONG)
    said = await asyncio.gather(*(desk.said(wrong) for _ in range(50)))
    assert said.count(Refusal.NOT_RECOGNISED) == 10
    assert said.count(Refusal.TRY_LATER) == 40


async def test_the_right_person_starts_the_count_over(desk: Desk) -> None:
    await desk.register()
    for _ in range(3):
        for _ in range(9):
            assert await desk.refusal(desk.login(password=WRONG)) == Refusal.NOT_RECOGNISED
        assert await desk.session()


async def test_one_source_has_two_hundred_wrong_tries_at_all_accounts(desk: Desk) -> None:
    await desk.register()
    now = utcnow()
    for number in range(200):
        wrong = desk.login(email=f"ghost{number}@example.com", password=WRONG, source=AWAY)
        assert await desk.refusal(wrong, now=now) == Refusal.NOT_RECOGNISED
    assert await desk.refusal(desk.login(source=AWAY), now=now) == Refusal.TRY_LATER
    assert await desk.session()
    assert await desk.at(now + WINDOW, desk.login(source=AWAY))


async def test_logging_in_oneself_does_not_buy_more_guesses_at_others(desk: Desk) -> None:
    """The count of a source is not forgotten because somebody there knew their own password."""
    await desk.register()
    for number in range(5):
        await desk.said(desk.login(email=f"ghost{number}@example.com", password=WRONG))
    await desk.session()
    counted = await desk.look("SELECT failures FROM attempt WHERE scope = 'source'")
    assert counted == 5


async def test_strangers_from_everywhere_do_not_keep_the_owner_out(desk: Desk) -> None:
    await desk.register()
    await desk.session()
    for number in range(100):
        wrong = desk.login(password=WRONG, source=f"192.0.2.{number}")
        assert await desk.refusal(wrong) == Refusal.NOT_RECOGNISED
    later = utcnow() + timedelta(days=1)
    assert await desk.refusal(desk.login(source="192.0.2.200"), now=later) == Refusal.TRY_LATER
    assert await desk.session()
    assert await desk.refusal(desk.login(source="192.0.2.200"), now=later) == Refusal.TRY_LATER


async def test_the_link_in_an_email_gets_the_owner_in_from_anywhere(desk: Desk) -> None:
    await desk.register()
    for number in range(100):
        await desk.refusal(desk.login(password=WRONG, source=f"192.0.2.{number}"))
    for _ in range(10):
        await desk.refusal(desk.login(password=WRONG, source=HOME))
    for source in (AWAY, HOME):
        assert await desk.refusal(desk.login(source=source)) == Refusal.TRY_LATER
    await desk.ask(ForgotPassword(email=EMAIL, source=AWAY))
    token = await desk.token(LetterKind.PASSWORD_RESET)
    await desk.ask(ResetPassword(token=token, password=NEW, confirm_password=NEW, source=AWAY))
    for source in (AWAY, HOME, "192.0.2.3"):
        assert await desk.session(password=NEW, source=source)


async def test_counts_outlast_a_restart(desk: Desk) -> None:
    """They are rows; another replica, or the next process, goes on from them."""
    await desk.register()
    for _ in range(10):
        await desk.refusal(desk.login(password=WRONG))
    assert await desk.refusal(desk.login(), now=utcnow()) == Refusal.TRY_LATER


async def test_a_wrong_code_counts_and_a_missing_one_does_not(desk: Desk) -> None:
    secret = await desk.register_staff()
    for _ in range(15):
        assert await desk.refusal(desk.staff_login()) == Refusal.CODE_NEEDED
    for _ in range(10):
        wrong = desk.staff_login(code="000000" if code(secret) != "000000" else "111111")
        assert await desk.refusal(wrong) == Refusal.NOT_RECOGNISED
    assert await desk.refusal(desk.staff_login(code=code(secret))) == Refusal.TRY_LATER


async def test_whoever_is_logged_in_guesses_the_password_ten_times(desk: Desk) -> None:
    await desk.register()
    session = await desk.session()
    wrong = ChangePassword(
        session=session, current_password=WRONG, password=NEW, confirm_password=NEW
    )
    said = [await desk.said(wrong) for _ in range(11)]
    assert said == [Refusal.WRONG_PASSWORD] * 10 + [Refusal.TRY_LATER]
    assert await desk.session()


async def test_one_source_asks_for_sixty_letters_at_most(desk: Desk) -> None:
    now = utcnow()
    for number in range(60):
        await desk.at(now, ForgotPassword(email=f"ghost{number}@example.com", source=HOME))
    more = ForgotPassword(email=EMAIL, source=HOME)
    assert await desk.refusal(more, now=now) == Refusal.TRY_LATER
    assert await desk.at(now + WINDOW, more)
    assert await desk.at(now, more.model_copy(update={"source": AWAY}))


async def test_old_counts_are_swept_away_but_not_those_that_only_the_owner_ends(
    desk: Desk,
) -> None:
    from services.identity import worker

    await desk.register()
    await desk.refusal(desk.login(password=WRONG, source=AWAY))
    await worker.sweep(desk.pool, now=utcnow() + timedelta(days=2))
    assert await desk.look("SELECT string_agg(scope, ' ') FROM attempt") == "strangers"
