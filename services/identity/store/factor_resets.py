"""Second factors that somebody else took off, and what an account opens beside a seat."""

from datetime import datetime
from uuid import UUID

from libs.runtime.database import Connection


async def add_reset(  # noqa: PLR0913
    db: Connection,
    reset_id: UUID,
    account_id: UUID,
    *,
    practice_id: UUID | None,
    by: str,
    reason: str,
    now: datetime,
) -> None:
    await db.execute(
        """
        INSERT INTO factor_reset (id, account_id, practice_id, by_name, reason, at)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        reset_id,
        account_id,
        practice_id,
        by,
        reason,
        now,
    )


async def list_latest(db: Connection, practice_id: UUID) -> dict[UUID, tuple[datetime, str]]:
    """When each colleague's was last taken off at this practice, and by whom."""
    rows = await db.fetch(
        """
        SELECT DISTINCT ON (account_id) account_id, at, by_name
          FROM factor_reset
         WHERE practice_id = $1
         ORDER BY account_id, at DESC
        """,
        practice_id,
    )
    return {row["account_id"]: (row["at"], row["by_name"]) for row in rows}


async def opens_more(db: Connection, account_id: UUID, practice_id: UUID) -> bool:
    """The account opens something else than its seat here: another practice, or any record."""
    more: bool = await db.fetchval(
        """
        SELECT EXISTS (SELECT FROM seat WHERE account_id = $1 AND practice_id <> $2)
            OR EXISTS (SELECT FROM invitation
                        WHERE account_id = $1 AND patient_id IS NOT NULL AND state = 'registered')
        """,
        account_id,
        practice_id,
    )
    return more


async def list_seats(db: Connection, account_id: UUID) -> list[UUID]:
    """The practices where the account has a seat."""
    rows = await db.fetch(
        "SELECT practice_id FROM seat WHERE account_id = $1 ORDER BY practice_id", account_id
    )
    return [row["practice_id"] for row in rows]
