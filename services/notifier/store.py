"""Every statement the notifier runs: one function, one statement."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity.letters import LetterKind
from libs.contracts.notifier import MailState, Refusal
from libs.runtime.database import Connection
from services.notifier.domain import LEASE, Job, Owed

PAGE = 50


async def add_job(  # noqa: PLR0913
    db: Connection,
    *,
    practice_id: UUID,
    id: UUID,  # noqa: A002
    kind: LetterKind,
    reference_id: UUID,
    version: int,
    announced_at: datetime,
    now: datetime,
    due_at: datetime | None = None,
) -> None:
    """Owe a letter, now or from some time on; the same version of it is owed once.

    One that was announced before a restore may have been sent by then: it is not owed, but kept as
    one that failed, for staff to see.
    """
    await db.execute(
        """
        WITH held AS (SELECT words FROM restored WHERE at > $8 ORDER BY at DESC LIMIT 1)
        INSERT INTO mail_job
               (practice_id, id, kind, reference_id, version, queued_at, due_at, state, answer)
        SELECT $1, $2, $3, $4, $5, $6,
               CASE WHEN words IS NULL THEN $7::timestamptz END,
               CASE WHEN words IS NULL THEN 'queued' ELSE 'failed' END,
               coalesce(words, '')
          FROM (SELECT) AS one
          LEFT JOIN held ON true
            ON CONFLICT DO NOTHING
        """,
        practice_id,
        id,
        kind,
        reference_id,
        version,
        now,
        due_at or now,
        announced_at,
    )


async def lease_jobs(db: Connection, *, limit: int, now: datetime) -> list[Job]:
    """Up to `limit` letters that are due and in nobody's hands; they are in ours from now on."""
    rows = await db.fetch(
        """
        WITH due AS MATERIALIZED (  -- chosen once: a subquery may be asked again for each row
                SELECT practice_id, id
                  FROM mail_job
                 WHERE due_at <= $1
                   AND (leased_until IS NULL OR leased_until <= $1)
                 ORDER BY due_at
                 LIMIT $2
                   FOR UPDATE SKIP LOCKED)
        UPDATE mail_job j
           SET leased_until = $1::timestamptz + $3::interval, tries = j.tries + 1
          FROM due
         WHERE j.practice_id = due.practice_id AND j.id = due.id
        RETURNING j.practice_id, j.id, kind, reference_id, version, state, recipient, answer,
                  tries, queued_at, due_at, sent_at
        """,
        now,
        limit,
        LEASE,
    )
    return [_job(row) for row in rows]


async def keep_leases(db: Connection, jobs: Sequence[UUID], *, now: datetime) -> None:
    """We are still at it."""
    await db.execute(
        """
        UPDATE mail_job
           SET leased_until = $2::timestamptz + $3::interval
         WHERE id = ANY($1) AND due_at IS NOT NULL
        """,
        list(jobs),
        now,
        LEASE,
    )


async def save_outcome(  # noqa: PLR0913
    db: Connection,
    job: Job,
    *,
    state: MailState,
    answer: str,
    recipient: str,
    due_at: datetime | None,
    now: datetime,
) -> None:
    """Keep how a try ended, and give the job out of our hands."""
    await db.execute(
        """
        UPDATE mail_job
           SET state = $3, answer = $4, due_at = $5, leased_until = NULL,
               recipient = CASE WHEN $6 = '' THEN recipient ELSE $6 END,
               sent_at = CASE WHEN $3 = 'sent' THEN $7::timestamptz END
         WHERE practice_id = $1 AND id = $2
        """,
        job.practice_id,
        job.id,
        state,
        answer,
        due_at,
        recipient,
        now,
    )


async def put_back(db: Connection, job: Job, *, due_at: datetime) -> None:
    """Not tried after all: what the letter needs could not be asked for just now."""
    await db.execute(
        """
        UPDATE mail_job
           SET leased_until = NULL, tries = tries - 1, due_at = $3
         WHERE practice_id = $1 AND id = $2
        """,
        job.practice_id,
        job.id,
        due_at,
    )


async def count_owed(db: Connection, *, now: datetime) -> Owed:
    """How many letters are owed, and for how many seconds the oldest of each kind has been."""
    row = await db.fetchrow(
        """
        SELECT count(*) FILTER (WHERE state = 'queued') AS queued,
               count(*) FILTER (WHERE state = 'retrying') AS retrying,
               greatest(0, extract(epoch FROM $1::timestamptz - min(due_at)))::float8 AS overdue,
               coalesce(greatest(0, extract(
                   epoch FROM $1::timestamptz - min(queued_at) FILTER (WHERE state = 'retrying')
               )), 0)::float8 AS oldest_retry
          FROM mail_job
         WHERE due_at IS NOT NULL
        """,
        now,
    )
    assert row is not None  # noqa: S101
    return Owed(**dict(row))


async def list_jobs(
    db: Connection, practice_id: UUID, *, state: MailState | None, before: UUID | None
) -> list[Job]:
    """A practice's letters, newest first, one page and one more."""
    rows = await db.fetch(
        """
        SELECT practice_id, id, kind, reference_id, version, state, recipient, answer, tries,
               queued_at, due_at, sent_at
          FROM mail_job
         WHERE practice_id = $1
           AND ($2::text IS NULL OR state = $2)
           AND ($3::uuid IS NULL OR id < $3)
         ORDER BY id DESC
         LIMIT $4
        """,
        practice_id,
        state,
        before,
        PAGE + 1,
    )
    return [_job(row) for row in rows]


async def lock_job(db: Connection, practice_id: UUID, mail_id: UUID) -> Job:
    """The practice's own letter, held until the transaction ends."""
    row = await db.fetchrow(
        """
        SELECT practice_id, id, kind, reference_id, version, state, recipient, answer, tries,
               queued_at, due_at, sent_at
          FROM mail_job
         WHERE practice_id = $1 AND id = $2
           FOR UPDATE
        """,
        practice_id,
        mail_id,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_MAIL)
    return _job(row)


async def make_due(db: Connection, job: Job, *, now: datetime) -> None:
    """Due now, with its patience starting over."""
    await db.execute(
        """
        UPDATE mail_job
           SET state = 'queued', due_at = $3, queued_at = $3, tries = 0
         WHERE practice_id = $1 AND id = $2
        """,
        job.practice_id,
        job.id,
        now,
    )


def _job(row: Any) -> Job:
    return Job(**dict(row) | {"kind": LetterKind(row["kind"]), "state": MailState(row["state"])})
