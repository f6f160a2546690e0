"""Every statement about records that were sent, and about what is in them."""

# ruff: noqa: S608 - what is put into a statement is our own list of columns

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.records.exports import Format, Kind
from libs.contracts.records.refusals import Refusal
from libs.contracts.records.sending import Addressee, SendingState
from libs.runtime.database import Connection
from services.records.domain.export import Segment
from services.records.domain.sending import SILENCE, Cost, Sending

_COLUMNS = """practice_id, id, patient_id, account_id, sender, key, recipient, kinds, start_day,
              end_day, results, documents, messages, size, salt, passes, memory_kib, lanes,
              wrapped, notes, state, tries, sent_at, heard_at, expires_at, opened_at, note,
              note_to, noted_at"""
MOST_LISTED = 200


async def lock_sendings(db: Connection, practice_id: UUID, patient_id: UUID) -> None:
    """Nothing else of this patient is sent until the transaction ends."""
    await db.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('sendings ' || $1 || $2, 0))",
        str(practice_id),
        str(patient_id),
    )


async def count_kept(db: Connection, practice_id: UUID, patient_id: UUID, *, now: datetime) -> int:
    """How many copies of this patient's record are kept, or being made, for somebody to take."""
    count: int = await db.fetchval(
        """
        SELECT count(*)
          FROM sending
         WHERE practice_id = $1 AND patient_id = $2 AND expires_at > $3
           AND (state IN ('sent', 'locked') OR state = 'packing' AND heard_at > $4)
        """,
        practice_id,
        patient_id,
        now,
        now - SILENCE,
    )
    return count


async def add_sending(db: Connection, sending: Sending) -> Sending:
    """A record that is to be sent; the one that is there, if this form was sent before."""
    cost = sending.cost
    row: Any = await db.fetchrow(
        f"""
        INSERT INTO sending ({_COLUMNS})
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)
            ON CONFLICT (practice_id, account_id, key) DO UPDATE SET key = excluded.key
        RETURNING {_COLUMNS}
        """,
        sending.practice_id,
        sending.id,
        sending.patient_id,
        sending.account_id,
        sending.sender,
        sending.key,
        sending.recipient,
        sorted(sending.kinds),
        sending.start_day,
        sending.end_day,
        sending.results,
        sending.documents,
        sending.messages,
        sending.size,
        sending.salt,
        cost.passes,
        cost.memory_kib,
        cost.lanes,
        sending.wrapped,
        sending.notes,
        sending.state,
        sending.tries,
        sending.sent_at,
        sending.heard_at,
        sending.expires_at,
        sending.opened_at,
        sending.note,
        sending.note_to,
        sending.noted_at,
    )
    return _sending(row)


async def get_sending(
    db: Connection, practice_id: UUID, sending_id: UUID, *, patient_id: UUID | None = None
) -> Sending:
    """One that was sent, of this patient where one is named."""
    row = await db.fetchrow(
        f"""
        SELECT {_COLUMNS},
               EXISTS (SELECT FROM patient p
                        WHERE p.practice_id = sending.practice_id AND p.id = sending.patient_id
                          AND NOT p.active) AS closed
          FROM sending
         WHERE practice_id = $1 AND id = $2 AND ($3::uuid IS NULL OR patient_id = $3)
        """,
        practice_id,
        sending_id,
        patient_id,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_SENDING)
    return _sending(row)


async def find_practice(db: Connection, sending_id: UUID) -> UUID | None:
    """Whose patient's record it is, for the holder of a link, which names nothing else."""
    found: UUID | None = await db.fetchval(
        "SELECT practice_id FROM sending WHERE id = $1", sending_id
    )
    return found


async def list_sendings(db: Connection, practice_id: UUID, patient_id: UUID) -> list[Sending]:
    """What was sent of a patient's record, the newest first."""
    rows = await db.fetch(
        f"""
        SELECT {_COLUMNS}
          FROM sending
         WHERE practice_id = $1 AND patient_id = $2
         ORDER BY id DESC
         LIMIT {MOST_LISTED}
        """,
        practice_id,
        patient_id,
    )
    return [_sending(row) for row in rows]


async def list_open(
    db: Connection, practice_id: UUID, patient_id: UUID, *, now: datetime
) -> list[UUID]:
    """What somebody may be looking at or downloading of a patient's record."""
    rows = await db.fetch(
        """
        SELECT id
          FROM sending
         WHERE practice_id = $1 AND patient_id = $2 AND opened_at IS NOT NULL AND expires_at > $3
           AND wrapped IS NOT NULL
        """,
        practice_id,
        patient_id,
        now,
    )
    return [row["id"] for row in rows]


async def save_note(
    db: Connection, sending: Sending, note: bytes, *, to: Addressee, now: datetime
) -> bool:
    """What the recipient writes back; False if they have written."""
    return bool(
        await db.fetchval(
            """
            UPDATE sending
               SET note = $3, note_to = $4, noted_at = $5
             WHERE practice_id = $1 AND id = $2 AND noted_at IS NULL
            RETURNING true
            """,
            sending.practice_id,
            sending.id,
            note,
            to,
            now,
        )
    )


