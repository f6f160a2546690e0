"""Two-step verification: set up, used, lost, and what can't be done without it."""

import asyncio
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from libs.contracts.base import Refused, Request
from libs.contracts.identity.addresses import ChangeEmail
from libs.contracts.identity.factors import (
    PROVEN_FOR,
    RECOVERY_CODES,
    BeginCode,
    ConfirmCode,
    ProveAgain,
    RenewRecoveryCodes,
    ShowFactors,
    TurnOffCode,
)
from libs.contracts.identity.letters import LetterKind
from libs.contracts.identity.passwords import ForgotPassword, ResetPassword
from libs.contracts.identity.refusals import Refusal
from libs.runtime.clock import utcnow
from services.identity.domain import recovery_code
from tests.identity.desk import EMAIL, HOME, NURSE, PASSWORD, Desk, code, hash_of, secret_in

STEP = timedelta(seconds=30)
NEW = "Silver-Canyon-48"


async def turned_on(desk: Desk, session: bytes) -> tuple[str, tuple[str, ...]]:
    """The secret of the app, and the recovery codes."""
    secret = secret_in((await desk.ask(BeginCode(session=session))).enrolment)
    codes = await desk.ask(ConfirmCode(session=session, code=code(secret)))
    return secret, codes.codes


async def refusal_of(desk: Desk, request: Request[Any]) -> str:
    return await desk.refusal(request)


@pytest.fixture
async def session(desk: Desk) -> bytes:
    await desk.register()
    return await desk.session()


async def test_a_new_key_counts_once_a_code_of_it_was_shown(desk: Desk, session: bytes) -> None:
    secret = secret_in((await desk.ask(BeginCode(session=session))).enrolment)
    assert not (await desk.ask(ShowFactors(session=session))).code
    assert (await desk.ask(desk.login())).token  # nothing is asked for yet
    session = await desk.session()
    wrong = pyotp.TOTP(secret).at(0)
    assert await desk.refusal(ConfirmCode(session=session, code=wrong)) == Refusal.WRONG_CODE
    codes = (await desk.ask(ConfirmCode(session=session, code=code(secret)))).codes
    assert len(set(codes)) == RECOVERY_CODES
    shown = await desk.ask(ShowFactors(session=session))
    assert (shown.code, shown.recovery_codes, shown.required) == (True, RECOVERY_CODES, False)
    letter = await desk.letter(LetterKind.FACTORS_CHANGED)
    assert (letter.email, letter.path) == (EMAIL, "/account")
    assert await desk.refusal(ConfirmCode(session=session, code=code(secret))) == Refusal.SETUP_OVER


async def test_a_setup_that_took_too_long_begins_anew(desk: Desk, session: bytes) -> None:
    secret = secret_in((await desk.ask(BeginCode(session=session))).enrolment)
    await desk.change("UPDATE pending_code SET begun_at = begun_at - interval '31 minutes'")
    assert await desk.refusal(ConfirmCode(session=session, code=code(secret))) == Refusal.SETUP_OVER


async def test_every_other_session_ends_with_a_change(desk: Desk, session: bytes) -> None:
    other = await desk.session()
    await turned_on(desk, session)
    assert await desk.refusal(ShowFactors(session=other)) == Refusal.NO_SESSION
    assert (await desk.resolve(session)).code


async def test_a_log_in_asks_for_a_code_and_takes_each_once(desk: Desk, session: bytes) -> None:
    secret, _ = await turned_on(desk, session)
    assert await desk.refusal(desk.login()) == Refusal.CODE_NEEDED
    used = code(secret)  # it has shown that the app works
    assert await desk.refusal(desk.login(code=used)) == Refusal.NOT_RECOGNISED
    later = utcnow() + STEP
    fresh = pyotp.TOTP(secret).at(later)
    said = await asyncio.gather(
        *(desk.said(desk.login(code=fresh)) for _ in range(8)), return_exceptions=True
    )
    assert len([one for one in said if one != Refusal.NOT_RECOGNISED]) == 1
    assert await desk.refusal(desk.login(code=fresh)) == Refusal.NOT_RECOGNISED


async def test_a_recovery_code_lets_its_owner_in_once_however_it_is_typed(
    desk: Desk, session: bytes
) -> None:
    _, codes = await turned_on(desk, session)
    for typed in (codes[0], codes[1].upper().replace("-", " "), codes[2].replace("-", "")):
        assert (await desk.ask(desk.login(code=typed))).token
        assert await desk.refusal(desk.login(code=typed)) == Refusal.NOT_RECOGNISED
    left = await desk.ask(ShowFactors(session=await desk.session(code=codes[3])))
    assert left.recovery_codes == RECOVERY_CODES - 4
    at_once = await asyncio.gather(*(desk.said(desk.login(code=codes[4])) for _ in range(8)))
    assert len([said for said in at_once if said != Refusal.NOT_RECOGNISED]) == 1


async def test_codes_are_kept_as_nothing_that_could_be_used(desk: Desk, session: bytes) -> None:
    _, codes = await turned_on(desk, session)
    row = await desk.look("SELECT string_agg(encode(hash, 'hex'), ' ') FROM recovery_code")
    for one in codes:
        assert one not in row
        assert (recovery_code.typed(one) or "").encode().hex() not in row


async def test_new_recovery_codes_void_the_older_ones(desk: Desk, session: bytes) -> None:
    _, old = await turned_on(desk, session)
    new = (await desk.ask(RenewRecoveryCodes(session=session))).codes
    assert not set(old) & set(new)
    assert await desk.refusal(desk.login(code=old[0])) == Refusal.NOT_RECOGNISED
    assert (await desk.ask(desk.login(code=new[0]))).token


