"""Passkeys: added, used in place of a code, and every way in which one is not taken."""

import asyncio
import json
from datetime import timedelta

import pytest

from libs.contracts.identity.factors import (
    PROVEN_FOR,
    AddPasskey,
    BeginPasskey,
    BeginPasskeyLogIn,
    RemovePasskey,
    ShowFactors,
    TurnOffCode,
)
from libs.contracts.identity.refusals import Refusal
from libs.runtime.clock import utcnow
from services.identity.domain.passkey import MOST, Site, challenge_of, credential_of, named
from tests.identity.authenticator import Authenticator
from tests.identity.desk import HOME, Desk
from tests.identity.test_factors import turned_on

MINUTES = timedelta(minutes=1)
ASKED = BeginPasskeyLogIn(source=HOME)


@pytest.fixture
async def session(desk: Desk) -> bytes:
    await desk.register()
    session = await desk.session()
    await turned_on(desk, session)
    return session


async def added(desk: Desk, session: bytes, name: str = "My phone") -> Authenticator:
    device = Authenticator()
    options = (await desk.ask(BeginPasskey(session=session))).options
    await desk.ask(AddPasskey(session=session, passkey=device.create(options), name=name))
    return device


async def used(desk: Desk, device: Authenticator) -> str:
    return device.get((await desk.ask(ASKED)).options)


async def test_a_passkey_takes_the_place_of_a_code(desk: Desk, session: bytes) -> None:
    device = await added(desk, session)
    said = await used(desk, device)
    assert (await desk.ask(desk.login(passkey=said))).token
    (shown,) = (await desk.ask(ShowFactors(session=session))).passkeys
    assert shown.name == "My phone"
    assert shown.last_used_at
    assert await desk.refusal(desk.login(passkey=said)) == Refusal.NOT_RECOGNISED


async def test_of_many_who_show_the_same_answer_one_comes_in(desk: Desk, session: bytes) -> None:
    said = await used(desk, await added(desk, session))
    answers = await asyncio.gather(*(desk.said(desk.login(passkey=said)) for _ in range(8)))
    assert answers.count(Refusal.NOT_RECOGNISED) == 7


async def test_an_answer_that_is_not_to_us_or_not_now_opens_nothing(
    desk: Desk, session: bytes
) -> None:
    device = await added(desk, session)
    elsewhere = device.get((await desk.ask(ASKED)).options, origin="https://portal.example.net")
    assert await desk.refusal(desk.login(passkey=elsewhere)) == Refusal.NOT_RECOGNISED
    bound = device.get((await desk.ask(ASKED)).options, site="example.net")
    assert await desk.refusal(desk.login(passkey=bound)) == Refusal.NOT_RECOGNISED
    stranger = await used(desk, Authenticator())
    assert await desk.refusal(desk.login(passkey=stranger)) == Refusal.NOT_RECOGNISED
    own = device.get(json.dumps({"challenge": "aGVsbG8", "rpId": "portal.example.com"}))
    assert await desk.refusal(desk.login(passkey=own)) == Refusal.NOT_RECOGNISED
    late = await used(desk, device)
    refused = await desk.refusal(desk.login(passkey=late), now=utcnow() + 6 * MINUTES)
    assert refused == Refusal.NOT_RECOGNISED
    for nonsense in ("{}", "[]", "null", "x", '{"rawId": 5}', "[" * 5_000):
        assert await desk.refusal(desk.login(passkey=nonsense)) in (
            Refusal.NOT_RECOGNISED,
            Refusal.TRY_LATER,
        )


async def test_a_copied_key_that_falls_behind_its_count_is_not_taken(
    desk: Desk, session: bytes
) -> None:
    device = await added(desk, session)
    device.count = 10
    assert (await desk.ask(desk.login(passkey=await used(desk, device)))).token
    device.count = 5
    said = await used(desk, device)
    assert await desk.refusal(desk.login(passkey=said)) == Refusal.NOT_RECOGNISED


