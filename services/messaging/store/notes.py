"""Every statement about notes among staff, and about who did what with a conversation."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.messaging.queue import Step
from libs.runtime.database import Connection
from services.messaging.domain.conversation import Colleague

Row = Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Which conversation."""

    practice_id: UUID
    conversation_id: UUID


async def add_note(  # noqa: PLR0913
    db: Connection, place: Place, note_id: UUID, by: Colleague, *, words: bytes, now: datetime
) -> None:
    """A note, as it will stay."""
    await db.execute(
        """
        INSERT INTO note (practice_id, id, conversation_id, account_id, author, words, written_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        place.practice_id,
        note_id,
        place.conversation_id,
        by.account_id,
        by.name,
        words,
        now,
    )


async def list_notes(db: Connection, place: Place) -> list[Row]:
    """The notes of a conversation, as they were written; the latest 200."""
    rows: list[Row] = await db.fetch(
        """
        SELECT id, author, words, written_at
          FROM (SELECT id, author, words, written_at
                  FROM note
                 WHERE practice_id = $1 AND conversation_id = $2
                 ORDER BY id DESC
                 LIMIT 200) AS latest
         ORDER BY id
        """,
        place.practice_id,
        place.conversation_id,
    )
    return rows


async def add_step(  # noqa: PLR0913
    db: Connection,
    place: Place,
    step_id: UUID,
    step: Step,
    by: Colleague,
    *,
    given_to: str = "",
    now: datetime,
) -> None:
    """What was done, as it will stay."""
    await db.execute(
        """
        INSERT INTO step (practice_id, id, conversation_id, step, account_id, name, given_to, at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        place.practice_id,
        step_id,
        place.conversation_id,
        step,
        by.account_id,
        by.name,
        given_to,
        now,
    )


async def list_steps(db: Connection, place: Place) -> list[Row]:
    """What was done with a conversation, as it was done; the latest 200."""
    rows: list[Row] = await db.fetch(
        """
        SELECT step, name, given_to, at
          FROM (SELECT id, step, name, given_to, at
                  FROM step
                 WHERE practice_id = $1 AND conversation_id = $2
                 ORDER BY id DESC
                 LIMIT 200) AS latest
         ORDER BY id
        """,
        place.practice_id,
        place.conversation_id,
    )
    return rows
