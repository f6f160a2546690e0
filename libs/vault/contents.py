"""Every statement about sealed content, its chunks and its keys.

A service that keeps content has these tables in its own schema: `data_key`, `content` and
`content_chunk`, as records' migrations make them.
"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from libs.runtime.database import Connection
from libs.vault.content import Content

Row = Any


async def add_data_key(
    db: Connection, practice_id: UUID, owner_id: UUID, *, key_id: str, wrapped: bytes
) -> None:
    """Keep a data key for this owner, unless there is one or there was."""
    await db.execute(
        """
        INSERT INTO data_key (practice_id, owner_id, key_id, wrapped)
        VALUES ($1, $2, $3, $4)
            ON CONFLICT DO NOTHING
        """,
        practice_id,
        owner_id,
        key_id,
        wrapped,
    )


async def list_data_keys(
    db: Connection, practice_id: UUID, owner_ids: Collection[UUID]
) -> list[Row]:
    """The data keys of these owners, wrapped; those that were destroyed are not among them."""
    rows: list[Row] = await db.fetch(
        """
        SELECT owner_id, key_id, wrapped
          FROM data_key
         WHERE practice_id = $1 AND owner_id = ANY($2) AND wrapped IS NOT NULL
        """,
        practice_id,
        list(owner_ids),
    )
    return rows


async def destroy_data_key(db: Connection, practice_id: UUID, owner_id: UUID) -> None:
    """From here on, nothing of this owner's can be read, by anyone, ever."""
    await db.execute(
        """
        UPDATE data_key
           SET wrapped = NULL, destroyed_at = now()
         WHERE practice_id = $1 AND owner_id = $2 AND wrapped IS NOT NULL
        """,
        practice_id,
        owner_id,
    )


async def add_content(
    db: Connection, practice_id: UUID, content: Content, *, wrapped: bytes
) -> None:
    """Content whose chunks follow; without a checksum, it is still to come in."""
    await db.execute(
        """
        INSERT INTO content (practice_id, id, owner_id, wrapped, size, sha256, crc32)
        VALUES ($1, $2, $3, $4, $5, nullif($6, ''), $7)
        """,
        practice_id,
        content.id,
        content.owner_id,
        wrapped,
        content.size,
        content.sha256,
        content.crc32,
    )


async def find_content(db: Connection, practice_id: UUID, content_id: UUID) -> Row | None:
    """What content it is, with its own key and its owner's, both wrapped."""
    return await db.fetchrow(
        """
        SELECT c.owner_id, c.size, coalesce(c.sha256, '') AS sha256, c.crc32,
               c.wrapped AS content_key, k.key_id, k.wrapped AS data_key
          FROM content c
          JOIN data_key k ON k.practice_id = c.practice_id AND k.owner_id = c.owner_id
         WHERE c.practice_id = $1 AND c.id = $2
        """,
        practice_id,
        content_id,
    )


async def save_content(
    db: Connection, practice_id: UUID, content: Content, *, wrapped: bytes
) -> None:
    """Whose it is and how much of it there is, with its key sealed anew to say so."""
    await db.execute(
        """
        UPDATE content
           SET owner_id = $3, wrapped = $4, size = $5, sha256 = nullif($6, ''), crc32 = $7
         WHERE practice_id = $1 AND id = $2
        """,
        practice_id,
        content.id,
        content.owner_id,
        wrapped,
        content.size,
        content.sha256,
        content.crc32,
    )


async def save_crc32(db: Connection, practice_id: UUID, content_id: UUID, crc32: int) -> None:
    """What archives check it by, found out late."""
    await db.execute(
        "UPDATE content SET crc32 = $3 WHERE practice_id = $1 AND id = $2",
        practice_id,
        content_id,
        crc32,
    )


async def save_size(db: Connection, practice_id: UUID, content_id: UUID, size: int) -> None:
    """How much has come in so far."""
    await db.execute(
        "UPDATE content SET size = $3 WHERE practice_id = $1 AND id = $2",
        practice_id,
        content_id,
        size,
    )


async def remove_content(db: Connection, practice_id: UUID, content_ids: Sequence[UUID]) -> None:
    """Content that nothing refers to any more, with its chunks."""
    await db.execute(
        "DELETE FROM content WHERE practice_id = $1 AND id = ANY($2)",
        practice_id,
        list(content_ids),
    )


async def add_chunk(
    db: Connection, practice_id: UUID, content_id: UUID, number: int, sealed: bytes
) -> None:
    """A chunk, as it will stay."""
    await db.execute(
        """
        INSERT INTO content_chunk (practice_id, content_id, number, sealed)
        VALUES ($1, $2, $3, $4)
        """,
        practice_id,
        content_id,
        number,
        sealed,
    )


async def find_chunk(
    db: Connection, practice_id: UUID, content_id: UUID, number: int
) -> bytes | None:
    """A chunk, sealed."""
    sealed: bytes | None = await db.fetchval(
        """
        SELECT sealed
          FROM content_chunk
         WHERE practice_id = $1 AND content_id = $2 AND number = $3
        """,
        practice_id,
        content_id,
        number,
    )
    return sealed
