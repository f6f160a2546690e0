"""A form sent twenty times at once does one thing, and everyone gets the same answer."""

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest

from libs.contracts.records.patients import AddPatient, CorrectEmail, PatientAdded
from libs.runtime import once
from libs.runtime.database import Pool, transaction
from tests.servers import Servers

ROSA, ANA = uuid4(), uuid4()


async def add(pool: Pool, key: UUID, done: list[UUID], *, by: UUID = ROSA) -> PatientAdded:
    async with transaction(pool) as db:
        if earlier := await once.earlier(db, key, by=by, what=AddPatient):
            return earlier
        await asyncio.sleep(0.02)
        reply = PatientAdded(patient_id=uuid4())
        done.append(reply.patient_id)
        await once.keep(db, key, by=by, what=AddPatient, reply=reply)
        return reply


@pytest.fixture
async def pool(clean: Servers) -> Pool:
    return await asyncpg.create_pool(
        clean.database_url("records"), server_settings={"search_path": "records"}
    )


async def test_twenty_at_once_are_one(pool: Pool) -> None:
    async with pool:
        key, done = uuid4(), list[UUID]()
        replies = await asyncio.gather(*(add(pool, key, done) for _ in range(20)))
        assert len(done) == 1
        assert {reply.patient_id for reply in replies} == set(done)


async def test_the_key_of_one_person_says_nothing_to_another(pool: Pool) -> None:
    async with pool:
        key, done = uuid4(), list[UUID]()
        await add(pool, key, done, by=ROSA)
        await add(pool, key, done, by=ANA)
        assert len(set(done)) == 2


async def test_a_form_that_failed_may_be_sent_again(pool: Pool) -> None:
    async with pool:
        key, done = uuid4(), list[UUID]()
        with pytest.raises(ZeroDivisionError):
            async with transaction(pool) as db:
                assert await once.earlier(db, key, by=ROSA, what=AddPatient) is None
                raise ZeroDivisionError
        await add(pool, key, done)
        assert len(done) == 1


async def test_the_same_key_on_another_form_is_another_form(pool: Pool) -> None:
    async with pool:
        key, done = uuid4(), list[UUID]()
        await add(pool, key, done)
        async with transaction(pool) as db:
            assert await once.earlier(db, key, by=ROSA, what=CorrectEmail) is None
