"""Every statement about the activity log. None of them changes or removes an entry."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.runtime.database import Connection
from services.records.domain.activity import Entry, Head

PAGE = 50
PART = 500
"""Entries of a download in one reply."""


async def lock_heads(
    db: Connection, practice_id: UUID, patients: Sequence[UUID]
) -> dict[UUID, Head]:
    """How these chains end; nothing is added to them but by us until the transaction ends."""
    rows = await db.fetch(
        """
        SELECT patient_id, number, hash
          FROM activity_head
         WHERE practice_id = $1 AND patient_id = ANY($2)
         ORDER BY patient_id
           FOR UPDATE
        """,
        practice_id,
        patients,
    )
    return {row["patient_id"]: Head(number=row["number"], hash=row["hash"]) for row in rows}


async def begin_chains(db: Connection, practice_id: UUID, patients: Sequence[UUID]) -> None:
    """Chains without an entry, where there is none yet."""
    await db.execute(
        """
        INSERT INTO activity_head (practice_id, patient_id)
        SELECT $1, patient_id FROM unnest($2::uuid[]) AS p (patient_id)
            ON CONFLICT DO NOTHING
        """,
        practice_id,
        patients,
    )


async def add_entries(
    db: Connection, practice_id: UUID, entries: Sequence[Entry], heads: dict[UUID, Head]
) -> None:
    """New entries, and how their chains end now."""
    await db.execute(
        """
        WITH added AS (
            INSERT INTO activity (practice_id, patient_id, number, at, actor_id, actor_name,
                                  capacity, act, subject, reason, previous, hash)
            SELECT $1, *
              FROM unnest($2::uuid[], $3::bigint[], $4::timestamptz[], $5::uuid[], $6::text[],
                          $7::text[], $8::text[], $9::text[], $10::text[], $11::bytea[],
                          $12::bytea[]))
        UPDATE activity_head h
           SET number = n.number, hash = n.hash
          FROM unnest($13::uuid[], $14::bigint[], $15::bytea[]) AS n (patient_id, number, hash)
         WHERE h.practice_id = $1 AND h.patient_id = n.patient_id
        """,
        practice_id,
        [entry.patient_id for entry in entries],
        [entry.number for entry in entries],
        [entry.at for entry in entries],
        [entry.actor_id for entry in entries],
        [entry.actor_name for entry in entries],
        [entry.capacity for entry in entries],
        [entry.act for entry in entries],
        [entry.subject for entry in entries],
        [entry.reason for entry in entries],
        [entry.previous for entry in entries],
        [entry.hash for entry in entries],
        list(heads),
        [head.number for head in heads.values()],
        [head.hash for head in heads.values()],
    )


async def get_head(db: Connection, practice_id: UUID, patient_id: UUID) -> Head:
    """How the chain ends."""
    row = await db.fetchrow(
        "SELECT number, hash FROM activity_head WHERE practice_id = $1 AND patient_id = $2",
        practice_id,
        patient_id,
    )
    return Head(**dict(row)) if row else Head()


async def has_entry(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    patient_id: UUID,
    *,
    actor_id: UUID,
    acts: Sequence[str],
    subject: str,
    since: datetime | None = None,
) -> bool:
    """Whether this person did one of this to it, since then or ever."""
    return bool(
        await db.fetchval(
            """
            SELECT EXISTS (
                SELECT FROM activity
                 WHERE practice_id = $1 AND patient_id = $2 AND subject = $3 AND act = ANY($4)
                   AND actor_id = $5 AND ($6::timestamptz IS NULL OR at >= $6))
            """,
            practice_id,
            patient_id,
            subject,
            acts,
            actor_id,
            since,
        )
    )


async def list_newest(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    patient_id: UUID,
    *,
    actor_id: UUID | None,
    acts: Sequence[str],
    start: datetime | None,
    end: datetime | None,
    before: int,
) -> list[Entry]:
    """A page of the log and one entry more, the newest first."""
    rows = await db.fetch(
        """
        SELECT *
          FROM activity
         WHERE practice_id = $1 AND patient_id = $2
           AND ($3::uuid IS NULL OR actor_id = $3)
           AND (cardinality($4::text[]) = 0 OR act = ANY($4))
           AND ($5::timestamptz IS NULL OR at >= $5)
           AND ($6::timestamptz IS NULL OR at < $6)
           AND ($7::bigint = 0 OR number < $7)
         ORDER BY number DESC
         LIMIT $8
        """,
        practice_id,
        patient_id,
        actor_id,
        acts,
        start,
        end,
        before,
        PAGE + 1,
    )
    return [Entry(**dict(row)) for row in rows]


async def list_from(
    db: Connection, practice_id: UUID, patient_id: UUID, *, after: int
) -> list[Entry]:
    """The entries that follow, in their order."""
    rows = await db.fetch(
        """
        SELECT *
          FROM activity
         WHERE practice_id = $1 AND patient_id = $2 AND number > $3
         ORDER BY number
         LIMIT $4
        """,
        practice_id,
        patient_id,
        after,
        PART,
    )
    return [Entry(**dict(row)) for row in rows]


async def list_actors(db: Connection, practice_id: UUID, patient_id: UUID) -> list[Any]:
    """Everybody in the log, as they were called last."""
    return list(
        await db.fetch(
            """
            SELECT DISTINCT ON (actor_id) actor_id, actor_name, capacity
              FROM activity
             WHERE practice_id = $1 AND patient_id = $2
             ORDER BY actor_id, number DESC
            """,
            practice_id,
            patient_id,
        )
    )


async def list_names(
    db: Connection, practice_id: UUID, patient_id: UUID, ids: Sequence[UUID], tests: Sequence[str]
) -> dict[str, str]:
    """What documents, results and tests are called today, by what names them in an entry."""
    rows = await db.fetch(
        """
        SELECT id::text AS subject, title AS name
          FROM document
         WHERE practice_id = $1 AND patient_id = $2 AND id = ANY($3)
        UNION ALL
        SELECT id::text, name
          FROM result
         WHERE practice_id = $1 AND patient_id = $2 AND id = ANY($3)
        UNION ALL
        SELECT l.test_key, r.name
          FROM latest_result l
          JOIN result r ON r.practice_id = l.practice_id AND r.id = l.result_id
         WHERE l.practice_id = $1 AND l.patient_id = $2 AND l.test_key = ANY($4)
        """,
        practice_id,
        patient_id,
        ids,
        tests,
    )
    return {row["subject"]: row["name"] for row in rows}


async def list_chains(db: Connection) -> list[tuple[UUID, UUID]]:
    """Every practice and patient with a log, for whoever sees all of them."""
    rows = await db.fetch(
        """
        SELECT practice_id, patient_id FROM activity_head
         UNION
        SELECT practice_id, patient_id FROM activity
         ORDER BY 1, 2
        """
    )
    return [(row["practice_id"], row["patient_id"]) for row in rows]
