"""Every statement about sealed content, its chunks, its keys, and the uploads it comes in by."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.records import Refusal
from libs.runtime.database import Connection
from services.records.domain.content import Content
from services.records.domain.upload import LIFETIME, Upload

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


async def find_data_key(db: Connection, practice_id: UUID, owner_id: UUID) -> Row | None:
    """The owner's data key, wrapped; its `wrapped` is None once destroyed."""
    return await db.fetchrow(
        "SELECT key_id, wrapped FROM data_key WHERE practice_id = $1 AND owner_id = $2",
        practice_id,
        owner_id,
    )


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
        INSERT INTO content (practice_id, id, owner_id, wrapped, size, sha256)
        VALUES ($1, $2, $3, $4, $5, nullif($6, ''))
        """,
        practice_id,
        content.id,
        content.owner_id,
        wrapped,
        content.size,
        content.sha256,
    )


async def find_content(db: Connection, practice_id: UUID, content_id: UUID) -> Row | None:
    """What content it is, with its own key and its owner's, both wrapped."""
    return await db.fetchrow(
        """
        SELECT c.owner_id, c.size, coalesce(c.sha256, '') AS sha256, c.wrapped AS content_key,
               k.key_id, k.wrapped AS data_key
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
           SET owner_id = $3, wrapped = $4, size = $5, sha256 = nullif($6, '')
         WHERE practice_id = $1 AND id = $2
        """,
        practice_id,
        content.id,
        content.owner_id,
        wrapped,
        content.size,
        content.sha256,
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


async def add_upload(db: Connection, upload: Upload) -> None:
    """A file is about to come in."""
    await db.execute(
        """
        INSERT INTO upload (practice_id, id, account_id, file_name, media_type, started_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        upload.practice_id,
        upload.id,
        upload.account_id,
        upload.file_name,
        upload.media_type,
        upload.started_at,
    )


async def lock_upload(
    db: Connection, practice_id: UUID, upload_id: UUID, *, account_id: UUID
) -> Upload:
    """An upload of this very account, held until the transaction ends."""
    row = await db.fetchrow(
        """
        SELECT practice_id, id, account_id, file_name, media_type, started_at, became_id
          FROM upload
         WHERE practice_id = $1 AND id = $2 AND account_id = $3
           FOR UPDATE
        """,
        practice_id,
        upload_id,
        account_id,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_UPLOAD)
    return Upload(**dict(row))


async def save_became(db: Connection, upload: Upload, became_id: UUID) -> None:
    """It has been used, and for what."""
    await db.execute(
        "UPDATE upload SET became_id = $3 WHERE practice_id = $1 AND id = $2",
        upload.practice_id,
        upload.id,
        became_id,
    )


async def list_old_uploads(db: Connection, *, now: datetime) -> list[tuple[UUID, UUID]]:
    """Practice and id of what was not finished in time, of all practices."""
    rows = await db.fetch(
        "SELECT practice_id, id FROM upload WHERE started_at < $1 ORDER BY started_at LIMIT 500",
        now - LIFETIME,
    )
    return [(row["practice_id"], row["id"]) for row in rows]


async def remove_upload(db: Connection, practice_id: UUID, upload_id: UUID) -> Upload | None:
    """An upload is forgotten; None if another replica was faster."""
    row = await db.fetchrow(
        """
        DELETE FROM upload
         WHERE practice_id = $1 AND id = $2
        RETURNING practice_id, id, account_id, file_name, media_type, started_at, became_id
        """,
        practice_id,
        upload_id,
    )
    return Upload(**dict(row)) if row else None