async def test_it_is_turned_off_by_a_patient_and_never_by_staff(desk: Desk, session: bytes) -> None:
    await turned_on(desk, session)
    await desk.ask(TurnOffCode(session=session))
    assert (await desk.ask(desk.login())).token
    assert await desk.look("SELECT count(*) FROM recovery_code") == 0
    secret = await desk.register_staff()
    opened = await desk.ask(desk.staff_login(email=NURSE, code=code(secret)))
    staff = hash_of(opened.token)
    assert (await desk.ask(ShowFactors(session=staff))).required
    assert await desk.refusal(TurnOffCode(session=staff)) == Refusal.CODE_REQUIRED


async def test_what_is_not_easily_taken_back_asks_for_a_fresh_proof(
    desk: Desk, session: bytes
) -> None:
    secret, codes = await turned_on(desk, session)
    begun = secret_in((await desk.ask(BeginCode(session=session))).enrolment)
    await desk.change("UPDATE session SET proven_at = proven_at - $1::interval", PROVEN_FOR)
    guarded: list[Request[Any]] = [
        ConfirmCode(session=session, code=code(begun)),
        RenewRecoveryCodes(session=session),
        TurnOffCode(session=session),
        ChangeEmail(session=session, current_password=PASSWORD, email="new@example.com"),
    ]
    for asked in guarded:
        assert await desk.refusal(asked) == Refusal.PROOF_NEEDED, asked
    proof = ProveAgain(session=session, password=PASSWORD)
    assert await desk.refusal(proof) == Refusal.CODE_NEEDED
    wrong = proof.model_copy(update={"code": "000000"})
    assert await desk.refusal(wrong) == Refusal.WRONG_CODE
    nobody = proof.model_copy(update={"password": NEW, "code": codes[0]})
    assert await desk.refusal(nobody) == Refusal.WRONG_PASSWORD
    await desk.ask(proof.model_copy(update={"code": codes[0]}))
    assert await desk.refusal(proof.model_copy(update={"code": codes[0]})) == Refusal.WRONG_CODE
    await desk.ask(guarded[-1])
    await desk.ask(guarded[1])
    assert secret != begun


async def test_a_proof_holds_for_ten_minutes_and_not_a_moment_longer(
    desk: Desk, session: bytes
) -> None:
    await turned_on(desk, session)
    asked = RenewRecoveryCodes(session=session)
    began = await desk.look("SELECT proven_at FROM session")
    await desk.at(began + PROVEN_FOR - timedelta(seconds=1), asked)
    assert await desk.refusal(asked, now=began + PROVEN_FOR) == Refusal.PROOF_NEEDED


async def test_guessing_at_a_proof_or_at_a_new_key_is_counted_and_held_back(
    desk: Desk, session: bytes
) -> None:
    await turned_on(desk, session)
    proof = ProveAgain(session=session, password=PASSWORD, code="000000")
    said = [await desk.refusal(proof) for _ in range(11)]
    assert said == [Refusal.WRONG_CODE] * 10 + [Refusal.TRY_LATER]
    await desk.ask(BeginCode(session=session))
    guess = ConfirmCode(session=session, code="000000")
    assert await desk.refusal(guess) == Refusal.TRY_LATER


async def test_a_link_in_an_email_does_not_get_around_it(desk: Desk, session: bytes) -> None:
    _, codes = await turned_on(desk, session)
    await desk.ask(ForgotPassword(email=EMAIL, source=HOME))
    token = await desk.token(LetterKind.PASSWORD_RESET)
    reset = ResetPassword(token=token, password=NEW, confirm_password=NEW, source=HOME)
    assert (await desk.ask(reset)).accepted
    assert await desk.refusal(ShowFactors(session=session)) == Refusal.NO_SESSION
    assert await desk.refusal(desk.login(password=NEW)) == Refusal.CODE_NEEDED
    assert (await desk.ask(desk.login(password=NEW, code=codes[0]))).token


async def test_nobody_is_asked_for_a_code_before_the_rest_fits(desk: Desk, session: bytes) -> None:
    await turned_on(desk, session)
    for changes in ({"password": NEW}, {"email": "nobody@example.com"}):
        assert await desk.refusal(desk.login(**changes)) == Refusal.NOT_RECOGNISED


async def test_without_a_session_there_is_nothing_to_set_up(desk: Desk) -> None:
    nobody = hash_of("nobody")
    requests: list[Request[Any]] = [
        ShowFactors(session=nobody),
        BeginCode(session=nobody),
        ConfirmCode(session=nobody, code="1"),
        RenewRecoveryCodes(session=nobody),
        TurnOffCode(session=nobody),
        ProveAgain(session=nobody, password=PASSWORD),
    ]
    for asked in requests:
        with pytest.raises(Refused, match=Refusal.NO_SESSION):
            await desk.ask(asked)


@pytest.mark.parametrize(
    "text", ["", "123456", "abcd-efgh-jkm", "abcd-efgh-jkmn0", "abcd-efgh-jkm1"]
)
def test_what_is_no_recovery_code_is_not_taken_for_one(text: str) -> None:
    assert recovery_code.typed(text) is None


def test_a_recovery_code_is_read_as_it_was_made() -> None:
    made = {recovery_code.new_code() for _ in range(100)}
    assert len(made) == 100
    assert all(recovery_code.typed(one) == one.replace("-", "") for one in made)
