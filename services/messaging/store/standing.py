"""Whether a practice has closed a record to its patient."""

from uuid import UUID

from libs.runtime.database import Connection


async def save_standing(
    db: Connection, practice_id: UUID, patient_id: UUID, *, active: bool, change: int
) -> None:
    """Whether the record is open, unless something newer is known."""
    await db.execute(
        """
        INSERT INTO standing (practice_id, patient_id, active, change) VALUES ($1, $2, $3, $4)
            ON CONFLICT (practice_id, patient_id)
            DO UPDATE SET active = $3, change = $4 WHERE standing.change < $4
        """,
        practice_id,
        patient_id,
        active,
        change,
    )


async def is_open(db: Connection, practice_id: UUID, patient_id: UUID) -> bool:
    """Whether the patient, and whoever they let in, may see the record."""
    active: bool | None = await db.fetchval(
        "SELECT active FROM standing WHERE practice_id = $1 AND patient_id = $2",
        practice_id,
        patient_id,
    )
    return active is not False
