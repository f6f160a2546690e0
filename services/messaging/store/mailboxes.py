"""Every statement about mailboxes, and about who has read what of them."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from libs.runtime.database import Connection


async def open_mailbox(
    db: Connection, practice_id: UUID, patient_id: UUID, *, now: datetime
) -> None:
    """Open the patient's mailbox, unless it is open already."""
    await db.execute(
        """
        INSERT INTO mailbox (practice_id, patient_id, opened_at)
        VALUES ($1, $2, $3)
            ON CONFLICT DO NOTHING
        """,
        practice_id,
        patient_id,
        now,
    )


async def add_received(db: Connection, practice_id: UUID, patient_id: UUID) -> None:
    """One more message has come from the practice."""
    await db.execute(
        "UPDATE mailbox SET received = received + 1 WHERE practice_id = $1 AND patient_id = $2",
        practice_id,
        patient_id,
    )


async def count_unread(
    db: Connection, practice_id: UUID, patient_id: UUID, *, account_id: UUID
) -> int:
    """How many messages from the practice this account has not read; 0 without a mailbox."""
    count: int | None = await db.fetchval(
        """
        SELECT m.received - coalesce(r.read, 0)
          FROM mailbox m
          LEFT JOIN reader r ON r.practice_id = m.practice_id AND r.patient_id = m.patient_id
                            AND r.account_id = $3
         WHERE m.practice_id = $1 AND m.patient_id = $2
        """,
        practice_id,
        patient_id,
        account_id,
    )
    return count or 0


async def mark_read(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    patient_id: UUID,
    *,
    account_id: UUID,
    message_ids: Collection[UUID] | None,
    now: datetime,
) -> int:
    """Mark these received messages, or all, as read; how many were not before."""
    marked: int = await db.fetchval(
        """
        WITH marked AS (
            INSERT INTO read_mark (practice_id, account_id, message_id, patient_id, read_at)
            SELECT m.practice_id, $3, m.id, m.patient_id, $5
              FROM message m
             WHERE m.practice_id = $1 AND m.patient_id = $2 AND m.from_practice
               AND ($4::uuid[] IS NULL OR m.id = ANY($4))
                ON CONFLICT DO NOTHING
            RETURNING 1
        )
        SELECT count(*) FROM marked
        """,
        practice_id,
        patient_id,
        account_id,
        None if message_ids is None else list(message_ids),
        now,
    )
    return marked


async def add_read(
    db: Connection, practice_id: UUID, patient_id: UUID, *, account_id: UUID, count: int
) -> None:
    """So many more of its messages have been read by this account."""
    await db.execute(
        """
        INSERT INTO reader AS known (practice_id, patient_id, account_id, read)
        VALUES ($1, $2, $3, $4)
            ON CONFLICT (practice_id, patient_id, account_id)
            DO UPDATE SET read = known.read + $4
        """,
        practice_id,
        patient_id,
        account_id,
        count,
    )
