"""A practice's import key: replaced by a new one, while the old one goes on for a while or ends."""

import asyncio
import hashlib
from datetime import timedelta

from libs.contracts.identity.import_keys import (
    OVERLAP,
    GiveImportKey,
    ImportKey,
    ListImportKeys,
    RenewImportKey,
)
from libs.contracts.identity.practices import AdmitMachine
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.sessions import ResolveSession
from libs.contracts.visa import Role
from libs.runtime.clock import utcnow
from services.identity.domain.import_key import older_end
from tests.identity.desk import PRACTICE, Desk, code, hash_of

NOON = utcnow()


def test_an_older_key_works_for_a_week_unless_it_is_to_end_at_once() -> None:
    assert older_end(at_once=False, now=NOON) == NOON + timedelta(days=7)
    assert older_end(at_once=True, now=NOON) == NOON


def admitted(key: str) -> AdmitMachine:
    return AdmitMachine(key_hash=hashlib.sha256(key.encode()).digest())


async def given(desk: Desk) -> str:
    """The one key that the practice has."""
    made = await desk.as_operator(GiveImportKey(practice_id=PRACTICE, at_once=True))
    assert (await desk.ask(admitted(made.import_key))).practice_id == PRACTICE
    await desk.change("UPDATE practice_key SET last_used_at = NULL")
    return made.import_key


async def administrator(desk: Desk, role: Role = Role.ADMINISTRATOR) -> str:
    """Logged in a moment ago: a visa of theirs."""
    secret = await desk.register_staff(role=role)
    opened = await desk.ask(desk.staff_login(code=code(secret)))
    seat = (await desk.ask(ResolveSession(session=hash_of(opened.token)))).seat
    assert seat
    return seat.visa


async def test_of_keys_that_are_made_at_the_same_moment_one_goes_on(desk: Desk) -> None:
    asked = GiveImportKey(practice_id=PRACTICE, at_once=True)
    made = await asyncio.gather(*(desk.as_operator(asked) for _ in range(5)))
    said = sorted([await desk.said(admitted(one.import_key)) for one in made])
    assert said == sorted(["done", *4 * [Refusal.UNKNOWN_KEY]])


async def test_a_new_key_is_told_once_and_the_old_one_works_seven_days_more(desk: Desk) -> None:
    old = await given(desk)
    visa, now = await administrator(desk), utcnow()
    made = await desk.at(now, RenewImportKey(visa=visa))
    assert made.import_key != old
    assert made.older_end_at == now + OVERLAP
    last, over = made.older_end_at - timedelta(seconds=1), made.older_end_at
    for moment in (now, last):
        assert (await desk.at(moment, admitted(old))).practice_id == PRACTICE
    assert await desk.refusal(admitted(old), now=over) == Refusal.UNKNOWN_KEY
    assert (await desk.at(over, admitted(made.import_key))).practice_id == PRACTICE
    kept = await desk.look("SELECT string_agg(key_hash::text, ' ') FROM practice_key")
    assert old not in kept
    assert made.import_key not in kept


async def test_a_key_that_somebody_else_may_have_ends_at_once(desk: Desk) -> None:
    old = await given(desk)
    between = await desk.as_operator(GiveImportKey(practice_id=PRACTICE))
    made = await desk.as_operator(GiveImportKey(practice_id=PRACTICE, at_once=True))
    for key in (old, between.import_key):
        assert await desk.refusal(admitted(key)) == Refusal.UNKNOWN_KEY
    assert (await desk.ask(admitted(made.import_key))).practice_id == PRACTICE


async def test_administrators_see_every_key_who_made_it_and_when_it_was_last_used(
    desk: Desk,
) -> None:
    old = await given(desk)
    visa, now = await administrator(desk), utcnow()
    await desk.at(now, admitted(old))
    await desk.at(now + timedelta(seconds=59), admitted(old))
    await desk.at(now, RenewImportKey(visa=visa))

    async def keys() -> tuple[ImportKey, ...]:
        return (await desk.at(now, ListImportKeys(visa=visa))).keys

    newest, first, *_ = await keys()
    assert (newest.made_by, newest.last_used_at, newest.ends_at) == ("Nora Lind", None, None)
    assert (first.made_by, first.last_used_at, first.ends_at) == ("", now, now + OVERLAP)
    await desk.at(now + timedelta(seconds=60), admitted(old))
    assert (await keys())[1].last_used_at == now + timedelta(seconds=60)


async def test_a_key_is_made_by_an_administrator_who_has_just_shown_who_they_are(
    desk: Desk,
) -> None:
    clinician = await administrator(desk, Role.CLINICIAN)
    assert await desk.refusal(RenewImportKey(visa=clinician)) == Refusal.NOT_ALLOWED
    assert await desk.refusal(ListImportKeys(visa=clinician)) == Refusal.NOT_ALLOWED
    await desk.change("UPDATE seat SET role = 'administrator'")
    await desk.change("UPDATE session SET proven_at = now() - interval '11 minutes'")
    opened = await desk.look("SELECT count(*) FROM practice_key")
    renewing = RenewImportKey(visa=await anew(desk))
    assert await desk.refusal(renewing) == Refusal.PROOF_NEEDED
    assert await desk.look("SELECT count(*) FROM practice_key") == opened


async def anew(desk: Desk) -> str:
    """A visa of the same session, which may say more by now."""
    token_hash = await desk.look("SELECT token_hash FROM session")
    seat = (await desk.ask(ResolveSession(session=token_hash))).seat
    assert seat
    return seat.visa
