"""Whoever loses access to a record by another's hand is told so, and nothing of the record."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from libs.contracts.base import Refused
from libs.contracts.delegation import AccessRevoked
from libs.contracts.identity.letters import LetterKind
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.registration import AcceptInvitation
from libs.contracts.identity.sharing import DelegateAccepted
from libs.runtime.clock import utcnow
from services.identity import worker
from tests import parts
from tests.delegation.test_list_access import announce
from tests.identity.desk import PRACTICE, Desk
from tests.identity.test_sharing import (
    ANA,
    ANAS_BIRTHDAY,
    INVITATION,
    Rosa,
    let_in,
    rosa,
)
from tests.waiting import until

__all__ = ["rosa"]
ENDED = LetterKind.ACCESS_ENDED


def revoked(ana: DelegateAccepted, **changes: Any) -> AccessRevoked:
    given: dict[str, Any] = {
        "practice_id": PRACTICE,
        "patient_id": ana.patient_id,
        "account_id": ana.account_id,
        "grant_id": uuid4(),
        "invitation_id": ana.invitation_id,
        "invitation_version": ana.version,
        "at": utcnow(),
        "revoked_at": utcnow(),
        "letter": True,
    }
    return AccessRevoked(**given | changes)


async def test_whoever_lost_access_is_told_by_the_practice_until_they_are_let_in_again(
    desk: Desk,
    rosa: Rosa,
) -> None:
    ana = await let_in(desk, rosa)

    async def invited_again() -> bool:
        return await desk.said(rosa.invites()) == "done"

    async with parts.running(parts.relay(desk.servers, "delegation")):
        await announce(desk.servers, revoked(ana), by="delegation")
        letter = await desk.letter(ENDED)
        assert (letter.email, letter.greeting_name, letter.from_name) == (ANA, "Ana", "Rosa")
        assert letter.practice
        assert (letter.practice.practice_id, letter.path) == (PRACTICE, "")
        (due,) = await desk.letters(ENDED)
        assert due.practice_id == PRACTICE
        await until(invited_again)
        assert (await desk.letter(ENDED)).email == ANA
        accepting = AcceptInvitation(
            token=await desk.token(INVITATION),
            session=await desk.session(email=ANA, date_of_birth=ANAS_BIRTHDAY),
            date_of_birth=ANAS_BIRTHDAY,
            terms_version="2026-11",
        )
        await desk.ask(accepting)
        with pytest.raises(Refused, match=Refusal.LINK_VOID):
            await desk.letter(ENDED)


async def test_nobody_is_told_of_an_end_that_was_their_own_or_past(
    desk: Desk,
    rosa: Rosa,
) -> None:
    ana = await let_in(desk, rosa)

    async def ended() -> bool:
        return bool(await desk.look("SELECT state = 'ended' FROM invitation WHERE email = $1", ANA))

    async with parts.running(parts.relay(desk.servers, "delegation")):
        await announce(desk.servers, revoked(ana, letter=False), by="delegation")
        await until(ended)
    await desk.all_told()
    assert await desk.letters(ENDED) == []


async def test_what_the_letter_was_written_from_is_forgotten_after_a_month(
    desk: Desk,
    rosa: Rosa,
) -> None:
    ana = await let_in(desk, rosa)
    async with parts.running(parts.relay(desk.servers, "delegation")):
        await announce(desk.servers, revoked(ana), by="delegation")
        await desk.letter(ENDED)
    for days, left in ((29, 1), (31, 0)):
        await worker.sweep(desk.pool, now=utcnow() + timedelta(days=days))
        assert await desk.look("SELECT count(*) FROM access_ended") == left
