"""Results as they are filed: many at once, and the latest of each test beside them."""

# ruff: noqa: S608 - what is put into a statement is our own list of columns

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.records.refusals import Refusal
from libs.runtime.database import Connection
from services.records.domain import labs
from services.records.domain.kept import Kept, Known, key, storable
from services.records.domain.result import Before

Rows: TypeAlias = Sequence[tuple[UUID, Kept]]
"""Results, each with the id that it has here."""

TYPES = {
    "number": "numeric",
    "range_low": "numeric",
    "range_high": "numeric",
    "rank": "integer",
    "collected_at": "timestamptz",
    "zoned": "boolean",
    "issued_at": "timestamptz",
}
COLUMNS = ", ".join(Kept._fields)
FIRST = 7
"""The number of the parameter that is the first column; before it are place, ids and keys."""
GIVEN = (
    "unnest($5::uuid[], $6::uuid[], "
    + ", ".join(
        f"${FIRST + at}::{TYPES.get(field, 'text')}[]" for at, field in enumerate(Kept._fields)
    )
    + f") AS n (id, key, {COLUMNS})"
)


@dataclass(frozen=True, slots=True)
class Into:
    """Whose record results are filed into, and what brings them."""

    db: Connection
    practice_id: UUID
    patient_id: UUID
    import_id: UUID | None
    now: datetime


async def lock_record(into: Into) -> None:
    """The patient's record, held until the transaction ends."""
    there = await into.db.fetchval(
        "SELECT true FROM patient WHERE practice_id = $1 AND id = $2 FOR NO KEY UPDATE",
        into.practice_id,
        into.patient_id,
    )
    if not there:
        raise Refused(Refusal.UNKNOWN_PATIENT)


async def list_known(into: Into, sources: list[str]) -> dict[str, Known]:
    """Those of these results that are there already, each found by its key."""
    rows = await into.db.fetch(
        """
        SELECT r.source_id, r.id, r.digest, r.said, r.rank, r.issued_at, r.test_key
          FROM unnest($2::uuid[]) AS n (key)
         CROSS JOIN LATERAL (
               SELECT * FROM result WHERE practice_id = $1 AND key = n.key LIMIT 1) AS r
        """,
        into.practice_id,
        [key(into.patient_id, source_id) for source_id in sources],
    )
    return {source_id: Known(*columns) for source_id, *columns in rows}


async def add_results(into: Into, rows: Rows) -> None:
    """Add them, and have those that are the latest of their test be that."""
    await into.db.execute(
        f"""
        WITH added AS (
            INSERT INTO result (practice_id, patient_id, import_id, arrived_at, id, key, {COLUMNS})
            SELECT $1::uuid, $2::uuid, $3::uuid, $4::timestamptz, n.* FROM {GIVEN}
            RETURNING test_key, id, collected_at, rank
        )
        INSERT INTO latest_result AS l
               (practice_id, patient_id, test_key, result_id, collected_at, total)
        SELECT DISTINCT ON (test_key)
               $1, $2, test_key, id, collected_at, count(*) OVER (PARTITION BY test_key)
          FROM added
         WHERE rank < {labs.GONE}
         ORDER BY test_key, collected_at DESC NULLS LAST, id DESC
            ON CONFLICT (practice_id, patient_id, test_key) DO UPDATE
           SET total = l.total + excluded.total,
               (result_id, collected_at) = (
                   SELECT id, at
                     FROM (VALUES (l.result_id, l.collected_at),
                                  (excluded.result_id, excluded.collected_at)) AS either (id, at)
                    ORDER BY at DESC NULLS LAST, id DESC
                    LIMIT 1)
        """,
        *_given(into, rows),
    )


