"""Every statement about conversations, and the queue that they make."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.messaging.queue import Shown, Waiting
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.writing import Category
from libs.runtime.database import Connection
from services.messaging.domain.conversation import Conversation, Position

PAGE = 25
COLUMNS = """practice_id, id, patient_id, category, team, subject, opened_at, last_id, last_at,
             open, waiting_since, due_at, claimed_by, claimed_name"""
SHOWN = {
    Shown.UNCLAIMED: "open AND claimed_by IS NULL AND waiting_since IS NOT NULL",
    Shown.MINE: "open AND claimed_by = $2",
    Shown.OPEN: "open",
    Shown.CLOSED: "NOT open",
}
"""What each page of the queue has in it; $2 is whose page it is."""


async def add_conversation(db: Connection, conversation: Conversation) -> None:
    """A conversation, as it begins."""
    await db.execute(
        f"""
        INSERT INTO conversation ({COLUMNS})
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        """,  # noqa: S608
        conversation.practice_id,
        conversation.id,
        conversation.patient_id,
        conversation.category,
        conversation.team,
        conversation.subject,
        conversation.opened_at,
        conversation.last_id,
        conversation.last_at,
        conversation.open,
        conversation.waiting_since,
        conversation.due_at,
        conversation.claimed_by,
        conversation.claimed_name,
    )


async def save_conversation(db: Connection, conversation: Conversation) -> None:
    """Where it stands now."""
    await db.execute(
        """
        UPDATE conversation
           SET team = $3, last_id = $4, last_at = $5, open = $6, waiting_since = $7, due_at = $8,
               claimed_by = $9, claimed_name = $10
         WHERE practice_id = $1 AND id = $2
        """,
        conversation.practice_id,
        conversation.id,
        conversation.team,
        conversation.last_id,
        conversation.last_at,
        conversation.open,
        conversation.waiting_since,
        conversation.due_at,
        conversation.claimed_by,
        conversation.claimed_name,
    )


async def lock_conversation(
    db: Connection, practice_id: UUID, conversation_id: UUID, *, patient_id: UUID | None = None
) -> Conversation:
    """A conversation of the practice (of this patient), held until the transaction ends."""
    row = await db.fetchrow(
        f"""
        SELECT {COLUMNS} FROM conversation
         WHERE practice_id = $1 AND id = $2 AND ($3::uuid IS NULL OR patient_id = $3)
           FOR UPDATE
        """,  # noqa: S608
        practice_id,
        conversation_id,
        patient_id,
    )
    return _conversation(row)


async def get_conversation(
    db: Connection, practice_id: UUID, conversation_id: UUID, *, patient_id: UUID | None = None
) -> Conversation:
    """A conversation of the practice (of this patient)."""
    row = await db.fetchrow(
        f"""
        SELECT {COLUMNS} FROM conversation
         WHERE practice_id = $1 AND id = $2 AND ($3::uuid IS NULL OR patient_id = $3)
        """,  # noqa: S608
        practice_id,
        conversation_id,
        patient_id,
    )
    return _conversation(row)


async def count_waiting(
    db: Connection, practice_id: UUID, *, account_id: UUID, now: datetime
) -> Waiting:
    """How many conversations there are of each sort."""
    row = await db.fetchrow(
        """
        SELECT count(*) FILTER (WHERE claimed_by IS NULL AND waiting_since IS NOT NULL)
                   AS unclaimed,
               count(*) FILTER (WHERE due_at <= $3) AS late,
               count(*) FILTER (WHERE claimed_by = $2) AS mine,
               count(*) AS open
          FROM conversation
         WHERE practice_id = $1 AND open
        """,
        practice_id,
        account_id,
        now,
    )
    assert row is not None  # noqa: S101  (it counts, and so there is a row)
    return Waiting(**dict(row))


async def list_queue(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    *,
    account_id: UUID,
    shown: Shown,
    category: Category | None,
    team: str,
    patient_id: UUID | None,
    within: Collection[UUID] | None,
    after: Position | None,
) -> list[Conversation]:
    """A page of the queue and one more: longest wait first; closed ones, newest first."""
    order = "last_at DESC, id DESC"
    beyond = "(last_at, id) < ($8, $9) AND $7::timestamptz IS NULL"
    if shown is not Shown.CLOSED:
        order = "coalesce(waiting_since, 'infinity'), last_at, id"
        beyond = """(coalesce(waiting_since, 'infinity'), last_at, id)
                    > (coalesce($7::timestamptz, 'infinity'), $8, $9)"""
    rows = await db.fetch(
        f"""
        SELECT {COLUMNS} FROM conversation
         WHERE practice_id = $1 AND {SHOWN[shown]}
           AND ($2::uuid IS NOT NULL)
           AND ($3::text IS NULL OR category = $3) AND ($4 = '' OR team = $4)
           AND ($5::uuid IS NULL OR patient_id = $5)
           AND ($6::uuid[] IS NULL OR id = ANY($6))
           AND ($9::uuid IS NULL OR ({beyond}))
         ORDER BY {order}
         LIMIT {PAGE + 1}
        """,  # noqa: S608
        practice_id,
        account_id,
        category,
        team,
        patient_id,
        None if within is None else list(within),
        after.waiting_since if after and shown is not Shown.CLOSED else None,
        after.last_at if after else None,
        after.id if after else None,
    )
    return [_conversation(row) for row in rows]


def _conversation(row: Any) -> Conversation:
    if row is None:
        raise Refused(Refusal.UNKNOWN_MESSAGE)
    return Conversation(**dict(row) | {"category": Category(row["category"])})
