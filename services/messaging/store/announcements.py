"""Every statement about who is told of what, and what they chose."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.messaging.announcements import Frequency
from libs.runtime.database import Connection
from services.messaging.domain.announcing import FOR_PATIENTS, FOR_STAFF, Choice


@dataclass(frozen=True, kw_only=True, slots=True)
class Announcement:
    """One account, one conversation."""

    practice_id: UUID
    id: UUID
    account_id: UUID
    staff: bool
    patient_id: UUID
    conversation_id: UUID
    message_id: UUID
    daily: bool
    due_at: datetime


async def add_correspondent(
    db: Connection, practice_id: UUID, patient_id: UUID, account_id: UUID
) -> None:
    """This account is told of the patient's messages."""
    await db.execute(
        """
        INSERT INTO correspondent (practice_id, patient_id, account_id)
        VALUES ($1, $2, $3)
            ON CONFLICT DO NOTHING
        """,
        practice_id,
        patient_id,
        account_id,
    )


async def save_delegate(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    patient_id: UUID,
    account_id: UUID,
    *,
    until: datetime | None,
    now: datetime,
) -> bool:
    """This account is told until then, unless something newer is known; whether it is news."""
    changed = await db.fetchval(
        """
        INSERT INTO correspondent AS c (practice_id, patient_id, account_id, until, changed_at)
        VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (practice_id, patient_id, account_id)
            DO UPDATE SET until = $4, changed_at = $5 WHERE c.changed_at < $5
        RETURNING true
        """,
        practice_id,
        patient_id,
        account_id,
        until,
        now,
    )
    return bool(changed)


async def list_patients_choices(
    db: Connection, practice_id: UUID, patient_id: UUID, *, now: datetime
) -> dict[UUID, Choice]:
    """What everyone who may be told of this patient's messages chose."""
    rows = await db.fetch(
        """
        SELECT c.account_id, o.frequency, o.quiet_from, o.quiet_until, o.time_zone
          FROM correspondent c
          LEFT JOIN choice o ON o.practice_id = c.practice_id AND o.account_id = c.account_id
                            AND NOT o.staff
         WHERE c.practice_id = $1 AND c.patient_id = $2 AND (c.until IS NULL OR c.until > $3)
        """,
        practice_id,
        patient_id,
        now,
    )
    return {row["account_id"]: _choice(row, FOR_PATIENTS) for row in rows}


async def list_staff_choices(db: Connection, practice_id: UUID) -> dict[UUID, Choice]:
    """What staff chose who chose anything."""
    rows = await db.fetch(
        """
        SELECT account_id, frequency, quiet_from, quiet_until, time_zone
          FROM choice WHERE practice_id = $1 AND staff
        """,
        practice_id,
    )
    return {row["account_id"]: _choice(row, FOR_STAFF) for row in rows}


async def find_choice(
    db: Connection, practice_id: UUID, account_id: UUID, *, staff: bool
) -> Choice:
    """What this account chose, or what goes for those who chose nothing."""
    row = await db.fetchrow(
        """
        SELECT frequency, quiet_from, quiet_until, time_zone
          FROM choice WHERE practice_id = $1 AND account_id = $2 AND staff = $3
        """,
        practice_id,
        account_id,
        staff,
    )
    return _choice(row, FOR_STAFF if staff else FOR_PATIENTS)


async def save_choice(
    db: Connection, practice_id: UUID, account_id: UUID, choice: Choice, *, staff: bool
) -> None:
    """What goes for this account from now on."""
    await db.execute(
        """
        INSERT INTO choice (practice_id, account_id, staff, frequency, quiet_from, quiet_until,
                            time_zone)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (practice_id, account_id, staff)
            DO UPDATE SET frequency = $4, quiet_from = $5, quiet_until = $6, time_zone = $7
        """,
        practice_id,
        account_id,
        staff,
        choice.frequency,
        choice.quiet_from,
        choice.quiet_until,
        choice.time_zone,
    )


async def add_announcement(db: Connection, one: Announcement) -> bool:
    """Somebody is to be told; False if they were, and have not read it since."""
    added = await db.fetchval(
        """
        INSERT INTO announcement (practice_id, id, account_id, staff, patient_id,
                                  conversation_id, message_id, daily, due_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT DO NOTHING
        RETURNING true
        """,
        one.practice_id,
        one.id,
        one.account_id,
        one.staff,
        one.patient_id,
        one.conversation_id,
        one.message_id,
        one.daily,
        one.due_at,
    )
    return bool(added)


async def find_announcement(
    db: Connection, practice_id: UUID, announcement_id: UUID, *, now: datetime
) -> Announcement | None:
    """Unless it has been read, another one of the same day tells of it as well, or whoever would be
    told may read it no longer, or not now that the record is closed."""
    row = await db.fetchrow(
        """
        WITH telling AS NOT MATERIALIZED (
            SELECT a.*
              FROM announcement a
             WHERE a.practice_id = $1
               AND (a.staff OR EXISTS (
                    SELECT FROM correspondent c
                     WHERE c.practice_id = a.practice_id AND c.patient_id = a.patient_id
                       AND c.account_id = a.account_id AND (c.until IS NULL OR c.until > $3)))
               AND (a.staff OR NOT EXISTS (
                    SELECT FROM standing s
                     WHERE s.practice_id = a.practice_id AND s.patient_id = a.patient_id
                       AND NOT s.active))
        )
        SELECT a.practice_id, a.id, a.account_id, a.staff, a.patient_id, a.conversation_id,
               a.message_id, a.daily, a.due_at
          FROM telling a
         WHERE a.id = $2
           AND NOT (a.daily AND EXISTS (
                    SELECT FROM telling b
                     WHERE b.account_id = a.account_id
                       AND b.staff = a.staff AND b.daily AND b.due_at = a.due_at AND b.id < a.id))
        """,
        practice_id,
        announcement_id,
        now,
    )
    return Announcement(**dict(row)) if row else None


async def forget_read(
    db: Connection,
    practice_id: UUID,
    patient_id: UUID,
    *,
    account_id: UUID,
    message_ids: Collection[UUID] | None,
) -> None:
    """This account has read these messages, or all: the next one is announced again."""
    await db.execute(
        """
        DELETE FROM announcement
         WHERE practice_id = $1 AND account_id = $3 AND patient_id = $2 AND NOT staff
           AND ($4::uuid[] IS NULL OR conversation_id IN (
                SELECT conversation_id FROM message
                 WHERE practice_id = $1 AND patient_id = $2 AND id = ANY($4)))
        """,
        practice_id,
        patient_id,
        account_id,
        None if message_ids is None else list(message_ids),
    )


async def forget_answered(db: Connection, practice_id: UUID, conversation_id: UUID) -> None:
    """Nobody waits in this conversation any more."""
    await db.execute(
        "DELETE FROM announcement WHERE practice_id = $1 AND conversation_id = $2 AND staff",
        practice_id,
        conversation_id,
    )


def _choice(row: Any, otherwise: Choice) -> Choice:
    if row is None or row["frequency"] is None:
        return otherwise
    return Choice(
        frequency=Frequency(row["frequency"]),
        quiet_from=row["quiet_from"],
        quiet_until=row["quiet_until"],
        time_zone=row["time_zone"],
    )
