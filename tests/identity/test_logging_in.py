"""Logging in: whatever does not fit, the answer is one and the same, in the same time."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.sessions import ResolveSession
from libs.runtime.clock import utcnow
from services.identity.hashing import Hashing
from tests.identity.desk import BORN, EMAIL, HOME, NURSE, NURSE_BORN, PASSWORD, Desk, code, hash_of

WRONG = "Wrong-Meadow-58"
INVITED = "invited@example.com"
GONE = "gone@example.com"


async def everyone(desk: Desk) -> None:
    """One of each: with an account, invited only, deactivated."""
    await desk.register()
    await desk.register(GONE)
    await desk.change("UPDATE account SET active = false WHERE email = $1", GONE)
    await desk.invite(INVITED)


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody@example.com"},
        {"email": INVITED},
        {"email": GONE},
        {"email": ""},
        {"email": "not an address"},
        {"email": f"{EMAIL}\0"},
        {"email": f"{EMAIL}, {GONE}"},
        {"email": "rоsa@example.com"},
        {"email": "x" * 100_000},
        {"password": WRONG},
        {"password": ""},
        {"password": PASSWORD + " "},
        {"password": PASSWORD.lower()},
        {"password": PASSWORD + "x" * 300},
        {"password": "x" * 500_000},
        {"password": "\0"},
        {"date_of_birth": date(1961, 4, 13)},
        {"date_of_birth": date(1961, 12, 4)},
        {"date_of_birth": None},
    ],
)
async def test_whatever_does_not_fit_the_answer_is_the_same(
    desk: Desk, wrong: dict[str, Any]
) -> None:
    await everyone(desk)
    assert await desk.refusal(desk.login(**wrong)) == Refusal.NOT_RECOGNISED
    assert await desk.look("SELECT count(*) FROM session") == 0
    assert await desk.session()


@pytest.mark.parametrize("email", [EMAIL.upper(), f" {EMAIL} ", "Rosa@Example.COM"])
async def test_an_address_is_known_however_it_is_written(desk: Desk, email: str) -> None:
    await desk.register()
    assert await desk.session(email=email)


async def test_a_login_opens_a_session_that_is_written_down(desk: Desk) -> None:
    await desk.register()
    opened = await desk.ask(desk.login(device="Firefox on\0 Android" + "x" * 200))
    assert not opened.staff
    assert len(opened.token) == 43
    first = await desk.resolve(hash_of(opened.token))
    assert (first.email, first.seat, first.previous_login_at) == (EMAIL, None, None)
    second = await desk.resolve(await desk.session())
    assert second.previous_login_at
    assert await desk.look("SELECT count(*) FROM sign_in WHERE NOT staff") == 2
    assert len(await desk.look("SELECT max(device) FROM sign_in")) <= 100


async def test_a_new_login_has_a_new_token_and_ends_the_one_that_came_along(desk: Desk) -> None:
    await desk.register()
    old = await desk.session()
    session_id = (await desk.resolve(old)).session_id
    new = await desk.session(earlier_session=old)
    assert old != new
    assert await desk.refusal(ResolveSession(session=old)) == Refusal.NO_SESSION
    assert await desk.ended() == {session_id}
    assert await desk.resolve(new)


async def test_a_session_from_elsewhere_is_not_taken_over(desk: Desk) -> None:
    """Whatever cookie a browser was given before, the session is a new one (fixation)."""
    await desk.register()
    planted = hash_of("planted")
    opened = await desk.ask(desk.login(earlier_session=planted))
    assert hash_of(opened.token) != planted
    assert await desk.refusal(ResolveSession(session=planted)) == Refusal.NO_SESSION


async def test_staff_come_in_with_a_code_and_get_a_seat(desk: Desk) -> None:
    secret = await desk.register_staff()
    assert await desk.refusal(desk.staff_login()) == Refusal.CODE_NEEDED
    opened = await desk.ask(desk.staff_login(code=code(secret)))
    assert opened.staff
    session = await desk.resolve(hash_of(opened.token))
    assert session.seat
    assert session.seat.role == "clinician"
    assert await desk.look("SELECT staff FROM sign_in")


async def test_staff_at_the_patients_door_are_asked_for_their_code_too(desk: Desk) -> None:
    secret = await desk.register_staff()
    login = desk.login(email=NURSE, date_of_birth=NURSE_BORN)
    assert await desk.refusal(login) == Refusal.CODE_NEEDED
    opened = await desk.ask(login.model_copy(update={"code": code(secret)}))
    assert not opened.staff
    assert (await desk.resolve(hash_of(opened.token))).seat is None


async def test_nobody_but_staff_comes_in_at_the_staff_door(desk: Desk) -> None:
    await desk.register()
    for given in ("", "123456"):
        asked = desk.staff_login(email=EMAIL, code=given)
        assert await desk.refusal(asked) == Refusal.NOT_RECOGNISED
    secret = await desk.register_staff()
    await desk.change("DELETE FROM seat")
    asked = desk.staff_login(code=code(secret))
    assert await desk.refusal(asked) == Refusal.NOT_RECOGNISED


async def test_a_code_is_good_for_a_step_on_either_side_and_once(desk: Desk) -> None:
    secret = await desk.register_staff()
    now, step = utcnow(), timedelta(seconds=30)
    for away in (-2, 2):
        asked = desk.staff_login(code=code(secret, now + away * step))
        assert await desk.refusal(asked, now=now) == Refusal.NOT_RECOGNISED
    before = desk.staff_login(code=code(secret, now - step))
    assert await desk.at(now, before)
    assert await desk.refusal(before, now=now) == Refusal.NOT_RECOGNISED
    after = desk.staff_login(code=code(secret, now + step))
    assert await desk.at(now, after)
    current = desk.staff_login(code=code(secret, now))
    assert await desk.refusal(current, now=now) == Refusal.NOT_RECOGNISED


@pytest.mark.parametrize("given", ["000000x", "", "１２３４５６", "-1", "\0", "9" * 100_000])
async def test_no_other_text_passes_for_a_code(desk: Desk, given: str) -> None:
    await desk.register_staff()
    assert await desk.refusal(desk.staff_login(code=given)) in (
        Refusal.NOT_RECOGNISED,
        Refusal.CODE_NEEDED,
    )


async def test_fifty_logins_with_one_code_are_one(desk: Desk) -> None:
    secret = await desk.register_staff()
    given = code(secret)
    said = await asyncio.gather(
        *(desk.said(desk.staff_login(code=given, source=f"10.0.0.{n}")) for n in range(50))
    )
    assert said.count("done") == 1
    assert await desk.look("SELECT count(*) FROM session") == 1


async def test_a_seat_that_is_taken_away_takes_its_session_with_it(desk: Desk) -> None:
    secret = await desk.register_staff()
    session = hash_of((await desk.ask(desk.staff_login(code=code(secret)))).token)
    assert await desk.resolve(session)
    await desk.change("DELETE FROM seat")
    assert await desk.refusal(ResolveSession(session=session)) == Refusal.NO_SESSION


async def test_a_password_is_hashed_anew_once_the_parameters_are_stricter(desk: Desk) -> None:
    await desk.register()
    with desk.hashing_as(memory_kib=128, passes=1, lanes=1):
        said = await asyncio.gather(*(desk.ask(desk.login()) for _ in range(8)))
    assert len({opened.token for opened in said}) == 8
    assert "m=128" in await desk.look("SELECT password_hash FROM account")
    assert await desk.session()


async def test_a_storm_is_told_to_come_again_and_nothing_is_counted(desk: Desk) -> None:
    """One more than the queue holds is told so at once."""
    await desk.register()
    with desk.hashing_as(memory_kib=19456, passes=2, lanes=1):
        tries = [
            desk.login(email=f"ghost{number}@example.com", source=str(number))
            for number in range(200)
        ]
        answers = await asyncio.gather(*(desk.said(asked) for asked in tries))
    assert set(answers) == {Refusal.NOT_RECOGNISED, Refusal.BUSY}
    counted = await desk.look("SELECT count(*) FROM attempt WHERE scope = 'here' AND failures > 0")
    assert counted == answers.count(Refusal.NOT_RECOGNISED)


async def test_the_event_loop_goes_on_while_passwords_are_hashed() -> None:
    """Where they were hashed on the loop, it would turn once at most meanwhile."""
    slow = Hashing(memory_kib=64 * 1024, passes=3, lanes=1)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    turning = asyncio.create_task(turn())
    try:
        assert not await slow.fits(None, WRONG)
    finally:
        turning.cancel()
        slow.close()
    assert turns > 5


async def test_the_birth_date_of_the_account_is_what_counts(desk: Desk) -> None:
    await desk.register()
    assert await desk.session(date_of_birth=BORN, source=HOME)
