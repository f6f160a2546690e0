"""Content opened: a chunk for whoever asked, or all of it for a reader, in memory only."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.content import Chunk
from libs.contracts.records.refusals import Refusal
from libs.runtime.database import Pool, transaction
from libs.runtime.keyring import Damaged, KeyRing
from libs.vault.content import Content
from libs.vault.vault import Vault
from services.records.means import intact


async def read_chunk(
    vault: Vault, content_id: UUID, number: int, *, sha256: str, unknown: Refusal
) -> Chunk:
    """One chunk of what has this checksum; a number beyond its end is refused as `unknown`."""
    with intact(content_id):
        opened = await vault.open(content_id)
        if opened.content.sha256 != sha256:
            raise Damaged
        if not 0 <= number < opened.content.chunks:
            raise Refused(unknown)
        data = await vault.read(opened, number)
    return Chunk(data=data, last=number == opened.content.chunks - 1)


@asynccontextmanager
async def unsealed(
    pool: Pool, ring: KeyRing, practice_id: UUID, content_id: UUID
) -> AsyncIterator[tuple[int, Content]]:
    """All of it, as a file that is in no folder and on no disk, and is gone afterwards."""
    source = os.memfd_create("content", os.MFD_CLOEXEC)
    try:
        async with transaction(pool, practice=practice_id) as db:
            vault = Vault(db, ring, practice_id)
            with intact(content_id):
                opened = await vault.open(content_id)
                async for piece in vault.pieces(opened):
                    os.write(source, piece)
        yield source, opened.content
    finally:
        os.close(source)
