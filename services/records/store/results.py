"""Laboratory results as they are read: the latest of each test, and what was before."""

# ruff: noqa: S608 - what is put into a statement is our own list of columns

from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.records.refusals import Refusal
from libs.runtime.database import Connection
from services.records.domain import labs
from services.records.domain.kept import key

ON_PAGE = 30
"""Results of a test that the Health page shows."""
ON_PAGE_IN_ALL = 3000
"""Results that the Health page shows; with very many tests, fewer of each."""
OF_A_TEST = 2000
"""Results that a test's own page shows."""
LONGEST = 4000
"""Characters of a value or a comment that the Health page shows; a test's own page shows all."""

_SHOWN = """
    r.id, r.test_key, r.system, r.code, r.name, r.kind, r.number, r.comparator, r.unit,
    r.range_low, r.range_high, r.range_text, r.flag, r.status, r.collected_at, r.precision,
    r.zoned, r.specimen, r.performer, r.orderer, r.arrived_at, cardinality(r.said) AS changes
"""


async def list_latest(db: Connection, practice_id: UUID, patient_id: UUID) -> list[Any]:
    """Each test's latest result and the ones before it, newest first, a page of each."""
    rows: list[Any] = await db.fetch(
        f"""
        SELECT {_SHOWN}, {_shortened("value")}, {_shortened("comment")},
               l.result_id AS latest_id, l.total
          FROM latest_result l
          CROSS JOIN LATERAL (
                SELECT *
                  FROM result r
                 WHERE r.practice_id = l.practice_id AND r.patient_id = l.patient_id
                   AND r.test_key = l.test_key AND r.rank < $3
                 ORDER BY r.collected_at DESC NULLS LAST, r.id DESC
                 LIMIT (SELECT greatest(1, least($4, $5 / greatest(1, count(*))))
                          FROM latest_result
                         WHERE practice_id = $1 AND patient_id = $2)) r
         WHERE l.practice_id = $1 AND l.patient_id = $2
        """,
        practice_id,
        patient_id,
        labs.WITHDRAWN,
        ON_PAGE,
        ON_PAGE_IN_ALL,
    )
    return rows


async def list_test(
    db: Connection, practice_id: UUID, patient_id: UUID, test_key: str
) -> list[Any]:
    """The results of one test, newest first."""
    rows: list[Any] = await db.fetch(
        f"""
        SELECT {_SHOWN}, r.value, r.comment, l.result_id AS latest_id, l.total
          FROM latest_result l
          JOIN result r ON r.practice_id = l.practice_id AND r.patient_id = l.patient_id
                       AND r.test_key = l.test_key AND r.rank < $4
         WHERE l.practice_id = $1 AND l.patient_id = $2 AND l.test_key = $3
         ORDER BY r.collected_at DESC NULLS LAST, r.id DESC
         LIMIT $5
        """,
        practice_id,
        patient_id,
        test_key,
        labs.WITHDRAWN,
        OF_A_TEST,
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


async def get_id(db: Connection, practice_id: UUID, patient_id: UUID, source_id: str) -> UUID:
    """The id that a result of this source has here."""
    result_id: UUID | None = await db.fetchval(
        "SELECT id FROM result WHERE practice_id = $1 AND key = $2",
        practice_id,
        key(patient_id, source_id),
    )
    if result_id is None:
        raise Refused(Refusal.UNKNOWN_RESULT)
    return result_id


async def get_for_correction(
    db: Connection, practice_id: UUID, patient_id: UUID, result_id: UUID
) -> Any:
    """A result that stands, to say it with another value."""
    row = await db.fetchrow(
        """
        SELECT source_id, system, code, name, unit, range_low, range_high, range_text,
               collected_at, precision, zoned, issued_at, specimen, performer, orderer, comment
          FROM result
         WHERE practice_id = $1 AND patient_id = $2 AND id = $3 AND rank < $4
        """,
        practice_id,
        patient_id,
        result_id,
        labs.GONE,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_RESULT)
    return row


def _shortened(column: str) -> str:
    return (
        f"CASE WHEN length(r.{column}) > {LONGEST} THEN left(r.{column}, {LONGEST}) || ' …'"
        f" ELSE r.{column} END AS {column}"
    )
