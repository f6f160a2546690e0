"""Reset links that are asked for, whether or not there is anybody to send one to."""

from datetime import datetime
from uuid import UUID

from libs.runtime.database import Connection


async def add_forgotten(db: Connection, asked_id: UUID, email: str, *, now: datetime) -> None:
    await db.execute(
        "INSERT INTO forgotten (id, email, asked_at) VALUES ($1, $2, $3)", asked_id, email, now
    )


async def take_forgotten(db: Connection) -> str | None:
    """The address of the oldest that no other replica has in hand; gone once this commits."""
    email: str | None = await db.fetchval(
        """
        DELETE FROM forgotten
         WHERE id = (SELECT id FROM forgotten ORDER BY asked_at, id LIMIT 1
                        FOR UPDATE SKIP LOCKED)
        RETURNING email
        """
    )
    return email
