"""Every statement messaging runs: one function, one statement."""

from datetime import datetime
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.messaging import Refusal
from libs.runtime.database import Connection
from services.messaging.domain import Mailbox


async def add_mailbox(
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


async def get_mailbox(db: Connection, practice_id: UUID, patient_id: UUID) -> Mailbox:
    """The patient's mailbox at this practice."""
    row = await db.fetchrow(
        "SELECT opened_at FROM mailbox WHERE practice_id = $1 AND patient_id = $2",
        practice_id,
        patient_id,
    )
    if row is None:
        raise Refused(Refusal.NO_MAILBOX)
    return Mailbox(**row)
