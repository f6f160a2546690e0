"""Every statement about drafts and their files."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.messaging.refusals import Refusal
from libs.runtime.database import Connection

Row = Any
LISTED = 100
"""Drafts that one list shows."""
COLUMNS = """practice_id, account_id, id, patient_id, version, saved_at, reply_to, about,
             conversation_id, category, words, sent"""
FILE_COLUMNS = """a.practice_id, a.id, a.patient_id, a.account_id, a.draft_id, a.message_id,
                  a.position, a.file_name, a.media_type, a.viewable, a.finished, c.size, c.sha256"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """Whose drafts: an account's, in one patient's mailbox."""

    practice_id: UUID
    account_id: UUID
    patient_id: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """An attachment, with its name sealed, and what there is of its content."""

    practice_id: UUID
    id: UUID
    patient_id: UUID
    account_id: UUID
    draft_id: UUID
    message_id: UUID | None
    position: int
    file_name: bytes
    media_type: str
    viewable: bool
    finished: bool
    size: int
    sha256: str | None


async def add_draft(db: Connection, row: Row) -> None:
    """A draft, unless it is there."""
    await db.execute(
        f"""
        INSERT INTO draft ({COLUMNS})
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL)
            ON CONFLICT DO NOTHING
        """,  # noqa: S608
        *row,
    )


async def lock_draft(db: Connection, owner: Owner, draft_id: UUID) -> Row | None:
    """A draft of this account in this mailbox, held until the transaction ends."""
    return await db.fetchrow(
        f"""
        SELECT {COLUMNS} FROM draft
         WHERE practice_id = $1 AND account_id = $2 AND patient_id = $3 AND id = $4
           FOR UPDATE
        """,  # noqa: S608
        owner.practice_id,
        owner.account_id,
        owner.patient_id,
        draft_id,
    )


async def save_draft(db: Connection, row: Row) -> None:
    """What was written so far."""
    await db.execute(
        """
        UPDATE draft SET version = $4, saved_at = $5, category = $6, words = $7
         WHERE practice_id = $1 AND account_id = $2 AND id = $3
        """,
        *row,
    )


async def save_sent(db: Connection, owner: Owner, draft_id: UUID, message_id: UUID) -> None:
    """It has become a message; its words are only there from now on."""
    await db.execute(
        """
        UPDATE draft SET sent = $4, words = NULL
         WHERE practice_id = $1 AND account_id = $2 AND id = $3
        """,
        owner.practice_id,
        owner.account_id,
        draft_id,
        message_id,
    )


async def remove_draft(db: Connection, owner: Owner, draft_id: UUID) -> None:
    """A draft that was not sent is gone."""
    await db.execute(
        """
        DELETE FROM draft
         WHERE practice_id = $1 AND account_id = $2 AND patient_id = $3 AND id = $4
           AND sent IS NULL
        """,
        owner.practice_id,
        owner.account_id,
        owner.patient_id,
        draft_id,
    )


async def count_drafts(db: Connection, owner: Owner) -> int:
    """How many unfinished messages there are."""
    count: int = await db.fetchval(
        """
        SELECT count(*) FROM draft
         WHERE practice_id = $1 AND account_id = $2 AND patient_id = $3 AND sent IS NULL
        """,
        owner.practice_id,
        owner.account_id,
        owner.patient_id,
    )
    return count


async def list_drafts(
    db: Connection,
    owner: Owner,
    *,
    reply_to: UUID | None = None,
    conversation_id: UUID | None = None,
) -> list[Row]:
    """Unfinished messages, the latest first; of one reply or one conversation, if named."""
    rows: list[Row] = await db.fetch(
        f"""
        SELECT {COLUMNS} FROM draft
         WHERE practice_id = $1 AND account_id = $2 AND patient_id = $3 AND sent IS NULL
           AND ($4::uuid IS NULL OR reply_to = $4)
           AND ($5::uuid IS NULL OR conversation_id = $5)
         ORDER BY saved_at DESC, id
         LIMIT {LISTED}
        """,  # noqa: S608
        owner.practice_id,
        owner.account_id,
        owner.patient_id,
        reply_to,
        conversation_id,
    )
    return rows


async def add_file(  # noqa: PLR0913
    db: Connection,
    owner: Owner,
    draft_id: UUID,
    attachment_id: UUID,
    *,
    position: int,
    file_name: bytes,
    media_type: str,
) -> None:
    """A file that is about to come in; `media_type` is what it is said to be."""
    await db.execute(
        """
        INSERT INTO attachment (practice_id, id, patient_id, account_id, draft_id, position,
                                file_name, media_type)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        owner.practice_id,
        attachment_id,
        owner.patient_id,
        owner.account_id,
        draft_id,
        position,
        file_name,
        media_type,
    )


async def list_files(
    db: Connection,
    practice_id: UUID,
    *,
    drafts: Collection[UUID] = (),
    account_id: UUID | None = None,
    messages: Collection[UUID] = (),
) -> list[File]:
    """The files of an account's drafts, or of messages, in their order."""
    rows = await db.fetch(
        f"""
        SELECT {FILE_COLUMNS}
          FROM attachment a
          JOIN content c ON c.practice_id = a.practice_id AND c.id = a.id
         WHERE a.practice_id = $1
           AND ((a.account_id = $3 AND a.draft_id = ANY($2) AND a.message_id IS NULL)
                OR a.message_id = ANY($4))
         ORDER BY a.position, a.id
        """,  # noqa: S608
        practice_id,
        list(drafts),
        account_id,
        list(messages),
    )
    return [File(**dict(row)) for row in rows]


async def get_file(
    db: Connection, practice_id: UUID, attachment_id: UUID, *, message_id: UUID, patient_id: UUID
) -> File:
    """A file of a sent message of this patient's mailbox."""
    row = await db.fetchrow(
        f"""
        SELECT {FILE_COLUMNS}
          FROM attachment a
          JOIN content c ON c.practice_id = a.practice_id AND c.id = a.id
         WHERE a.practice_id = $1 AND a.id = $2 AND a.message_id = $3 AND a.patient_id = $4
        """,  # noqa: S608
        practice_id,
        attachment_id,
        message_id,
        patient_id,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_FILE)
    return File(**dict(row))


async def save_finished(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    attachment_id: UUID,
    *,
    file_name: bytes,
    media_type: str,
    viewable: bool,
) -> None:
    """All of it has come, and this is what it is."""
    await db.execute(
        """
        UPDATE attachment SET file_name = $3, media_type = $4, viewable = $5, finished = true
         WHERE practice_id = $1 AND id = $2
        """,
        practice_id,
        attachment_id,
        file_name,
        media_type,
        viewable,
    )


async def give_files(
    db: Connection, practice_id: UUID, attachment_ids: Collection[UUID], message_id: UUID
) -> None:
    """They go with this message from now on."""
    await db.execute(
        "UPDATE attachment SET message_id = $3 WHERE practice_id = $1 AND id = ANY($2)",
        practice_id,
        list(attachment_ids),
        message_id,
    )
