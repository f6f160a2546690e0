"""Practices' import keys, by what is kept of them."""

from datetime import datetime
from uuid import UUID

from libs.contracts.identity.import_keys import ImportKey
from libs.runtime.database import Connection
from services.identity.domain.import_key import EXACT_TO


async def lock_keys(db: Connection, practice_id: UUID) -> None:
    """Nobody else renews them until the transaction ends: who came later ends what is new now."""
    await db.execute("SELECT FROM practice WHERE practice_id = $1 FOR NO KEY UPDATE", practice_id)


async def add_key(  # noqa: PLR0913
    db: Connection, practice_id: UUID, key_id: UUID, key_hash: bytes, *, by: str, now: datetime
) -> None:
    await db.execute(
        """
        INSERT INTO practice_key (practice_id, id, key_hash, made_at, made_by)
        VALUES ($1, $2, $3, $4, $5)
        """,
        practice_id,
        key_id,
        key_hash,
        now,
        by,
    )


async def find_working(
    db: Connection, key_hash: bytes, *, now: datetime
) -> tuple[UUID, UUID] | None:
    """The practice and the id of a key that has not ended, by its hash."""
    row = await db.fetchrow(
        """
        SELECT practice_id, id FROM practice_key
         WHERE key_hash = $1 AND (ends_at IS NULL OR ends_at > $2)
        """,
        key_hash,
        now,
    )
    return (row["practice_id"], row["id"]) if row else None


async def save_used(db: Connection, practice_id: UUID, key_id: UUID, *, now: datetime) -> None:
    """When it was last used; a machine that sends all the time writes that once a minute."""
    await db.execute(
        """
        UPDATE practice_key SET last_used_at = $3
         WHERE practice_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at <= $4)
        """,
        practice_id,
        key_id,
        now,
        now - EXACT_TO,
    )


async def end_keys(db: Connection, practice_id: UUID, *, at: datetime) -> None:
    """Every key of the practice ends then, or when it would have ended before."""
    await db.execute(
        """
        UPDATE practice_key SET ends_at = $2
         WHERE practice_id = $1 AND (ends_at IS NULL OR ends_at > $2)
        """,
        practice_id,
        at,
    )


async def list_keys(db: Connection, practice_id: UUID) -> list[ImportKey]:
    """Each that there ever was, the newest first."""
    rows = await db.fetch(
        """
        SELECT id AS key_id, made_at, made_by, last_used_at, ends_at
          FROM practice_key
         WHERE practice_id = $1
         ORDER BY made_at DESC, id DESC
        """,
        practice_id,
    )
    return [ImportKey(**dict(row)) for row in rows]
