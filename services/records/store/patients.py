"""A practice's patients."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity.invitations import InvitationState
from libs.contracts.records.patients import Contact, Patient, Person
from libs.contracts.records.refusals import Refusal
from libs.runtime.database import Connection
from services.records.domain.patient import Entry, Known, searched
from services.records.domain.standing import Closing

PAGE = 50
COLUMNS = """id AS patient_id, given, family, birth_date, email, mrn, state, state_since,
             invitation_expires_at, new_link_wanted, active, deactivated_at, deactivated_by,
             deactivation_reason, added_at"""
ATTENTION = "(active AND (state IN ('bounced', 'expired', 'locked') OR new_link_wanted))"
WAITING = "active AND state IN ('invited', 'delivered', 'opened')"


async def lock_list(db: Connection, practice_id: UUID) -> None:
    """Nobody else is put on the practice's list until the transaction ends."""
    await db.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('patients ' || $1, 0))", str(practice_id)
    )


async def list_alike(db: Connection, practice_id: UUID, entries: Sequence[Entry]) -> list[Known]:
    """Those on the list who have a name and birth date, or a record number, of one of these."""
    rows = await db.fetch(
        """
        SELECT p.family_key, p.given_key, p.birth_date, p.mrn
          FROM (SELECT DISTINCT * FROM unnest($2::text[], $3::text[], $4::date[])) AS
               n (family_key, given_key, birth_date)
          JOIN patient p USING (family_key, given_key, birth_date)
         WHERE p.practice_id = $1
         UNION
        SELECT family_key, given_key, birth_date, mrn
          FROM patient
         WHERE practice_id = $1 AND mrn = ANY($5) AND mrn <> ''
        """,
        practice_id,
        [entry.family_key for entry in entries],
        [entry.given_key for entry in entries],
        [entry.birth_date for entry in entries],
        [entry.mrn for entry in entries],
    )
    return [Known(who=(family, given, born), mrn=mrn) for family, given, born, mrn in rows]


async def add_patients(
    db: Connection, practice_id: UUID, added: Sequence[tuple[UUID, Entry]], *, now: datetime
) -> None:
    """Put them on the list."""
    columns = [
        (
            patient_id,
            entry.given,
            entry.family,
            entry.birth_date,
            entry.email,
            entry.mrn,
            entry.family_key,
            entry.given_key,
            entry.search,
        )
        for patient_id, entry in added
    ]
    await db.execute(
        """
        INSERT INTO patient (practice_id, state_since, added_at, id, given, family, birth_date,
                             email, mrn, family_key, given_key, search)
        SELECT $1::uuid, $2::timestamptz, $2::timestamptz, n.*
          FROM unnest($3::uuid[], $4::text[], $5::text[], $6::date[], $7::text[], $8::text[],
                      $9::text[], $10::text[], $11::text[]) AS n
        """,
        practice_id,
        now,
        *map(list, zip(*columns, strict=True)),
    )


async def lock_patient(db: Connection, practice_id: UUID, patient_id: UUID) -> Patient:
    """The patient, held until the transaction ends."""
    row = await db.fetchrow(
        f"SELECT {COLUMNS} FROM patient WHERE practice_id = $1 AND id = $2 FOR UPDATE",  # noqa: S608
        practice_id,
        patient_id,
    )
    return _patient(row)


async def get_patient(db: Connection, practice_id: UUID, patient_id: UUID) -> Patient:
    row = await db.fetchrow(
        f"SELECT {COLUMNS} FROM patient WHERE practice_id = $1 AND id = $2",  # noqa: S608
        practice_id,
        patient_id,
    )
    return _patient(row)


async def get_person(db: Connection, practice_id: UUID, patient_id: UUID) -> Person:
    """Whose record it is."""
    row = await db.fetchrow(
        """
        SELECT id AS patient_id, practice_id, given, family, birth_date, mrn, active
          FROM patient WHERE practice_id = $1 AND id = $2
        """,
        practice_id,
        patient_id,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_PATIENT)
    return Person(**row)


async def list_people(
    db: Connection, practice_id: UUID, patient_ids: Sequence[UUID]
) -> list[Person]:
    """Who these patients are."""
    rows = await db.fetch(
        """
        SELECT id AS patient_id, practice_id, given, family, birth_date, mrn, active
          FROM patient WHERE practice_id = $1 AND id = ANY($2)
        """,
        practice_id,
        list(patient_ids),
    )
    return [Person(**dict(row)) for row in rows]


