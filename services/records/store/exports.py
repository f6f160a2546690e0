"""Every statement about files that are made of records, and about what goes into them."""

# ruff: noqa: S608 - what is put into a statement is our own list of columns

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.records.exports import ExportState, Format, Kind, Selection
from libs.contracts.records.refusals import Refusal
from libs.runtime.database import Connection
from services.records.domain import labs
from services.records.domain.export import LIFETIME, Export, Segment

_COLUMNS = """practice_id, id, patient_id, account_id, key, format, kinds, file_name, media_type,
              state, done, total, size, begun_at, heard_at"""
_DAY = """
    CASE WHEN r.collected_at IS NULL
         THEN (coalesce(r.issued_at, r.arrived_at) AT TIME ZONE $3)::date
         WHEN r.precision = 'instant' AND r.zoned THEN (r.collected_at AT TIME ZONE $3)::date
         ELSE (r.collected_at AT TIME ZONE 'UTC')::date END
"""
_CHOSEN = f"""
      FROM (SELECT r.*, {_DAY} AS day
              FROM result r
             WHERE r.practice_id = $1 AND r.patient_id = $2 AND r.rank < {labs.WITHDRAWN}) r
      JOIN latest_result l ON l.practice_id = $1 AND l.patient_id = $2
                          AND l.test_key = r.test_key
     WHERE ($4::date IS NULL OR r.day >= $4) AND ($5::date IS NULL OR r.day <= $5)
"""
"""As Health shows them: what was cancelled goes with its test, which is there while one stands."""


async def list_results(
    db: Connection, practice_id: UUID, patient_id: UUID, *, chosen: Selection, zone: str
) -> list[Any]:
    """Every result of a selection, with the day that it is selected by."""
    rows: list[Any] = await db.fetch(
        f"""
        SELECT r.id, r.system, r.code, r.name, r.kind, r.value, r.number, r.comparator, r.unit,
               r.range_low, r.range_high, r.range_text, r.flag, r.status, r.collected_at,
               r.precision, r.zoned, r.issued_at, r.specimen, r.performer, r.orderer, r.comment,
               r.day, cardinality(r.said) AS changes
          {_CHOSEN}
         ORDER BY r.day DESC, r.collected_at DESC NULLS LAST, r.name, r.id
        """,
        practice_id,
        patient_id,
        zone,
        chosen.start,
        chosen.end,
    )
    return rows


async def count_results(
    db: Connection, practice_id: UUID, patient_id: UUID, *, chosen: Selection, zone: str
) -> int:
    """How many results a selection holds."""
    count: int = await db.fetchval(
        f"SELECT count(*) {_CHOSEN}", practice_id, patient_id, zone, chosen.start, chosen.end
    )
    return count


async def count_documents(
    db: Connection, practice_id: UUID, patient_id: UUID, *, chosen: Selection, zone: str
) -> tuple[int, int]:
    """How many documents a selection holds, and how many bytes they have."""
    row: Any = await db.fetchrow(
        """
        SELECT count(*) AS count, coalesce(sum(size), 0)::bigint AS size
          FROM document
         WHERE practice_id = $1 AND patient_id = $2 AND withdrawn_at IS NULL
           AND ($3::date IS NULL OR coalesce(dated, (added_at AT TIME ZONE $5)::date) >= $3)
           AND ($4::date IS NULL OR coalesce(dated, (added_at AT TIME ZONE $5)::date) <= $4)
        """,
        practice_id,
        patient_id,
        chosen.start,
        chosen.end,
        zone,
    )
    return row["count"], row["size"]


async def add_export(db: Connection, export: Export) -> Export:
    """A file that is to be made; the one that is there, if this account asked for it before."""
    row: Any = await db.fetchrow(
        f"""
        INSERT INTO export ({_COLUMNS})
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            ON CONFLICT (practice_id, account_id, key) DO UPDATE SET key = excluded.key
        RETURNING {_COLUMNS}
        """,
        export.practice_id,
        export.id,
        export.patient_id,
        export.account_id,
        export.key,
        export.format,
        sorted(export.kinds),
        export.file_name,
        export.media_type,
        export.state,
        export.done,
        export.total,
        export.size,
        export.begun_at,
        export.heard_at,
    )
    return _export(row)