async def add_earlier_values(
    into: Into, brought: Sequence[tuple[UUID, tuple[Before, ...]]]
) -> None:
    """What these new results said elsewhere, of each the last one first."""
    rows = [(id_, *values) for id_, before in brought for values in enumerate(reversed(before), 1)]
    await into.db.execute(
        """
        WITH added AS (
            INSERT INTO result_before
                   (practice_id, result_id, number, value, unit, corrected_at)
            SELECT $1, n.*
              FROM unnest($2::uuid[], $3::int[], $4::text[], $5::text[], $6::timestamptz[]) n
            RETURNING result_id, md5(value || ' ' || unit) AS said
        )
        UPDATE result r
           SET said = r.said || a.said
          FROM (SELECT result_id, array_agg(said) AS said FROM added GROUP BY result_id) a
         WHERE r.practice_id = $1 AND r.id = a.result_id
        """,
        into.practice_id,
        [id_ for id_, _, _ in rows],
        [number for _, number, _ in rows],
        [storable(was.value) for _, _, was in rows],
        [storable(was.unit) for _, _, was in rows],
        [was.corrected_at for _, _, was in rows],
    )


async def keep_earlier_values(into: Into, rows: Rows) -> None:
    """What these results say, where they are about to say something else."""
    await into.db.execute(
        """
        INSERT INTO result_before (practice_id, result_id, number, value, unit, corrected_at)
        SELECT r.practice_id, r.id,
               1 + (SELECT count(*) FROM result_before b
                     WHERE b.practice_id = r.practice_id AND b.result_id = r.id),
               r.value, r.unit, $2
          FROM unnest($3::uuid[], $4::text[], $5::text[]) AS n (id, value, unit)
          JOIN result r ON r.practice_id = $1 AND r.id = n.id
         WHERE (r.value, r.unit) IS DISTINCT FROM (n.value, n.unit)
        """,
        into.practice_id,
        into.now,
        [result_id for result_id, _ in rows],
        [row.value for _, row in rows],
        [row.unit for _, row in rows],
    )


async def change_results(into: Into, rows: Rows) -> None:
    """Have them say what they say now."""
    await into.db.execute(
        f"""
        UPDATE result r
           SET ({COLUMNS}) = ROW({", ".join(f"n.{field}" for field in Kept._fields)}),
               said = r.said || r.digest, import_id = $3, arrived_at = $4
          FROM {GIVEN}
         WHERE r.practice_id = $1 AND r.patient_id = $2 AND r.id = n.id
        """,
        *_given(into, rows),
    )


async def withdraw_results(into: Into, rows: Rows) -> None:
    """They are taken back; what they said stays, for whoever looks into it."""
    await into.db.execute(
        f"""
        UPDATE result r
           SET digest = n.digest, status = n.status, rank = n.rank, issued_at = n.issued_at,
               said = r.said || r.digest, import_id = $3, arrived_at = $4
          FROM {GIVEN}
         WHERE r.practice_id = $1 AND r.patient_id = $2 AND r.id = n.id
        """,
        *_given(into, rows),
    )


async def forget_latest(into: Into, tests: list[str]) -> None:
    """Nothing is the latest of these tests, until `renew_latest`."""
    await into.db.execute(
        """
        DELETE FROM latest_result
         WHERE practice_id = $1 AND patient_id = $2 AND test_key = ANY($3)
        """,
        into.practice_id,
        into.patient_id,
        tests,
    )


async def renew_latest(into: Into, tests: list[str]) -> None:
    """The latest of these tests: by instant, a dated one before any other, ties by arrival."""
    await into.db.execute(
        """
        INSERT INTO latest_result
               (practice_id, patient_id, test_key, result_id, collected_at, total)
        SELECT DISTINCT ON (test_key)
               $1, $2, test_key, id, collected_at, count(*) OVER (PARTITION BY test_key)
          FROM result
         WHERE practice_id = $1 AND patient_id = $2 AND test_key = ANY($3) AND rank < $4
         ORDER BY test_key, collected_at DESC NULLS LAST, id DESC
        """,
        into.practice_id,
        into.patient_id,
        tests,
        labs.GONE,
    )


def _given(into: Into, rows: Rows) -> list[object]:
    """The parameters of a statement over `GIVEN`."""
    place = [into.practice_id, into.patient_id, into.import_id, into.now]
    ids = [result_id for result_id, _ in rows]
    keys = [key(into.patient_id, row.source_id) for _, row in rows]
    return [*place, ids, keys, *map(list, zip(*(row for _, row in rows), strict=True))]
