"""Every statement about files that come in."""

from datetime import datetime
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.records.refusals import Refusal
from libs.runtime.database import Connection
from services.records.domain.upload import LIFETIME, Upload


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
