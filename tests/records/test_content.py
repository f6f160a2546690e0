"""What is stored can't be read from the database, nor changed, cut, swapped or moved unseen."""

import asyncio
import hashlib
import os
from dataclasses import replace
from uuid import UUID, uuid4

import asyncpg
import pytest

from libs.contracts.base import Refused
from libs.contracts.content import CHUNK_SIZE
from libs.contracts.records.documents import ReadDocument
from libs.contracts.records.refusals import Refusal
from libs.runtime.broker import ask
from libs.runtime.database import transaction
from libs.runtime.keyring import Damaged, KeyRing
from libs.vault import content
from libs.vault.vault import Vault
from tests.records.office import Office

WORDS = b"The biopsy of the left breast showed "
LETTER = WORDS * 20_000


@pytest.mark.parametrize(
    ("size", "chunks", "last"),
    [
        (0, 0, 0),
        (1, 1, 1),
        (CHUNK_SIZE, 1, CHUNK_SIZE),
        (CHUNK_SIZE + 1, 2, 1),
        (2 * CHUNK_SIZE, 2, CHUNK_SIZE),
    ],
)
def test_every_chunk_but_the_last_is_full(size: int, chunks: int, last: int) -> None:
    assert content.chunks_of(size) == chunks
    if chunks:
        assert content.length_of(chunks - 1, size=size) == last
    assert sum(content.length_of(number, size=size) for number in range(chunks)) == size


@pytest.mark.parametrize("size", [1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE])
async def test_what_is_kept_is_given_back_byte_for_byte_chunk_by_chunk(
    practice: Office, size: int
) -> None:
    rosa, data = await practice.add_patient(), b"%PDF-" + os.urandom(size)
    data = data[:size] if size > 5 else b"x"
    letter = await practice.file(rosa, data, file_name="scan.pdf")
    numbers = range(content.chunks_of(len(data)))
    await practice.open(rosa, letter)
    for number in reversed(numbers):
        asked = ReadDocument(
            visa=practice.staff, patient_id=rosa, document_id=letter, number=number
        )
        chunk = await ask(practice.broker, asked)
        assert chunk.data == data[number * CHUNK_SIZE :][:CHUNK_SIZE]
        assert chunk.last is (number == numbers[-1])
    for beyond in (-1, len(numbers), 2**31):
        asked = ReadDocument(
            visa=practice.staff, patient_id=rosa, document_id=letter, number=beyond
        )
        with pytest.raises(Refused, match=Refusal.UNKNOWN_DOCUMENT):
            await ask(practice.broker, asked)


async def test_nothing_of_it_is_legible_in_the_database(practice: Office) -> None:
    rosa = await practice.add_patient()
    await practice.file(rosa, LETTER)
    for table in ("data_key", "content", "content_chunk", "upload", "document", "answered"):
        legible = await practice.sql(
            f"SELECT true FROM {table} t WHERE strpos(t::text, $1) > 0", WORDS.hex()
        )
        assert legible == [], table
    chunks = await practice.sql("SELECT sealed FROM content_chunk")
    assert len(chunks) == content.chunks_of(len(LETTER))
    assert not any(b"biopsy" in chunk["sealed"] for chunk in chunks)


async def _is_refused_as_damaged(practice: Office, rosa: UUID, letter: UUID, number: int) -> None:
    await practice.open(rosa, letter)
    with pytest.raises(Refused, match=Refusal.DAMAGED):
        await ask(
            practice.broker,
            ReadDocument(visa=practice.staff, patient_id=rosa, document_id=letter, number=number),
        )


