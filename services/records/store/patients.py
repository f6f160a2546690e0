"""A practice's patients."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from asyncpg import UniqueViolationError

from libs.contracts.base import Refused
from libs.contracts.identity import InvitationState
from libs.contracts.records import Contact, Patient, Person, Refusal
from libs.runtime.database import Connection
from services.records.domain.patient import Entry, Known, searched

PAGE = 50
COLUMNS = """id AS patient_id, given, family, birth_date, email, mrn, state, state_since,
             invitation_expires_at, new_link_wanted, active, added_at"""
ATTENTION = "(state IN ('bounced', 'expired', 'locked') OR new_link_wanted)"
WAITING = "state IN ('invited', 'delivered', 'opened')"


async def add_patient(
    db: Connection, practice_id: UUID, patient_id: UUID, entry: Entry, *, now: datetime
) -> None:
    """Put somebody on the list."""
    try:
        await db.execute(
            """
            INSERT INTO patient (practice_id, id, given, family, birth_date, email, mrn,
                                 family_key, given_key, search, state_since, added_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
            """,
            practice_id,
            patient_id,
            entry.given,
            entry.family,
            entry.birth_date,
            entry.email,
            entry.mrn,
            entry.family_key,
            entry.given_key,
            entry.search,
            now,
        )
    except UniqueViolationError:
        raise Refused(Refusal.MRN_TAKEN) from None


async def find_alike(db: Connection, practice_id: UUID, entry: Entry) -> Known | None:
    """A patient with the same name and birth date."""
    row = await db.fetchrow(
        """
        SELECT id, mrn, email FROM patient
         WHERE practice_id = $1 AND family_key = $2 AND given_key = $3 AND birth_date = $4
         LIMIT 1
        """,
        practice_id,
        entry.family_key,
        entry.given_key,
        entry.birth_date,
    )
    return Known(**row) if row else None


async def has_mrn(db: Connection, practice_id: UUID, mrn: str) -> bool:
    return bool(
        await db.fetchval(
            "SELECT true FROM patient WHERE practice_id = $1 AND mrn = $2 AND mrn <> ''",
            practice_id,
            mrn,
        )
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
        SELECT id AS patient_id, practice_id, given, family, birth_date, mrn
          FROM patient WHERE practice_id = $1 AND id = $2
        """,
        practice_id,
        patient_id,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_PATIENT)
    return Person(**row)


async def get_contact(db: Connection, practice_id: UUID, patient_id: UUID) -> Contact:
    row: Any = await db.fetchrow(
        """
        SELECT given, family, birth_date, email
          FROM patient WHERE practice_id = $1 AND id = $2
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


async def want_invitation(db: Connection, practice_id: UUID, patient_id: UUID) -> int:
    """One more invitation is wanted; its number. Until identity says more, they are invited."""
    wanted: int = await db.fetchval(
        """
        UPDATE patient
           SET wanted = wanted + 1, state = 'invited', state_since = now()
         WHERE practice_id = $1 AND id = $2
        RETURNING wanted
        """,
        practice_id,
        patient_id,
    )
    return wanted


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


async def count_patients(db: Connection, practice_id: UUID) -> tuple[int, int, int, int]:
    """All, registered, waiting, and those that need someone."""
    row: Any = await db.fetchrow(
        f"""
        SELECT count(*) AS total,
               count(*) FILTER (WHERE state = 'registered') AS registered,
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
         ORDER BY family_key, given_key, id
         LIMIT $9
        """,  # noqa: S608
        practice_id,
        family,
        given,
        last,
        [f"%{_literal(word)}%" for word in words],
        birth_date,
        state,
        attention,
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
