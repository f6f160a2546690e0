"""Every statement about messages, and the words by which they are found."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.messaging.mailbox import PAGE
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.writing import Category
from libs.runtime.database import Connection

AT_ONCE = 50
"""Messages of a conversation that one page shows."""
COLUMNS = """m.practice_id, m.id, m.patient_id, m.conversation_id, m.from_practice, m.account_id,
             m.on_behalf, m.head, m.body, m.attachments, m.sent_at, m.reply_to, m.replied_at,
             m.seen_at"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """A message with its words sealed."""

    practice_id: UUID
    id: UUID
    patient_id: UUID
    conversation_id: UUID
    from_practice: bool
    account_id: UUID
    on_behalf: bool
    head: bytes
    """Who wrote it, its subject, and how it begins."""
    body: bytes
    attachments: int
    sent_at: datetime
    reply_to: UUID | None = None
    replied_at: datetime | None = None
    seen_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A message with what a list says of its conversation."""

    message: Stored
    category: Category
    read: bool


async def add_message(db: Connection, message: Stored) -> bool:
    """A message, as it will stay; False if what it answers has been answered."""
    added = await db.fetchval(
        """
        INSERT INTO message (practice_id, id, patient_id, conversation_id, from_practice,
                             account_id, on_behalf, head, body, attachments, sent_at, reply_to)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            ON CONFLICT (practice_id, reply_to) WHERE reply_to IS NOT NULL DO NOTHING
        RETURNING true
        """,
        message.practice_id,
        message.id,
        message.patient_id,
        message.conversation_id,
        message.from_practice,
        message.account_id,
        message.on_behalf,
        message.head,
        message.body,
        message.attachments,
        message.sent_at,
        message.reply_to,
    )
    return bool(added)


async def save_replied(
    db: Connection, practice_id: UUID, message_id: UUID, *, now: datetime
) -> None:
    """It has been answered."""
    await db.execute(
        "UPDATE message SET replied_at = $3 WHERE practice_id = $1 AND id = $2",
        practice_id,
        message_id,
        now,
    )


async def get_message(
    db: Connection, practice_id: UUID, message_id: UUID, *, patient_id: UUID
) -> Stored:
    """A message of this patient's mailbox."""
    row = await db.fetchrow(
        f"""
        SELECT {COLUMNS} FROM message m
         WHERE m.practice_id = $1 AND m.id = $2 AND m.patient_id = $3
        """,  # noqa: S608
        practice_id,
        message_id,
        patient_id,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_MESSAGE)
    return Stored(**dict(row))


async def list_letters(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    patient_id: UUID,
    *,
    start: datetime | None,
    end: datetime | None,
    after: UUID | None,
) -> list[Listed]:
    """Some of a record's messages and one more, in the order in which they were sent."""
    rows = await db.fetch(
        f"""
        SELECT {COLUMNS}, c.category, true AS read
          FROM message m
          JOIN conversation c ON c.practice_id = m.practice_id AND c.id = m.conversation_id
         WHERE m.practice_id = $1 AND m.patient_id = $2
           AND ($3::timestamptz IS NULL OR m.sent_at >= $3)
           AND ($4::timestamptz IS NULL OR m.sent_at < $4)
           AND ($5::uuid IS NULL OR m.id > $5)
         ORDER BY m.id
         LIMIT {AT_ONCE + 1}
        """,  # noqa: S608
        practice_id,
        patient_id,
        start,
        end,
        after,
    )
    return [_listed(row) for row in rows]


async def count_letters(
    db: Connection,
    practice_id: UUID,
    patient_id: UUID,
    *,
    start: datetime | None,
    end: datetime | None,
) -> int:
    """How many messages of a record were sent from then until before then."""
    count: int = await db.fetchval(
        """
        SELECT count(*)
          FROM message
         WHERE practice_id = $1 AND patient_id = $2
           AND ($3::timestamptz IS NULL OR sent_at >= $3)
           AND ($4::timestamptz IS NULL OR sent_at < $4)
        """,
        practice_id,
        patient_id,
        start,
        end,
    )
    return count


async def list_box(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    patient_id: UUID,
    *,
    account_id: UUID,
    from_practice: bool,
    before: UUID | None,
    within: Collection[UUID] | None = None,
) -> list[Listed]:
    """A page of what came, or of what was sent, and one more; newest first."""
    rows = await db.fetch(
        f"""
        SELECT {COLUMNS}, c.category, r.message_id IS NOT NULL AS read
          FROM message m
          JOIN conversation c ON c.practice_id = m.practice_id AND c.id = m.conversation_id
          LEFT JOIN read_mark r ON r.practice_id = m.practice_id AND r.message_id = m.id
                               AND r.account_id = $3
         WHERE m.practice_id = $1 AND m.patient_id = $2 AND m.from_practice = $4
           AND ($5::uuid IS NULL OR m.id < $5)
           AND ($6::uuid[] IS NULL OR m.id = ANY($6))
         ORDER BY m.id DESC
         LIMIT {PAGE + 1}
        """,  # noqa: S608
        practice_id,
        patient_id,
        account_id,
        from_practice,
        before,
        None if within is None else list(within),
    )
    return [_listed(row) for row in rows]


