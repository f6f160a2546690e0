"""Every statement about whom an import is about: who waits, who they are, what is theirs."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.records.imports import Subject
from libs.contracts.records.patients import Patient
from libs.contracts.records.refusals import Refusal
from libs.runtime.database import Connection
from services.records.store import patients

MOST_SUBJECTS = 200


async def file_all(db: Connection, practice_id: UUID, import_id: UUID, *, run: int) -> None:
    """Everyone whom we know is filed in this reading, and counted anew."""
    await db.execute(
        """
        UPDATE import_subject
           SET run = $3, results_found = 0, results_taken = 0, results_unchanged = 0,
               results_corrected = 0, documents_found = 0, documents_taken = 0,
               documents_unchanged = 0
         WHERE practice_id = $1 AND import_id = $2 AND patient_id IS NOT NULL
        """,
        practice_id,
        import_id,
        run,
    )


async def get_subject(db: Connection, practice_id: UUID, import_id: UUID, number: int) -> Any:
    """Somebody in an import."""
    row = await db.fetchrow(
        """
        SELECT number, settled, patient_id
          FROM import_subject
         WHERE practice_id = $1 AND import_id = $2 AND number = $3
        """,
        practice_id,
        import_id,
        number,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_IMPORT)
    return row


async def assign_subject(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    import_id: UUID,
    number: int,
    *,
    patient_id: UUID,
    run: int,
    by: UUID,
    now: datetime,
) -> None:
    """Somebody has said who it is; what is theirs is filed in this reading."""
    await db.execute(
        """
        UPDATE import_subject
           SET patient_id = $4, settled = 'assigned', why_waiting = '', run = $5, settled_by = $6,
               settled_at = $7, results_found = 0, results_taken = 0, results_unchanged = 0,
               results_corrected = 0, documents_found = 0, documents_taken = 0,
               documents_unchanged = 0
         WHERE practice_id = $1 AND import_id = $2 AND number = $3
        """,
        practice_id,
        import_id,
        number,
        patient_id,
        run,
        by,
        now,
    )


async def discard_subjects(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    import_id: UUID,
    numbers: Sequence[int] | None,
    *,
    reason: str,
    by: UUID,
    now: datetime,
) -> None:
    """These are not to be filed; without numbers, nobody who still waits."""
    await db.execute(
        """
        UPDATE import_subject
           SET settled = 'discarded', patient_id = NULL, discard_reason = $4, settled_by = $5,
               settled_at = $6,
               why_waiting = CASE why_waiting WHEN '' THEN 'no_match' ELSE why_waiting END
         WHERE practice_id = $1 AND import_id = $2
           AND (number = ANY($3) OR ($3 IS NULL AND settled = ''))
        """,
        practice_id,
        import_id,
        list(numbers) if numbers is not None else None,
        reason,
        by,
        now,
    )


async def count_subjects(db: Connection, practice_id: UUID, import_id: UUID) -> tuple[int, int]:
    """How many wait, and of how many we know who they are."""
    row: Any = await db.fetchrow(
        """
        SELECT count(*) FILTER (WHERE settled = '') AS waiting,
               count(*) FILTER (WHERE patient_id IS NOT NULL) AS known
          FROM import_subject
         WHERE practice_id = $1 AND import_id = $2
        """,
        practice_id,
        import_id,
    )
    return row["waiting"], row["known"]


async def count_all_subjects(db: Connection, practice_id: UUID, import_id: UUID) -> int:
    """How many people a file is about."""
    count: int = await db.fetchval(
        "SELECT count(*) FROM import_subject WHERE practice_id = $1 AND import_id = $2",
        practice_id,
        import_id,
    )
    return count


async def list_subjects(
    db: Connection, practice_id: UUID, import_id: UUID
) -> list[tuple[Subject, tuple[UUID, ...]]]:
    """Whom a file is about, those who wait first; each with who it may be."""
    rows = await db.fetch(
        """
        SELECT number, name, birth_date, identifiers, patient_id, why_waiting, candidates, settled,
               results_found, results_taken, results_unchanged, results_corrected,
               documents_found, documents_taken, documents_unchanged
          FROM import_subject
         WHERE practice_id = $1 AND import_id = $2
         ORDER BY settled <> '', number
         LIMIT $3
        """,
        practice_id,
        import_id,
        MOST_SUBJECTS,
    )
    return [
        (Subject(**{**row, "candidates": ()}), tuple(row["candidates"])) for row in map(dict, rows)
    ]


async def list_candidates(
    db: Connection, practice_id: UUID, ids: Iterable[UUID]
) -> dict[UUID, Patient]:
    """The patients who somebody may be."""
    rows = await db.fetch(
        f"SELECT {patients.COLUMNS} FROM patient WHERE practice_id = $1 AND id = ANY($2)",  # noqa: S608
        practice_id,
        list(set(ids)),
    )
    return {row["patient_id"]: Patient(**dict(row)) for row in rows}
