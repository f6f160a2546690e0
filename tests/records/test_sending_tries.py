"""Passwords that were being tried on a sent record when whoever looked at them was killed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from libs.contracts.records.refusals import Refusal
from libs.contracts.records.sending import (
    TRIES,
    RevokeSending,
    SendingState,
    SendingTold,
    ShowDoor,
    Unlock,
)
from libs.runtime.broker import ask
from libs.runtime.clock import utcnow
from libs.runtime.database import Pool, transaction
from services.records.domain.sending import Cost, Sending
from services.records.sending.locking import Locks
from services.records.store import sendings as store
from services.records.store import tries
from services.records.store.tries import LOST
from tests import parts
from tests.messaging import ward
from tests.records import office
from tests.records.office import Office
from tests.records.test_sending import PASSWORD, listed, refusal, sent, unlocks
from tests.servers import Servers
from tests.waiting import until

WRONG = "not-the-password"


@pytest.fixture
async def practice(clean: Servers) -> AsyncIterator[Office]:
    async with office.opened(clean, ward.app(clean), with_identity=True) as opened:
        yield opened


@pytest.fixture
async def pool(clean: Servers) -> AsyncIterator[Pool]:
    """As records itself comes to the database."""
    async with asyncpg.create_pool(
        clean.database_url("records"), server_settings={"search_path": "records"}
    ) as connected:
        yield connected


async def newest(practice: Office, pool: Pool, rosa: UUID) -> Sending:
    async with transaction(pool, practice=practice.practice_id) as db:
        return (await store.list_sendings(db, practice.practice_id, rosa))[0]


async def killed(practice: Office, pool: Pool, sending: Sending, number: int) -> None:
    """So many began to look at a password, and were never heard of again."""
    for _ in range(number):
        async with transaction(pool, practice=practice.practice_id) as db:
            assert await tries.begin_try(db, sending, uuid4(), now=utcnow())


async def half_a_minute_passes(practice: Office) -> None:
    await practice.sql("UPDATE sending_try SET begun_at = begun_at - $1::interval", LOST)


async def tries_left(practice: Office, token: str) -> int:
    return (await ask(practice.broker, ShowDoor(token=token))).tries_left


async def test_after_five_that_were_killed_the_right_password_opens_half_a_minute_later(
    practice: Office, pool: Pool
) -> None:
    rosa = await practice.add_patient()
    token = await sent(practice, rosa)
    await killed(practice, pool, await newest(practice, pool, rosa), TRIES)
    assert await refusal(practice, Unlock(token=token, password=PASSWORD)) == Refusal.BUSY
    assert (await listed(practice, rosa))[0].state is SendingState.SENT
    assert await tries_left(practice, token) == TRIES
    await half_a_minute_passes(practice)
    assert (await unlocks(practice, token)).patient == "Rosa Alvarez"
    assert await tries_left(practice, token) == TRIES
    assert await practice.sql("SELECT FROM sending_try") == []


async def test_a_try_is_lost_after_thirty_seconds_and_no_moment_earlier(
    practice: Office, pool: Pool
) -> None:
    rosa = await practice.add_patient()
    await sent(practice, rosa)
    sending, now = await newest(practice, pool, rosa), utcnow()
    assert timedelta(seconds=30) == LOST
    async with transaction(pool, practice=practice.practice_id) as db:
        for _ in range(TRIES):
            assert await tries.begin_try(db, sending, uuid4(), now=now)
        before = now + LOST - timedelta(microseconds=1)
        assert not await tries.begin_try(db, sending, uuid4(), now=before)
        assert await tries.begin_try(db, sending, uuid4(), now=now + LOST)
        assert await tries.count_open(db, sending) == 1


@pytest.mark.parametrize("number", [1, TRIES])
async def test_five_wrong_ones_still_lock_it_and_the_sender_is_told(
    practice: Office, pool: Pool, number: int
) -> None:
    rosa = await practice.add_patient()
    token = await sent(practice, rosa)
    await killed(practice, pool, await newest(practice, pool, rosa), number)
    wrong = Unlock(token=token, password=WRONG)
    for _ in range(TRIES - number):
        assert await refusal(practice, wrong) == Refusal.WRONG_PASSWORD
    assert await refusal(practice, wrong) == Refusal.BUSY
    assert (await listed(practice, rosa))[0].state is SendingState.SENT
    await half_a_minute_passes(practice)
    for left in reversed(range(number)):
        assert await refusal(practice, wrong) == Refusal.WRONG_PASSWORD
        assert await tries_left(practice, token) == left
    assert (await listed(practice, rosa))[0].state is SendingState.LOCKED
    right = Unlock(token=token, password=PASSWORD)
    assert await refusal(practice, right) == Refusal.SENDING_LOCKED
    told = await until(lambda: parts.stored(practice.servers, SendingTold))
    assert [one.state for one in told] == [SendingState.LOCKED]


@pytest.mark.parametrize("number", [0, 3, TRIES])
async def test_twenty_at_once_are_five_answers_however_many_were_killed_before(
    practice: Office, pool: Pool, number: int
) -> None:
    rosa = await practice.add_patient()
    token = await sent(practice, rosa)
    await killed(practice, pool, await newest(practice, pool, rosa), number)
    await half_a_minute_passes(practice)
    guesses = [refusal(practice, Unlock(token=token, password=f"guess {n}")) for n in range(20)]
    said = await asyncio.gather(*guesses)
    assert said.count(Refusal.WRONG_PASSWORD) == TRIES
    assert set(said) <= {Refusal.WRONG_PASSWORD, Refusal.SENDING_LOCKED, Refusal.BUSY}
    assert (await listed(practice, rosa))[0].state is SendingState.LOCKED


@pytest.mark.parametrize("password", [WRONG, PASSWORD])
async def test_whoever_was_slow_and_not_killed_says_nothing_of_a_try_that_was_given_back(
    practice: Office, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rosa = await practice.add_patient()
    token = await sent(practice, rosa)
    begun, go_on, key = asyncio.Event(), asyncio.Event(), Locks.key

    async def slow(self: Locks, typed: str, salt: bytes, cost: Cost) -> bytes:
        begun.set()
        await go_on.wait()
        return await key(self, typed, salt, cost)

    with monkeypatch.context() as crowd:
        crowd.setattr(Locks, "key", slow)
        first = asyncio.create_task(refusal(practice, Unlock(token=token, password=password)))
        await begun.wait()
    await half_a_minute_passes(practice)
    wrong = Unlock(token=token, password=WRONG)
    assert await refusal(practice, wrong) == Refusal.WRONG_PASSWORD
    go_on.set()
    assert await first == Refusal.BUSY
    assert await tries_left(practice, token) == TRIES - 1
    assert (await listed(practice, rosa))[0].state is SendingState.SENT


async def test_what_is_over_keeps_no_tries(practice: Office, pool: Pool) -> None:
    rosa = await practice.add_patient()
    await sent(practice, rosa)
    sending = await newest(practice, pool, rosa)
    await killed(practice, pool, sending, 2)
    back = RevokeSending(visa=practice.patient(rosa), patient_id=rosa, sending_id=sending.id)
    await ask(practice.broker, back)
    assert await practice.sql("SELECT FROM sending_try") == []
