"""Laboratory results: what stands, what was said before, and the latest of each test."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.records import Refusal
from libs.runtime.database import Connection

ON_PAGE = 30
"""Results of a test that the Health page shows; the test's own page shows all."""
COLUMNS = """source_id text, digest text, test_key text, system text, code text, name text,
             kind text, value text, number numeric, comparator text, unit text,
             range_low numeric, range_high numeric, range_text text, flag text, status text,
             rank integer, collected_at timestamptz, precision text, zoned boolean,
             issued_at timestamptz, specimen text, performer text, orderer text, comment text,
             import_id uuid, arrived_at timestamptz"""
NAMES = ", ".join(column.split()[0] for column in COLUMNS.split(","))
SHOWN = """r.id, r.test_key, r.system, r.code, r.name, r.kind, r.value, r.number, r.comparator,
           r.unit, r.range_low, r.range_high, r.range_text, r.flag, r.status, r.collected_at,
           r.precision, r.zoned, r.specimen, r.performer, r.orderer, r.comment, r.arrived_at"""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A result that is there, as far as filing another one has to know."""

    id: UUID
    digest: str
    rank: int
    issued_at: datetime | None
    test_key: str
    kind: str
    value: str
    unit: str


async def lock_record(db: Connection, practice_id: UUID, patient_id: UUID) -> None:
    """The patient's record, held until the transaction ends."""
    there = await db.fetchval(
        "SELECT true FROM patient WHERE practice_id = $1 AND id = $2 FOR UPDATE",
        practice_id,
        patient_id,
    )
    if not there:
        raise Refused(Refusal.UNKNOWN_PATIENT)


async def list_known(
    db: Connection, practice_id: UUID, patient_id: UUID, sources: list[str]
) -> dict[str, Kept]:
    """Those of these results that are there already."""
    rows = await db.fetch(
        """
        SELECT source_id, id, digest, rank, issued_at, test_key, kind, value, unit
          FROM result
         WHERE practice_id = $1 AND patient_id = $2 AND source_id = ANY($3)
        """,
        practice_id,
        patient_id,
        sources,
    )
    return {
        row["source_id"]: Kept(**{k: v for k, v in row.items() if k != "source_id"}) for row in rows
    }


async def add_results(
    db: Connection, practice_id: UUID, patient_id: UUID, rows: Sequence[dict[str, Any]]
) -> None:
    """Add them all in one statement."""
    if rows:
        await db.execute(
            f"""
            INSERT INTO result (practice_id, patient_id, id, {NAMES})
            SELECT $1, $2, id, {NAMES}
              FROM jsonb_to_recordset($3) AS r (id uuid, {COLUMNS})
            """,  # noqa: S608
            practice_id,
            patient_id,
            list(rows),
        )


async def change_results(
    db: Connection, practice_id: UUID, rows: Sequence[dict[str, Any]], *, now: datetime
) -> None:
    """Keep what they said, where that was something else, and have them say what they say now."""
    if not rows:
        return
    given = f"jsonb_to_recordset($2) AS n (id uuid, {COLUMNS})"
    await db.execute(
        f"""
        INSERT INTO result_before (practice_id, result_id, number, value, unit, corrected_at)
        SELECT r.practice_id, r.id,
               1 + (SELECT count(*) FROM result_before b
                     WHERE b.practice_id = r.practice_id AND b.result_id = r.id),
               r.value, r.unit, $3
          FROM {given}
          JOIN result r ON r.practice_id = $1 AND r.id = n.id
         WHERE (r.value, r.unit) IS DISTINCT FROM (n.value, n.unit)
        """,  # noqa: S608
        practice_id,
        list(rows),
        now,
    )
    await db.execute(
        f"""
        UPDATE result r
           SET ({NAMES}) = ROW({", ".join(f"n.{name.strip()}" for name in NAMES.split(","))})
          FROM {given}
         WHERE r.practice_id = $1 AND r.id = n.id
        """,  # noqa: S608
        practice_id,
        list(rows),
    )


async def renew_latest(
    db: Connection, practice_id: UUID, patient_id: UUID, tests: list[str], *, gone: int
) -> None:
    """The latest of these tests anew: by instant, a dated one before any other, ties by arrival."""
    await db.execute(
        """
        DELETE FROM latest_result
         WHERE practice_id = $1 AND patient_id = $2 AND test_key = ANY($3)
        """,
        practice_id,
        patient_id,
        tests,
    )
    await db.execute(
        """
        INSERT INTO latest_result (practice_id, patient_id, test_key, result_id, total)
        SELECT DISTINCT ON (test_key) $1, $2, test_key, id, count(*) OVER (PARTITION BY test_key)
          FROM result
         WHERE practice_id = $1 AND patient_id = $2 AND test_key = ANY($3) AND rank < $4
         ORDER BY test_key, collected_at DESC NULLS LAST, id DESC
        """,
        practice_id,
        patient_id,
        tests,
        gone,
    )


async def list_latest(db: Connection, practice_id: UUID, patient_id: UUID) -> list[Any]:
    """Each test's latest result and the ones before it, newest first, a page of each."""
    rows: list[Any] = await db.fetch(
        f"""
        SELECT {SHOWN}, l.result_id AS latest_id, l.total
          FROM latest_result l
          CROSS JOIN LATERAL (
                SELECT * FROM result r
                 WHERE r.practice_id = l.practice_id AND r.patient_id = l.patient_id
                   AND r.test_key = l.test_key AND r.rank < 6
                 ORDER BY r.collected_at DESC NULLS LAST, r.id DESC
                 LIMIT {ON_PAGE}) r
         WHERE l.practice_id = $1 AND l.patient_id = $2
        """,  # noqa: S608
        practice_id,
        patient_id,
    )
    return rows


async def list_test(
    db: Connection, practice_id: UUID, patient_id: UUID, test_key: str
) -> list[Any]:
    """Every result of one test, newest first."""
    rows: list[Any] = await db.fetch(
        f"""
        SELECT {SHOWN}, l.result_id AS latest_id, l.total
          FROM latest_result l
          JOIN result r ON r.practice_id = l.practice_id AND r.patient_id = l.patient_id
                       AND r.test_key = l.test_key AND r.rank < 6
         WHERE l.practice_id = $1 AND l.patient_id = $2 AND l.test_key = $3
         ORDER BY r.collected_at DESC NULLS LAST, r.id DESC
        """,  # noqa: S608
        practice_id,
        patient_id,
        test_key,
    )
    return rows


async def list_before(db: Connection, practice_id: UUID, results: list[UUID]) -> list[Any]:
    """What these results said before, the last one first."""
    rows: list[Any] = await db.fetch(
        """
        SELECT result_id, value, unit, corrected_at
          FROM result_before
         WHERE practice_id = $1 AND result_id = ANY($2)
         ORDER BY result_id, number DESC
        """,
        practice_id,
        results,
    )
    return rows


async def get_for_correction(
    db: Connection, practice_id: UUID, patient_id: UUID, result_id: UUID
) -> Any:
    """A result as it stands, to say it again with another value."""
    row = await db.fetchrow(
        """
        SELECT source_id, system, code, name, unit, kind, range_low, range_high, range_text,
               collected_at, precision, zoned, specimen, performer, orderer, comment
          FROM result
         WHERE practice_id = $1 AND patient_id = $2 AND id = $3 AND rank < 6
        """,
        practice_id,
        patient_id,
        result_id,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_RESULT)
    return row
