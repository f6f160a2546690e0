"""Every statement of the work of reading imports: leases, subjects, counts, and how it ended."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.runtime.database import Connection
from services.records.domain.importing import LEASE, Counts, Job, Subject, Tally
from services.records.domain.matching import Candidate, Match
from services.records.store.imports import NOBODY


class LeaseLost(Exception):
    """Somebody else has this import in hand by now, or it was discarded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Met:
    """Somebody in the file, as a report names them."""

    number: int
    key_hash: str
    name: str
    birth_date: date | None
    identifiers: tuple[str, ...]


async def lease_import(db: Connection, *, lease: UUID, now: datetime) -> Job | None:
    """A file that is due and in nobody's hands; it is in ours from now on."""
    row = await db.fetchrow(
        """
        WITH due AS MATERIALIZED (  -- chosen once: a subquery may be asked again for each row
                SELECT practice_id, id
                  FROM import
                 WHERE due_at <= $1
                   AND (leased_until IS NULL OR leased_until <= $1)
                 ORDER BY due_at
                 LIMIT 1
                   FOR UPDATE SKIP LOCKED)
        UPDATE import i
           SET leased_until = $1 + $2::interval, lease = $3, tries = i.tries + 1
          FROM due
         WHERE i.practice_id = due.practice_id AND i.id = due.id
        RETURNING i.practice_id, i.id, content_id, about_id, file_name, declared_type, source,
                  started_by, started_by_name, is_preview, run, position, tries, lease
        """,
        now,
        LEASE,
        lease,
    )
    return Job(**dict(row)) if row else None


async def keep_leases(db: Connection, leases: Iterable[UUID], *, now: datetime) -> None:
    """We are still at it."""
    await db.execute(
        "UPDATE import SET leased_until = $2 + $3::interval WHERE lease = ANY($1)",
        list(leases),
        now,
        LEASE,
    )


async def put_back(db: Connection, job: Job, *, again_at: datetime, uncounted: bool) -> None:
    """Not read after all, or not to its end; it is due again then."""
    await db.execute(
        """
        UPDATE import
           SET leased_until = $4, lease = NULL, tries = tries - $5
         WHERE practice_id = $1 AND id = $2 AND lease = $3
        """,
        job.practice_id,
        job.id,
        job.lease,
        again_at,
        int(uncounted),
    )


async def save_position(db: Connection, job: Job, position: int) -> None:
    """How far this reading has come; if it is still ours."""
    mine = await db.fetchval(
        """
        UPDATE import
           SET position = greatest(position, $4)
         WHERE practice_id = $1 AND id = $2 AND lease = $3 AND state = 'reading'
        RETURNING true
        """,
        job.practice_id,
        job.id,
        job.lease,
        position,
    )
    if not mine:
        raise LeaseLost


async def list_known_subjects(
    db: Connection, job: Job, hashes: Sequence[str] | None = None
) -> dict[str, Subject]:
    """Whom readings of the file have met, by the hash of their key; all, or these."""
    rows = await db.fetch(
        """
        SELECT key_hash, number, run, patient_id, settled
          FROM import_subject
         WHERE practice_id = $1 AND import_id = $2 AND ($3::text[] IS NULL OR key_hash = ANY($3))
        """,
        job.practice_id,
        job.id,
        list(hashes) if hashes is not None else None,
    )
    return {
        row["key_hash"]: Subject(
            number=row["number"],
            run=row["run"],
            patient_id=row["patient_id"],
            waits=not row["settled"],
        )
        for row in rows
    }


async def list_candidates(
    db: Connection, practice_id: UUID, *, numbers: Sequence[str], born: Sequence[date]
) -> list[Candidate]:
    """The practice's patients with one of these record numbers or birth dates."""
    rows = await db.fetch(
        """
        SELECT id, given, family, birth_date, mrn
          FROM patient
         WHERE practice_id = $1 AND mrn <> '' AND mrn = ANY($2)
         UNION
        SELECT id, given, family, birth_date, mrn
          FROM patient
         WHERE practice_id = $1 AND birth_date = ANY($3)
        """,
        practice_id,
        list(numbers),
        list(born),
    )
    return [Candidate(**dict(row)) for row in rows]


async def find_candidate(db: Connection, practice_id: UUID, patient_id: UUID) -> Candidate | None:
    """The patient whom somebody chose."""
    row = await db.fetchrow(
        """
        SELECT id, given, family, birth_date, mrn
          FROM patient
         WHERE practice_id = $1 AND id = $2
        """,
        practice_id,
        patient_id,
    )
    return Candidate(**dict(row)) if row else None


