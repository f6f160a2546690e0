"""Every statement about imports, as staff, machines and the reports see them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.records.imports import Import, ImportLine, ImportState, LeftOut
from libs.contracts.records.refusals import Refusal
from libs.runtime.database import Connection

PAGE = 50
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