async def get_contact(db: Connection, practice_id: UUID, patient_id: UUID) -> Contact:
    """How to reach a patient; of one whose record is closed to them, nobody is told."""
    row: Any = await db.fetchrow(
        """
        SELECT given, family, birth_date, email
          FROM patient WHERE practice_id = $1 AND id = $2 AND active
        """,
        practice_id,
        patient_id,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_PATIENT)
    return Contact(**row)


async def save_email(db: Connection, practice_id: UUID, patient: Patient, email: str) -> None:
    await db.execute(
        "UPDATE patient SET email = $3, search = $4 WHERE practice_id = $1 AND id = $2",
        practice_id,
        patient.patient_id,
        email,
        searched(patient.given, patient.family, email, patient.mrn),
    )


async def want_invitations(
    db: Connection, practice_id: UUID, patients: Sequence[UUID]
) -> list[tuple[UUID, int]]:
    """One more invitation is wanted of each: its number. Until identity says more: invited."""
    rows = await db.fetch(
        """
        UPDATE patient
           SET wanted = wanted + 1, state = 'invited', state_since = now()
         WHERE practice_id = $1 AND id = ANY($2)
        RETURNING id, wanted
        """,
        practice_id,
        patients,
    )
    return [(row["id"], row["wanted"]) for row in rows]


async def save_state(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    patient_id: UUID,
    *,
    state: InvitationState,
    change: int,
    expires_at: datetime | None,
    new_link_wanted: bool,
    now: datetime,
) -> None:
    """How far the invitation has come; an older change than the known one changes nothing."""
    await db.execute(
        """
        UPDATE patient
           SET state = $3, state_change = $4, invitation_expires_at = $5, new_link_wanted = $6,
               state_since = CASE WHEN state = $3 THEN state_since ELSE $7::timestamptz END
         WHERE practice_id = $1 AND id = $2 AND state_change < $4
        """,
        practice_id,
        patient_id,
        state,
        change,
        expires_at,
        new_link_wanted,
        now,
    )


async def save_standing(
    db: Connection, practice_id: UUID, patient_id: UUID, closing: Closing | None
) -> int:
    """The record is closed to its patient, or with None open; how often that has changed."""
    change: int = await db.fetchval(
        """
        UPDATE patient
           SET active = $3::timestamptz IS NULL, deactivated_at = $3, deactivated_by = $4,
               deactivation_reason = $5, standing_change = standing_change + 1
         WHERE practice_id = $1 AND id = $2
        RETURNING standing_change
        """,
        practice_id,
        patient_id,
        closing.at if closing else None,
        closing.by if closing else "",
        closing.reason if closing else "",
    )
    return change


async def count_patients(db: Connection, practice_id: UUID) -> tuple[int, int, int, int]:
    """All, registered, waiting, and those that need someone."""
    row: Any = await db.fetchrow(
        f"""
        SELECT count(*) AS total,
               count(*) FILTER (WHERE active AND state = 'registered') AS registered,
               count(*) FILTER (WHERE {WAITING}) AS waiting,
               count(*) FILTER (WHERE {ATTENTION}) AS attention
          FROM patient WHERE practice_id = $1
        """,  # noqa: S608
        practice_id,
    )
    return row["total"], row["registered"], row["waiting"], row["attention"]


async def list_patients(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    *,
    words: list[str],
    birth_date: date | None,
    state: InvitationState | None,
    attention: bool,
    deactivated: bool,
    after: tuple[str, str, UUID] | None,
) -> list[tuple[Patient, tuple[str, str, UUID]]]:
    """One page and one more, by family name; each with its place in that order."""
    family, given, last = after or ("", "", UUID(int=0))
    rows = await db.fetch(
        f"""
        SELECT {COLUMNS}, family_key, given_key
          FROM patient
         WHERE practice_id = $1
           AND (family_key, given_key, id) > ($2, $3, $4)
           AND search LIKE ALL ($5)
           AND ($6::date IS NULL OR birth_date = $6)
           AND ($7::text IS NULL OR state = $7)
           AND (NOT $8 OR {ATTENTION})
           AND (NOT $9 OR NOT active)
         ORDER BY family_key, given_key, id
         LIMIT $10
        """,  # noqa: S608
        practice_id,
        family,
        given,
        last,
        [f"%{_literal(word)}%" for word in words],
        birth_date,
        state,
        attention,
        deactivated,
        PAGE + 1,
    )
    return [
        (_patient(row), (row["family_key"], row["given_key"], row["patient_id"])) for row in rows
    ]


def _literal(word: str) -> str:
    """A word for LIKE that means itself."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _patient(row: Any) -> Patient:
    if row is None:
        raise Refused(Refusal.UNKNOWN_PATIENT)
    return Patient(**dict(row))
