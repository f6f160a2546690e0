"""Every statement about emergency access."""

from datetime import datetime
from uuid import UUID

from libs.runtime.database import Connection


async def find_open(
    db: Connection, practice_id: UUID, patient_id: UUID, *, account_id: UUID, now: datetime
) -> datetime | None:
    """Until when this chart is open to this person, if it is."""
    ends_at: datetime | None = await db.fetchval(
        """
        SELECT max(ends_at)
          FROM emergency_access
         WHERE practice_id = $1 AND patient_id = $2 AND account_id = $3 AND ends_at > $4
        """,
        practice_id,
        patient_id,
        account_id,
        now,
    )
    return ends_at


async def add_access(
    db: Connection, practice_id: UUID, patient_id: UUID, *, account_id: UUID, ends_at: datetime
) -> None:
    await db.execute(
        """
        INSERT INTO emergency_access (practice_id, patient_id, account_id, ends_at)
        VALUES ($1, $2, $3, $4)
        """,
        practice_id,
        patient_id,
        account_id,
        ends_at,
    )