async def save_subjects(db: Connection, job: Job, met: Sequence[tuple[Met, Match]]) -> None:
    """Who was met, and who we think that is; one who waited before may be known now."""
    await db.executemany(
        """
        INSERT INTO import_subject (practice_id, import_id, number, key_hash, name, birth_date,
                                    identifiers, patient_id, why_waiting, candidates, settled, run)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            ON CONFLICT (practice_id, import_id, number) DO UPDATE
           SET patient_id = excluded.patient_id, why_waiting = excluded.why_waiting,
               candidates = excluded.candidates, settled = excluded.settled, run = excluded.run,
               results_found = 0, results_taken = 0, results_unchanged = 0, results_corrected = 0,
               documents_found = 0, documents_taken = 0, documents_unchanged = 0
         WHERE import_subject.settled = '' AND import_subject.run <> excluded.run
        """,
        [
            (
                job.practice_id,
                job.id,
                one.number,
                one.key_hash,
                one.name,
                one.birth_date,
                list(one.identifiers),
                match.patient_id,
                match.why or "",
                list(match.candidates),
                "matched" if match.patient_id else "",
                job.run,
            )
            for one, match in met
        ],
    )


async def add_counts(db: Connection, job: Job, counted: Mapping[int, Counts]) -> None:
    """More of these subjects has been dealt with."""
    await db.executemany(
        """
        UPDATE import_subject
           SET results_found = results_found + $4, results_taken = results_taken + $5,
               results_unchanged = results_unchanged + $6,
               results_corrected = results_corrected + $7,
               documents_found = documents_found + $8, documents_taken = documents_taken + $9,
               documents_unchanged = documents_unchanged + $10
         WHERE practice_id = $1 AND import_id = $2 AND number = $3 AND run = $11
        """,
        [
            (job.practice_id, job.id, number, *astuple(counts), job.run)
            for number, counts in sorted(counted.items())
        ],
    )


async def remove_idle_subjects(db: Connection, job: Job) -> int:
    """Somebody of whom there is nothing to file waits for nothing; how many there were."""
    rows = await db.fetch(
        """
        DELETE FROM import_subject
         WHERE practice_id = $1 AND import_id = $2 AND settled = ''
           AND results_found + documents_found = 0
        RETURNING number
        """,
        job.practice_id,
        job.id,
    )
    return len(rows)


async def save_left_out(db: Connection, job: Job, tally: Tally) -> None:
    """What this reading left out, instead of what the one before did."""
    await db.execute(
        "DELETE FROM import_left_out WHERE practice_id = $1 AND import_id = $2",
        job.practice_id,
        job.id,
    )
    await db.executemany(
        """
        INSERT INTO import_left_out (practice_id, import_id, number, reason, what, place, count)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        [(job.practice_id, job.id, number, *line) for number, line in enumerate(tally.told(), 1)],
    )


async def lock_reading(db: Connection, job: Job) -> None:
    """Ours until the transaction ends, if it still is."""
    mine = await db.fetchval(
        """
        SELECT true
          FROM import
         WHERE practice_id = $1 AND id = $2 AND lease = $3 AND state = 'reading'
           FOR UPDATE
        """,
        job.practice_id,
        job.id,
        job.lease,
    )
    if not mine:
        raise LeaseLost


async def has_next_run(db: Connection, job: Job) -> bool:
    """Whether somebody was assigned while the file was being read."""
    return bool(
        await db.fetchval(
            """
            SELECT true
              FROM import_subject
             WHERE practice_id = $1 AND import_id = $2 AND run > $3 AND patient_id IS NOT NULL
             LIMIT 1
            """,
            job.practice_id,
            job.id,
            job.run,
        )
    )


async def begin_next_run(db: Connection, job: Job, *, now: datetime) -> None:
    """Read it once more at once."""
    await db.execute(
        """
        UPDATE import
           SET run = run + 1, position = 0, tries = 0, lease = NULL, leased_until = NULL,
               due_at = $3
         WHERE practice_id = $1 AND id = $2
        """,
        job.practice_id,
        job.id,
        now,
    )


async def save_end(  # noqa: PLR0913
    db: Connection,
    job: Job,
    *,
    state: str,
    format: str,  # noqa: A002
    problem: str,
    left_out: int,
    waiting: int,
    now: datetime,
) -> None:
    """How the reading ended, with the sums that a list shows."""
    await db.execute(
        """
        UPDATE import
           SET state = $3, format = $4, problem = $5, left_out = $6, waiting = $7,
               finished_at = $8, due_at = NULL, lease = NULL, leased_until = NULL,
               (taken, unchanged) = (
                SELECT coalesce(sum(results_taken + results_corrected + documents_taken), 0),
                       coalesce(sum(results_unchanged + documents_unchanged), 0)
                  FROM import_subject s
                 WHERE s.practice_id = $1 AND s.import_id = $2)
         WHERE practice_id = $1 AND id = $2
        """,
        job.practice_id,
        job.id,
        state,
        format,
        problem,
        left_out,
        waiting,
        now,
    )


async def find_only_patient(db: Connection, job: Job) -> UUID | None:
    """The one patient that all of the file was about, if it was about one and nobody else."""
    row: Any = await db.fetchrow(
        """
        SELECT min(patient_id::text) AS one, count(DISTINCT coalesce(patient_id, $3)) AS several
          FROM import_subject
         WHERE practice_id = $1 AND import_id = $2
        """,
        job.practice_id,
        job.id,
        NOBODY,
    )
    return UUID(row["one"]) if row["several"] == 1 and row["one"] else None
