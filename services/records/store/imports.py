"""Every statement about imports, as staff, machines and the reports see them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.records.imports import Import, ImportLine, ImportState, LeftOut, Subject
from libs.contracts.records.patients import Patient
from libs.contracts.records.refusals import Refusal
from libs.runtime.database import Connection
from services.records.store import patients

PAGE = 50
MOST_SUBJECTS = 200
NOBODY = UUID(int=0)


async def add_import(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    *,
    id: UUID,  # noqa: A002
    about_id: UUID | None,
    sha256: str,
    size: int,
    file_name: str,
    declared_type: str,
    source: str,
    started_by: UUID,
    started_by_name: str,
    is_preview: bool,
    now: datetime,
) -> bool:
    """A file to be read; false if the very same is there already. Its content has the same id."""
    return bool(
        await db.fetchval(
            """
            INSERT INTO import (practice_id, id, content_id, about_id, sha256, size, file_name,
                                declared_type, source, started_by, started_at, state, is_preview,
                                due_at, started_by_name)
            VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'reading', $11, $10, $12)
                ON CONFLICT (practice_id, sha256,
                             coalesce(about_id, '00000000-0000-0000-0000-000000000000'))
                   WHERE state <> 'discarded'
                   DO NOTHING
            RETURNING true
            """,
            practice_id,
            id,
            about_id,
            sha256,
            size,
            file_name,
            declared_type,
            source,
            started_by,
            now,
            is_preview,
            started_by_name,
        )
    )


async def lock_same(
    db: Connection, practice_id: UUID, *, sha256: str, about_id: UUID | None
) -> Any | None:
    """The import of this very content, held until the transaction ends."""
    return await db.fetchrow(
        """
        SELECT id, state, is_preview, run, problem
          FROM import
         WHERE practice_id = $1 AND sha256 = $2 AND state <> 'discarded'
           AND coalesce(about_id, $4) = coalesce($3, $4)
           FOR UPDATE
        """,
        practice_id,
        sha256,
        about_id,
        NOBODY,
    )


async def lock_import(db: Connection, practice_id: UUID, import_id: UUID) -> Any:
    """The practice's own import, held until the transaction ends."""
    row = await db.fetchrow(
        """
        SELECT id, state, is_preview, run, problem
          FROM import
         WHERE practice_id = $1 AND id = $2
           FOR UPDATE
        """,
        practice_id,
        import_id,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_IMPORT)
    return row


async def get_content(db: Connection, practice_id: UUID, import_id: UUID) -> tuple[UUID, str]:
    """Where the file itself is, and its checksum."""
    row = await db.fetchrow(
        "SELECT content_id, sha256 FROM import WHERE practice_id = $1 AND id = $2",
        practice_id,
        import_id,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_IMPORT)
    return row["content_id"], row["sha256"]


async def read_again(db: Connection, practice_id: UUID, import_id: UUID, *, now: datetime) -> int:
    """It is due for another reading, which files; the number of that."""
    run: int = await db.fetchval(
        """
        UPDATE import
           SET state = 'reading', is_preview = false, run = run + 1, position = 0, tries = 0,
               due_at = $3, leased_until = NULL, lease = NULL, finished_at = NULL
         WHERE practice_id = $1 AND id = $2
        RETURNING run
        """,
        practice_id,
        import_id,
        now,
    )
    return run


async def want_filed(db: Connection, practice_id: UUID, import_id: UUID) -> None:
    """What is being read for a preview is to be filed: it is begun anew."""
    await db.execute(
        """
        UPDATE import
           SET is_preview = false, position = 0, lease = NULL, leased_until = NULL
         WHERE practice_id = $1 AND id = $2
        """,
        practice_id,
        import_id,
    )
    await db.execute(
        "DELETE FROM import_subject WHERE practice_id = $1 AND import_id = $2",
        practice_id,
        import_id,
    )


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


async def save_waiting(db: Connection, practice_id: UUID, import_id: UUID, waiting: int) -> None:
    """How many still wait."""
    await db.execute(
        "UPDATE import SET waiting = $3 WHERE practice_id = $1 AND id = $2",
        practice_id,
        import_id,
        waiting,
    )


async def save_standing(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    import_id: UUID,
    *,
    state: ImportState,
    waiting: int,
    reason: str,
    by: UUID,
    now: datetime,
) -> None:
    """How it stands after somebody decided."""
    await db.execute(
        """
        UPDATE import
           SET state = $3, waiting = $4, discard_reason = $5, settled_by = $6, settled_at = $7,
               finished_at = coalesce(finished_at, $7), due_at = NULL, lease = NULL,
               leased_until = NULL
         WHERE practice_id = $1 AND id = $2
        """,
        practice_id,
        import_id,
        state,
        waiting,
        reason,
        by,
        now,
    )


async def get_report(db: Connection, practice_id: UUID, import_id: UUID) -> Import:
    """The report, but for its subjects and what was left out."""
    row = await db.fetchrow(
        """
        SELECT id AS import_id, state, format, file_name, size, sha256, source, started_at,
               finished_at, problem
          FROM import
         WHERE practice_id = $1 AND id = $2
        """,
        practice_id,
        import_id,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_IMPORT)
    return Import(**dict(row))


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


async def list_left_out(db: Connection, practice_id: UUID, import_id: UUID) -> tuple[LeftOut, ...]:
    """What was not taken, and why."""
    rows = await db.fetch(
        """
        SELECT reason, what, place AS "where", count
          FROM import_left_out
         WHERE practice_id = $1 AND import_id = $2
         ORDER BY number
        """,
        practice_id,
        import_id,
    )
    return tuple(LeftOut(**dict(row)) for row in rows)


async def list_imports(
    db: Connection, practice_id: UUID, *, waiting: bool, before: UUID | None
) -> list[ImportLine]:
    """The practice's imports, newest first, one page and one more."""
    rows = await db.fetch(
        """
        SELECT id AS import_id, state, format, file_name, source, started_at, taken, unchanged,
               left_out, waiting
          FROM import
         WHERE practice_id = $1
           AND (NOT $2 OR state = 'waiting')
           AND ($3::uuid IS NULL OR id < $3)
         ORDER BY id DESC
         LIMIT $4
        """,
        practice_id,
        waiting,
        before,
        PAGE + 1,
    )
    return [ImportLine(**dict(row)) for row in rows]


async def count_waiting(db: Connection, practice_id: UUID) -> int:
    """Imports of the practice that need somebody."""
    count: int = await db.fetchval(
        "SELECT count(*) FROM import WHERE practice_id = $1 AND state = 'waiting'", practice_id
    )
    return count
