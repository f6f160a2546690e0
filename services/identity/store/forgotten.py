"""Reset links that are asked for, whether or not there is anybody to send one to."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from libs.runtime.database import Connection


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """Somebody asks for a link to this address."""

    email: str = field(repr=False)
    familiar: bool
    asked_at: datetime


async def add_forgotten(db: Connection, asked_id: UUID, forgotten: Forgotten) -> None:
    await db.execute(
        "INSERT INTO forgotten (id, email, familiar, asked_at) VALUES ($1, $2, $3, $4)",
        asked_id,
        forgotten.email,
        forgotten.familiar,
        forgotten.asked_at,
    )


async def take_forgotten(db: Connection) -> Forgotten | None:
    """The oldest that no other replica has in hand; gone once this commits."""
    row = await db.fetchrow(
        """
        DELETE FROM forgotten
         WHERE id = (SELECT id FROM forgotten ORDER BY asked_at, id LIMIT 1
                        FOR UPDATE SKIP LOCKED)
        RETURNING email, familiar, asked_at
        """
    )
    return Forgotten(**row) if row else None