async def keep_word(db: Connection, sending: Sending, *, now: datetime) -> bool:
    """It is still being packed; False if nobody wants it any more, or it was given up meanwhile."""
    return bool(
        await db.fetchval(
            """
            UPDATE sending
               SET heard_at = $3
             WHERE practice_id = $1 AND id = $2 AND state = 'packing' AND heard_at > $4
            RETURNING true
            """,
            sending.practice_id,
            sending.id,
            now,
            now - SILENCE,
        )
    )


async def save_packed(db: Connection, sending: Sending, *, now: datetime) -> bool:
    """All of it is there; False if nobody wants it any more, or it was given up meanwhile."""
    return bool(
        await db.fetchval(
            """
            UPDATE sending
               SET state = 'sent'
             WHERE practice_id = $1 AND id = $2 AND state = 'packing' AND heard_at > $3
            RETURNING true
            """,
            sending.practice_id,
            sending.id,
            now - SILENCE,
        )
    )


async def save_over(db: Connection, sending: Sending, state: SendingState) -> bool:
    """It opens nothing any more, and its key is gone; False if that was so already."""
    return bool(
        await db.fetchval(
            """
            UPDATE sending
               SET state = $3, wrapped = NULL, notes = ''
             WHERE practice_id = $1 AND id = $2 AND wrapped IS NOT NULL
            RETURNING true
            """,
            sending.practice_id,
            sending.id,
            state,
        )
    )


async def list_over(db: Connection, *, now: datetime) -> list[tuple[UUID, UUID]]:
    """Practice and id of all that still have a key, and had their time or are packed by nobody."""
    rows = await db.fetch(
        """
        SELECT practice_id, id
          FROM sending
         WHERE wrapped IS NOT NULL
           AND (expires_at <= $1 OR (state = 'packing' AND heard_at < $2))
         LIMIT 1000
        """,
        now,
        now - SILENCE,
    )
    return [(row["practice_id"], row["id"]) for row in rows]


async def add_file(
    db: Connection, sending: Sending, form: Format, *, file_name: str, size: int
) -> None:
    """A file that is offered."""
    await db.execute(
        """
        INSERT INTO sending_file (practice_id, sending_id, format, file_name, size)
        VALUES ($1, $2, $3, $4, $5)
        """,
        sending.practice_id,
        sending.id,
        form,
        file_name,
        size,
    )


async def add_segments(
    db: Connection, sending: Sending, form: Format, segments: Sequence[Segment]
) -> None:
    """What it consists of."""
    await db.executemany(
        """
        INSERT INTO sending_segment (practice_id, sending_id, format, position, length, form,
                                     content_id, start)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        [
            (
                sending.practice_id,
                sending.id,
                form,
                one.position,
                one.length,
                one.form,
                one.content_id,
                one.start,
            )
            for one in segments
        ],
    )


async def list_files(db: Connection, sending: Sending) -> list[Any]:
    """What it is offered as."""
    return list(
        await db.fetch(
            """
            SELECT format, file_name, size
              FROM sending_file
             WHERE practice_id = $1 AND sending_id = $2
            """,
            sending.practice_id,
            sending.id,
        )
    )


async def list_segments(
    db: Connection, sending: Sending, form: Format, *, begin: int, stop: int
) -> list[Segment]:
    """Where these bytes of a file come from."""
    rows = await db.fetch(
        """
        SELECT position, length, form, content_id, start
          FROM sending_segment
         WHERE practice_id = $1 AND sending_id = $2 AND format = $3
           AND position < $5 AND position + length > $4
         ORDER BY position
        """,
        sending.practice_id,
        sending.id,
        form,
        begin,
        stop,
    )
    return [Segment(**dict(row)) for row in rows]


async def remove_files(db: Connection, practice_id: UUID, sending_id: UUID) -> None:
    """Nothing of it is offered any more."""
    await db.execute(
        "DELETE FROM sending_file WHERE practice_id = $1 AND sending_id = $2",
        practice_id,
        sending_id,
    )


async def remove_contents(db: Connection, practice_id: UUID, sending_id: UUID) -> None:
    """What was in it, sealed as it was."""
    await db.execute(
        "DELETE FROM sending_content WHERE practice_id = $1 AND sending_id = $2",
        practice_id,
        sending_id,
    )


def _sending(row: Any) -> Sending:
    said = dict(row)
    cost = Cost(
        passes=said.pop("passes"), memory_kib=said.pop("memory_kib"), lanes=said.pop("lanes")
    )
    known = {
        "cost": cost,
        "kinds": frozenset(map(Kind, said["kinds"])),
        "state": SendingState(said["state"]),
        "note_to": Addressee(said["note_to"]),
    }
    return Sending(**said | known)