async def list_conversation(
    db: Connection,
    practice_id: UUID,
    conversation_id: UUID,
    *,
    account_id: UUID,
    before: UUID | None = None,
) -> list[Listed]:
    """The latest messages of a conversation and one more, newest first."""
    rows = await db.fetch(
        f"""
        SELECT {COLUMNS}, c.category, r.message_id IS NOT NULL AS read
          FROM message m
          JOIN conversation c ON c.practice_id = m.practice_id AND c.id = m.conversation_id
          LEFT JOIN read_mark r ON r.practice_id = m.practice_id AND r.message_id = m.id
                               AND r.account_id = $3
         WHERE m.practice_id = $1 AND m.conversation_id = $2 AND ($4::uuid IS NULL OR m.id < $4)
         ORDER BY m.id DESC
         LIMIT {AT_ONCE + 1}
        """,  # noqa: S608
        practice_id,
        conversation_id,
        account_id,
        before,
    )
    return [_listed(row) for row in rows]


async def list_latest(
    db: Connection, practice_id: UUID, message_ids: Collection[UUID]
) -> dict[UUID, Stored]:
    """These messages by their conversation's id."""
    rows = await db.fetch(
        f"SELECT {COLUMNS} FROM message m WHERE m.practice_id = $1 AND m.id = ANY($2)",  # noqa: S608
        practice_id,
        list(message_ids),
    )
    return {row["conversation_id"]: Stored(**dict(row)) for row in rows}


async def find_waiting_since(
    db: Connection, practice_id: UUID, conversation_id: UUID
) -> datetime | None:
    """When the patient wrote the first message that came after all of the practice's."""
    since: datetime | None = await db.fetchval(
        """
        SELECT sent_at
          FROM message
         WHERE practice_id = $1 AND conversation_id = $2 AND NOT from_practice
           AND id > coalesce((SELECT id FROM message
                               WHERE practice_id = $1 AND conversation_id = $2 AND from_practice
                               ORDER BY id DESC LIMIT 1),
                             '00000000-0000-0000-0000-000000000000')
         ORDER BY id
         LIMIT 1
        """,
        practice_id,
        conversation_id,
    )
    return since


async def mark_seen(
    db: Connection, practice_id: UUID, conversation_id: UUID, *, now: datetime
) -> bool:
    """The care team has opened what the patient wrote; whether any of it was new to them."""
    done = await db.execute(
        """
        UPDATE message
           SET seen_at = $3
         WHERE practice_id = $1 AND conversation_id = $2 AND NOT from_practice AND seen_at IS NULL
        """,
        practice_id,
        conversation_id,
        now,
    )
    return done != "UPDATE 0"


async def add_beginnings(db: Connection, message: Stored, words: Iterable[bytes]) -> None:
    """The blinded beginnings of a message's words."""
    await db.execute(
        """
        INSERT INTO beginning (practice_id, word, patient_id, message_id, from_practice)
        SELECT $1, word, $2, $3, $4 FROM unnest($5::bytea[]) AS w (word)
            ON CONFLICT DO NOTHING
        """,
        message.practice_id,
        message.patient_id,
        message.id,
        message.from_practice,
        sorted(words),
    )


async def find_messages(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    words: Collection[bytes],
    *,
    patient_id: UUID | None,
    from_practice: bool | None,
    before: UUID | None,
    limit: int,
) -> list[Stored]:
    """Messages (of one side) in which a word begins in each of these ways, newest first."""
    rows = await db.fetch(
        f"""
        SELECT {COLUMNS}
          FROM (SELECT message_id
                  FROM beginning
                 WHERE practice_id = $1 AND word = ANY($2)
                   AND ($3::uuid IS NULL OR patient_id = $3)
                   AND ($4::uuid IS NULL OR message_id < $4)
                   AND ($6::boolean IS NULL OR from_practice = $6)
                 GROUP BY message_id
                HAVING count(*) = cardinality($2)
                 ORDER BY message_id DESC
                 LIMIT $5) AS found
          JOIN message m ON m.practice_id = $1 AND m.id = found.message_id
         ORDER BY m.id DESC
        """,  # noqa: S608
        practice_id,
        sorted(set(words)),
        patient_id,
        before,
        limit,
        from_practice,
    )
    return [Stored(**dict(row)) for row in rows]


async def forget_beginnings(db: Connection, practice_id: UUID, patient_id: UUID) -> None:
    """Nothing of this patient's is found any more."""
    await db.execute(
        "DELETE FROM beginning WHERE practice_id = $1 AND patient_id = $2",
        practice_id,
        patient_id,
    )


def _listed(row: Any) -> Listed:
    given = dict(row)
    return Listed(
        category=Category(given.pop("category")),
        read=given.pop("read"),
        message=Stored(**given),
    )
