"""Every statement about the sealed contents of records that were sent."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from libs.runtime.database import Connection


async def add_content(
    db: Connection, practice_id: UUID, sending_id: UUID, content_id: UUID
) -> None:
    """Content whose chunks follow."""
    await db.execute(
        "INSERT INTO sending_content (practice_id, sending_id, id) VALUES ($1, $2, $3)",
        practice_id,
        sending_id,
        content_id,
    )


async def find_content(
    db: Connection, practice_id: UUID, sending_id: UUID, content_id: UUID
) -> Any | None:
    """How much there is of it."""
    return await db.fetchrow(
        """
        SELECT size, crc32
          FROM sending_content
         WHERE practice_id = $1 AND sending_id = $2 AND id = $3
        """,
        practice_id,
        sending_id,
        content_id,
    )


async def list_packed(
    db: Connection, practice_id: UUID, sending_ids: Sequence[UUID]
) -> dict[UUID, int]:
    """How many bytes are in each by now."""
    rows = await db.fetch(
        """
        SELECT sending_id, sum(size)::bigint AS size
          FROM sending_content
         WHERE practice_id = $1 AND sending_id = ANY($2)
         GROUP BY sending_id
        """,
        practice_id,
        sending_ids,
    )
    return {row["sending_id"]: row["size"] for row in rows}


async def save_content(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    sending_id: UUID,
    content_id: UUID,
    *,
    size: int,
    crc32: int | None,
) -> None:
    """How much has come in, and what archives check it by."""
    await db.execute(
        """
        UPDATE sending_content
           SET size = $4, crc32 = $5
         WHERE practice_id = $1 AND sending_id = $2 AND id = $3
        """,
        practice_id,
        sending_id,
        content_id,
        size,
        crc32,
    )


async def add_chunk(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    sending_id: UUID,
    content_id: UUID,
    number: int,
    sealed: bytes,
) -> None:
    """A chunk, as it will stay."""
    await db.execute(
        """
        INSERT INTO sending_chunk (practice_id, sending_id, content_id, number, sealed)
        VALUES ($1, $2, $3, $4, $5)
        """,
        practice_id,
        sending_id,
        content_id,
        number,
        sealed,
    )


async def find_chunk(
    db: Connection, practice_id: UUID, sending_id: UUID, content_id: UUID, number: int
) -> bytes | None:
    """A chunk, sealed."""
    sealed: bytes | None = await db.fetchval(
        """
        SELECT sealed
          FROM sending_chunk
         WHERE practice_id = $1 AND sending_id = $2 AND content_id = $3 AND number = $4
        """,
        practice_id,
        sending_id,
        content_id,
        number,
    )
    return sealed