async def test_another_accounts_passkey_is_none(desk: Desk, session: bytes) -> None:
    device = await added(desk, session)
    await desk.register("tom@example.com")
    toms = await desk.session(email="tom@example.com")
    await turned_on(desk, toms)
    said = await used(desk, device)
    login = desk.login(email="tom@example.com", passkey=said)
    assert await desk.refusal(login) == Refusal.NOT_RECOGNISED


async def test_a_removed_passkey_opens_nothing_and_all_go_with_the_codes(
    desk: Desk, session: bytes
) -> None:
    device = await added(desk, session)
    (shown,) = (await desk.ask(ShowFactors(session=session))).passkeys
    await desk.ask(RemovePasskey(session=session, passkey_id=shown.passkey_id))
    said = await used(desk, device)
    assert await desk.refusal(desk.login(passkey=said)) == Refusal.NOT_RECOGNISED
    await added(desk, session)
    await desk.ask(TurnOffCode(session=session))
    assert await desk.look("SELECT count(*) FROM passkey") == 0


async def test_what_is_made_for_another_or_twice_or_late_is_not_added(
    desk: Desk, session: bytes
) -> None:
    device = Authenticator()
    options = (await desk.ask(BeginPasskey(session=session))).options
    elsewhere = device.create(options, origin="https://portal.example.net")
    wrong = AddPasskey(session=session, passkey=elsewhere, name="")
    assert await desk.refusal(wrong) == Refusal.PASSKEY_NOT_TAKEN
    right = AddPasskey(session=session, passkey=device.create(options), name="")
    await desk.ask(right)
    assert await desk.refusal(right) == Refusal.PASSKEY_NOT_TAKEN
    again = (await desk.ask(BeginPasskey(session=session))).options
    same = AddPasskey(session=session, passkey=device.create(again), name="")
    assert await desk.refusal(same) == Refusal.PASSKEY_NOT_TAKEN
    log_in = (await desk.ask(ASKED)).options
    of_a_log_in = json.loads(log_in) | {"rp": {"id": "portal.example.com"}}
    mixed = Authenticator().create(json.dumps(of_a_log_in))
    said = AddPasskey(session=session, passkey=mixed, name="")
    assert await desk.refusal(said) == Refusal.PASSKEY_NOT_TAKEN


async def test_passkeys_ask_for_codes_for_a_proof_and_are_ten_at_most(
    desk: Desk, session: bytes
) -> None:
    for number in range(MOST):
        await added(desk, session, f"Device {number}")
    assert await desk.refusal(BeginPasskey(session=session)) == Refusal.PASSKEY_NOT_TAKEN
    await desk.change("UPDATE session SET proven_at = proven_at - $1::interval", PROVEN_FOR)
    (first, *_) = (await desk.ask(ShowFactors(session=session))).passkeys
    asked = RemovePasskey(session=session, passkey_id=first.passkey_id)
    assert await desk.refusal(asked) == Refusal.PROOF_NEEDED
    assert await desk.refusal(BeginPasskey(session=session)) == Refusal.PROOF_NEEDED
    await desk.register("tom@example.com")
    without = await desk.session(email="tom@example.com")
    assert await desk.refusal(BeginPasskey(session=without)) == Refusal.PASSKEY_NOT_TAKEN


@pytest.mark.parametrize(
    ("url", "possible"),
    [
        ("https://portal.example.com", True),
        ("http://localhost:8080", True),
        ("http://portal.example.com", False),
        ("http://127.0.0.1:8080", False),
        ("https://[::1]", False),
        ("", False),
    ],
)
def test_passkeys_need_a_name_and_a_safe_line(url: str, *, possible: bool) -> None:
    assert Site(url).possible is possible


@pytest.mark.parametrize("said", ["", "{", "5", '{"response": {"clientDataJSON": "AA"}}'])
def test_what_is_no_answer_answers_no_challenge(said: str) -> None:
    assert challenge_of(said) == b""
    assert credential_of(said) == b""


def test_a_passkey_has_a_name_that_can_be_shown() -> None:
    assert named("  My\n phone ") == "My phone"
    assert named("") == named("\x00") == "Passkey"
    assert len(named("x" * 100)) == 60