async def test_a_flipped_bit_anywhere_in_a_chunk_is_noticed(practice: Office) -> None:
    rosa = await practice.add_patient()
    letter = await practice.file(rosa, LETTER)
    flip = "UPDATE content_chunk SET sealed = set_bit(sealed, $1, 1 - get_bit(sealed, $1))"
    (row,) = await practice.sql("SELECT min(length(sealed)) AS bytes FROM content_chunk")
    for bit in (0, 95, 96, 8 * row["bytes"] // 2, 8 * row["bytes"] - 1):
        await practice.sql(flip, bit)
        for number in range(content.chunks_of(len(LETTER))):
            await _is_refused_as_damaged(practice, rosa, letter, number)
        await practice.sql(flip, bit)
    assert await practice.content(rosa, letter) == LETTER


async def test_chunks_that_were_swapped_cut_off_or_moved_are_noticed(practice: Office) -> None:
    rosa, other = await practice.add_patient(), await practice.add_patient("Ana", mrn="2")
    letter, longer = await practice.file(rosa, LETTER), await practice.file(other, LETTER + b"!")
    last = content.chunks_of(len(LETTER)) - 1
    swap = "UPDATE content_chunk SET number = $2 WHERE content_id = $1 AND number = $3"
    await practice.sql(swap, letter, 90, 0)
    await practice.sql(swap, letter, 0, 1)
    await practice.sql(swap, letter, 1, 90)
    for number in (0, 1):
        await _is_refused_as_damaged(practice, rosa, letter, number)
    await practice.sql("DELETE FROM content_chunk WHERE content_id = $1", letter)
    await practice.sql("UPDATE content_chunk SET content_id = $1", letter)
    for number in range(last + 1):
        await _is_refused_as_damaged(practice, rosa, letter, number)
    await _is_refused_as_damaged(practice, other, longer, 0)


async def test_a_document_cut_short_with_its_size_made_to_fit_is_noticed(practice: Office) -> None:
    rosa = await practice.add_patient()
    letter = await practice.file(rosa, LETTER)
    last = content.chunks_of(len(LETTER)) - 1
    await practice.sql("DELETE FROM content_chunk WHERE number = $1", last)
    await _is_refused_as_damaged(practice, rosa, letter, last)
    await practice.sql("UPDATE content SET size = $1", last * CHUNK_SIZE)
    for number in (0, last - 1):
        await _is_refused_as_damaged(practice, rosa, letter, number)


async def test_content_moved_to_another_patient_or_given_another_checksum_is_noticed(
    practice: Office,
) -> None:
    rosa, ana = await practice.add_patient(), await practice.add_patient("Ana", mrn="2")
    letter, others = await practice.file(rosa, LETTER), await practice.file(ana, b"Dear Ana")
    owner = "UPDATE content SET owner_id = $2 WHERE id = $1"
    await practice.sql(owner, letter, ana)
    await _is_refused_as_damaged(practice, rosa, letter, 0)
    await practice.sql(owner, letter, rosa)
    assert await practice.content(rosa, letter) == LETTER

    false = hashlib.sha256(b"another letter").hexdigest()
    await practice.sql("UPDATE content SET sha256 = $2 WHERE id = $1", letter, false)
    await practice.sql("UPDATE document SET sha256 = $2 WHERE id = $1", letter, false)
    await _is_refused_as_damaged(practice, rosa, letter, 0)

    # The content of Ana's letter in the place of Rosa's.
    await practice.sql("UPDATE document SET content_id = $1 WHERE id = $1", others)
    await practice.sql("DELETE FROM document WHERE id = $1", others)
    await practice.sql("UPDATE document SET content_id = $2 WHERE id = $1", letter, others)
    await _is_refused_as_damaged(practice, rosa, letter, 0)


async def test_without_its_master_key_nothing_opens_and_with_a_newer_one_beside_it_all_does(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    letter = await practice.file(rosa, LETTER)
    whole = KeyRing.parse(practice.servers.keys.key_ring + f"k2 {'A' * 43}=\n")
    pool = await asyncpg.create_pool(
        practice.servers.database_url("records"), server_settings={"search_path": "records"}
    )
    async with pool, transaction(pool, practice=practice.practice_id) as db:
        vault = Vault(db, whole, practice.practice_id)
        opened = await vault.open(letter)
        assert await vault.read(opened, 0) == LETTER[:CHUNK_SIZE]
        for other in (KeyRing({"k1": bytes(32)}), KeyRing({"k3": bytes(32)})):
            with pytest.raises(Damaged):
                await replace(vault, ring=other).open(letter)


async def test_destroying_a_patients_data_key_destroys_their_data_and_nobody_elses(
    practice: Office,
) -> None:
    rosa, ana = await practice.add_patient(), await practice.add_patient("Ana", mrn="2")
    letter, others = await practice.file(rosa, LETTER), await practice.file(ana, LETTER)
    ring = KeyRing.parse(practice.servers.keys.key_ring)
    pool = await asyncpg.create_pool(
        practice.servers.database_url("records"), server_settings={"search_path": "records"}
    )
    async with pool, transaction(pool, practice=practice.practice_id) as db:
        await Vault(db, ring, practice.practice_id).destroy(rosa)
    await _is_refused_as_damaged(practice, rosa, letter, 0)
    assert await practice.content(ana, others) == LETTER
    with pytest.raises(Refused, match=Refusal.DAMAGED):
        await practice.file(rosa, b"another one")
    (key,) = await practice.sql("SELECT wrapped FROM data_key WHERE owner_id = $1", rosa)
    assert key["wrapped"] is None


async def test_two_first_documents_of_a_patient_at_once_share_one_data_key(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    letters = [b"letter %d" % number for number in range(8)]
    filed = await asyncio.gather(
        *(practice.file(rosa, letter, title=str(letter)) for letter in letters)
    )
    assert [await practice.content(rosa, one) for one in filed] == letters
    keys = await practice.sql("SELECT 1 FROM data_key WHERE owner_id = $1", rosa)
    assert len(keys) == 1


async def test_the_services_own_role_can_change_no_chunk_and_no_document(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    await practice.file(rosa, b"letter")
    db = await asyncpg.connect(
        practice.servers.database_url("records"), server_settings={"search_path": "records"}
    )
    await db.execute("SELECT set_config('app.practice', $1, false)", str(practice.practice_id))
    try:
        for statement in (
            "UPDATE content_chunk SET sealed = sealed",
            "UPDATE document SET title = ''",
            "UPDATE document SET content_id = gen_random_uuid()",
            "DELETE FROM document",
            "DELETE FROM import",
            "TRUNCATE document",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await db.execute(statement)
        await db.execute("SELECT set_config('app.practice', $1, false)", str(uuid4()))
        for table in ("data_key", "content", "content_chunk", "upload", "document", "import"):
            assert await db.fetch(f"SELECT * FROM {table}") == []
    finally:
        await db.close()
