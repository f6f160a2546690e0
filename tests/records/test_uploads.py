"""Files come in chunk by chunk, in order, within bounds, and each chunk counts once."""

import os
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from libs.contracts.base import Refused
from libs.contracts.content import CHUNK_SIZE
from libs.contracts.records.imports import UPLOAD_LIMIT, AddChunk, StartUpload
from libs.contracts.records.refusals import Refusal
from libs.runtime.broker import ask
from services.records.domain import upload as rules
from services.records.worker import sweep
from tests.records.office import Office

FULL = os.urandom(CHUNK_SIZE)


async def add(practice: Office, upload_id: object, number: int, data: bytes) -> None:
    asked = AddChunk(visa=practice.staff, upload_id=upload_id, number=number, data=data)
    await ask(practice.broker, asked)


@pytest.mark.parametrize(
    ("size", "number", "length", "said"),
    [
        (0, 0, 1, True),
        (0, 0, CHUNK_SIZE, True),
        (CHUNK_SIZE, 1, 7, True),
        (CHUNK_SIZE, 0, CHUNK_SIZE, False),
        (CHUNK_SIZE + 7, 1, 7, False),
        (UPLOAD_LIMIT - CHUNK_SIZE, 199, CHUNK_SIZE, True),
        (0, 0, 0, Refusal.EMPTY),
        (0, 0, CHUNK_SIZE + 1, Refusal.TOO_LARGE),
        (UPLOAD_LIMIT, 200, 1, Refusal.TOO_LARGE),
        (0, 1, 1, Refusal.CHUNK_OUT_OF_ORDER),
        (0, -1, 1, Refusal.CHUNK_OUT_OF_ORDER),
        (CHUNK_SIZE, 2, 1, Refusal.CHUNK_OUT_OF_ORDER),
        (7, 1, 1, Refusal.CHUNK_OUT_OF_ORDER),
    ],
)
def test_only_the_next_chunk_is_taken_and_only_after_a_full_one(
    size: int, number: int, length: int, said: bool | Refusal
) -> None:
    if isinstance(said, bool):
        assert rules.taken(size, number, bytes(length)) is said
    else:
        with pytest.raises(Refused, match=said):
            rules.taken(size, number, bytes(length))


async def test_the_same_form_begins_the_same_upload(practice: Office) -> None:
    key = uuid4()
    ids = {
        (await ask(practice.broker, StartUpload(visa=practice.staff, key=key))).upload_id
        for _ in range(3)
    }
    assert len(ids) == 1


async def test_the_same_chunk_again_changes_nothing_and_another_in_its_place_is_refused(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    upload_id = await practice.upload(FULL + b"end")
    await add(practice, upload_id, 0, FULL)
    await add(practice, upload_id, 1, b"end")
    for number, data in ((0, os.urandom(CHUNK_SIZE)), (1, b"END"), (1, b"end."), (2, b"more")):
        with pytest.raises(Refused, match=Refusal.CHUNK_OUT_OF_ORDER):
            await add(practice, upload_id, number, data)
    again = await practice.sql("SELECT size FROM content WHERE id = $1", upload_id)
    assert again[0]["size"] == CHUNK_SIZE + 3
    assert rosa


async def test_fifty_megabytes_are_taken_to_the_byte_and_not_one_more(practice: Office) -> None:
    upload_id = await practice.upload(FULL * (UPLOAD_LIMIT // CHUNK_SIZE))
    with pytest.raises(Refused, match=Refusal.TOO_LARGE):
        await add(practice, upload_id, UPLOAD_LIMIT // CHUNK_SIZE, b"1")


async def test_nobody_adds_to_anothers_upload(practice: Office) -> None:
    upload_id = await practice.upload(FULL)
    stranger, colleague = practice.another(), Office(**vars(practice) | {"account_id": uuid4()})
    for somebody in (stranger, colleague):
        with pytest.raises(Refused, match=Refusal.UNKNOWN_UPLOAD):
            await add(somebody, upload_id, 1, b"mine")
    rosa = await practice.add_patient()
    with pytest.raises(Refused, match=Refusal.NOT_ALLOWED):
        await ask(practice.broker, StartUpload(visa=practice.patient(rosa), key=uuid4()))


async def test_what_was_not_finished_within_a_day_is_forgotten_with_all_that_came_in(
    practice: Office,
) -> None:
    old, fresh = await practice.upload(FULL), await practice.upload(FULL)
    age = rules.LIFETIME + timedelta(seconds=1)
    await practice.sql(
        "UPDATE upload SET started_at = started_at - $2::interval WHERE id = $1", old, age
    )
    pool = await asyncpg.create_pool(
        practice.servers.database_url("records"), server_settings={"search_path": "records"}
    )
    async with pool:
        assert await sweep(pool) == 1
        assert await sweep(pool) == 0
    with pytest.raises(Refused, match=Refusal.UNKNOWN_UPLOAD):
        await add(practice, old, 1, b"more")
    await add(practice, fresh, 1, b"more")
    left = await practice.sql("SELECT DISTINCT content_id FROM content_chunk")
    assert [row["content_id"] for row in left] == [fresh]