async def get_export(
    db: Connection, practice_id: UUID, patient_id: UUID, export_id: UUID, *, account_id: UUID
) -> Export:
    """A file of this account's."""
    row = await db.fetchrow(
        f"""
        SELECT {_COLUMNS}
          FROM export
         WHERE practice_id = $1 AND patient_id = $2 AND id = $3 AND account_id = $4
        """,
        practice_id,
        patient_id,
        export_id,
        account_id,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_EXPORT)
    return _export(row)


async def save_progress(db: Connection, export: Export, *, done: int, now: datetime) -> bool:
    """We are still at it; False if nobody wants it any more."""
    return bool(
        await db.fetchval(
            """
            UPDATE export
               SET done = $3, heard_at = $4
             WHERE practice_id = $1 AND id = $2 AND state = 'making'
            RETURNING true
            """,
            export.practice_id,
            export.id,
            done,
            now,
        )
    )


async def keep_word(db: Connection, export: Export, *, now: datetime) -> bool:
    """We are still at it; False if nobody wants it any more."""
    return bool(
        await db.fetchval(
            """
            UPDATE export
               SET heard_at = $3
             WHERE practice_id = $1 AND id = $2 AND state = 'making'
            RETURNING true
            """,
            export.practice_id,
            export.id,
            now,
        )
    )


async def save_state(db: Connection, export: Export, state: ExportState, *, size: int = 0) -> bool:
    """It is ready, or will never be; False if nobody wants it any more."""
    return bool(
        await db.fetchval(
            """
            UPDATE export
               SET state = $3, size = $4, done = CASE WHEN $3 = 'ready' THEN total ELSE done END
             WHERE practice_id = $1 AND id = $2 AND state = 'making'
            RETURNING true
            """,
            export.practice_id,
            export.id,
            state,
            size,
        )
    )


async def add_segments(db: Connection, export: Export, segments: Sequence[Segment]) -> None:
    """What the file consists of."""
    await db.executemany(
        """
        INSERT INTO export_segment (practice_id, export_id, position, length, form, content_id,
                                    start)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        [
            (
                export.practice_id,
                export.id,
                one.position,
                one.length,
                one.form,
                one.content_id,
                one.start,
            )
            for one in segments
        ],
    )


async def list_segments(
    db: Connection, practice_id: UUID, export_id: UUID, *, begin: int, stop: int
) -> list[Segment]:
    """Where these bytes of a file come from."""
    rows = await db.fetch(
        """
        SELECT position, length, form, content_id, start
          FROM export_segment
         WHERE practice_id = $1 AND export_id = $2
           AND position < $4 AND position + length > $3
         ORDER BY position
        """,
        practice_id,
        export_id,
        begin,
        stop,
    )
    return [Segment(**dict(row)) for row in rows]


async def remove_export(db: Connection, practice_id: UUID, export_id: UUID) -> None:
    """Forget a file, but for the contents that were made for it."""
    await db.execute(
        "DELETE FROM export WHERE practice_id = $1 AND id = $2", practice_id, export_id
    )


async def list_old_exports(db: Connection, *, now: datetime) -> list[tuple[UUID, UUID]]:
    """Practice and id of the files of all practices that have lasted long enough."""
    rows = await db.fetch(
        "SELECT practice_id, id FROM export WHERE begun_at <= $1 LIMIT 1000", now - LIFETIME
    )
    return [(row["practice_id"], row["id"]) for row in rows]


def _export(row: Any) -> Export:
    said = dict(row)
    known = {
        "format": Format(said["format"]),
        "kinds": frozenset(map(Kind, said["kinds"])),
        "state": ExportState(said["state"]),
    }
    return Export(**said | known)
