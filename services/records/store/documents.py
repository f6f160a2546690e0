"""Every statement about documents: one function, one statement."""

# ruff: noqa: S608 - what is put into a statement is our own list of columns

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.records.refusals import Refusal
from libs.runtime.database import Connection
from services.records.domain.document import Document, words
from services.records.domain.result import Precision, ResultStatus

PAGE = 50

_DAY = "coalesce(dated, (added_at AT TIME ZONE $7)::date)"
_WITHIN = f"""
       ($4::date IS NULL OR day >= $4 - 1 AND {_DAY} >= $4)
   AND ($5::date IS NULL OR day <= $5 + 1 AND {_DAY} <= $5)
"""
"""What is listed by UTC's calendar is chosen by the practice's, a day apart at most."""

_COLUMNS = """
    practice_id, patient_id, id, content_id, source_id, known_as, replaces, title, kind, kind_code,
    author, media_type, viewable, file_name, size, sha256, dated, precision, dated_at, status,
    added_at, added_by, import_id, replaced_by, withdrawn_at
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Which of a patient's documents are wanted."""

    kind: str = ""
    start: date | None = None
    end: date | None = None
    zone: str = "UTC"
    """The practice's, by whose calendar a document without a date has the day on which it came."""
    q: str = ""


async def lock_documents(db: Connection, practice_id: UUID, patient_id: UUID) -> None:
    """No other document is filed for this patient until the transaction ends."""
    await db.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('documents ' || $1 || $2, 0))",
        str(practice_id),
        str(patient_id),
    )


async def list_related(db: Connection, new: Document) -> list[Document]:
    """The patient's documents that this one may be, or be a version of."""
    rows = await db.fetch(
        f"""
        SELECT {_COLUMNS}
          FROM document
         WHERE practice_id = $1 AND patient_id = $2
           AND (sha256 = $3
                OR (source_id <> '' AND source_id = ANY($4))
                OR (known_as <> '' AND known_as = ANY($4))
                OR (replaces <> '' AND replaces = ANY($5)))
         ORDER BY id
        """,
        new.practice_id,
        new.patient_id,
        new.sha256,
        [new.source_id, new.replaces],
        [new.source_id, new.known_as],
    )
    return [_document(row) for row in rows]


async def add_document(db: Connection, document: Document) -> None:
    """A document, as it will stay."""
    await db.execute(
        f"""
        INSERT INTO document ({_COLUMNS}, day, words)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                $19, $20, $21, $22, $23, $24, $25, $26, $27)
        """,
        document.practice_id,
        document.patient_id,
        document.id,
        document.content_id,
        document.source_id,
        document.known_as,
        document.replaces,
        document.title,
        document.kind,
        document.kind_code,
        document.author,
        document.media_type,
        document.viewable,
        document.file_name,
        document.size,
        document.sha256,
        document.dated,
        document.precision,
        document.dated_at,
        document.status,
        document.added_at,
        document.added_by,
        document.import_id,
        document.replaced_by,
        document.withdrawn_at,
        document.day,
        document.words,
    )


async def save_replaced(db: Connection, earlier: Sequence[UUID], by: Document) -> None:
    """A newer version of these exists."""
    await db.execute(
        """
        UPDATE document
           SET replaced_by = $4
         WHERE practice_id = $1 AND patient_id = $2 AND id = ANY($3)
        """,
        by.practice_id,
        by.patient_id,
        list(earlier),
        by.id,
    )


async def save_withdrawn(
    db: Connection, practice_id: UUID, patient_id: UUID, ids: Sequence[UUID], *, now: datetime
) -> None:
    """Their author took these back; nobody is shown them any more."""
    await db.execute(
        """
        UPDATE document
           SET withdrawn_at = $4
         WHERE practice_id = $1 AND patient_id = $2 AND id = ANY($3)
        """,
        practice_id,
        patient_id,
        list(ids),
        now,
    )


async def get_document(
    db: Connection, practice_id: UUID, patient_id: UUID, document_id: UUID
) -> Document:
    """The patient's own document."""
    row = await db.fetchrow(
        f"""
        SELECT {_COLUMNS}
          FROM document
         WHERE practice_id = $1 AND patient_id = $2 AND id = $3 AND withdrawn_at IS NULL
        """,
        practice_id,
        patient_id,
        document_id,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_DOCUMENT)
    return _document(row)


async def list_documents(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    patient_id: UUID,
    *,
    wanted: Filter,
    after: tuple[date, UUID] | None = None,
    limit: int = PAGE,
) -> list[Document]:
    """The patient's documents, newest first, from the place where the last page ended."""
    rows = await db.fetch(
        f"""
        SELECT {_COLUMNS}
          FROM document
         WHERE practice_id = $1 AND patient_id = $2 AND withdrawn_at IS NULL
           AND ($3 = '' OR kind = $3)
           AND {_WITHIN}
           AND words LIKE ALL ($6::text[])
           AND ($8::date IS NULL OR (day, id) < ($8, $9::uuid))
         ORDER BY day DESC, id DESC
         LIMIT $10
        """,
        practice_id,
        patient_id,
        wanted.kind,
        wanted.start,
        wanted.end,
        _patterns(wanted.q),
        wanted.zone,
        after[0] if after else None,
        after[1] if after else None,
        limit,
    )
    return [_document(row) for row in rows]


async def count_documents(
    db: Connection, practice_id: UUID, patient_id: UUID, *, wanted: Filter
) -> int:
    """How many documents fit."""
    count: int = await db.fetchval(
        f"""
        SELECT count(*)
          FROM document
         WHERE practice_id = $1 AND patient_id = $2 AND withdrawn_at IS NULL
           AND ($3 = '' OR kind = $3)
           AND {_WITHIN}
           AND words LIKE ALL ($6::text[])
        """,
        practice_id,
        patient_id,
        wanted.kind,
        wanted.start,
        wanted.end,
        _patterns(wanted.q),
        wanted.zone,
    )
    return count


async def list_kinds(db: Connection, practice_id: UUID, patient_id: UUID) -> tuple[str, ...]:
    """Every kind of document that this patient has, in the order of the alphabet."""
    rows = await db.fetch(
        """
        SELECT DISTINCT kind
          FROM document
         WHERE practice_id = $1 AND patient_id = $2 AND withdrawn_at IS NULL AND kind <> ''
         ORDER BY kind
         LIMIT 500
        """,
        practice_id,
        patient_id,
    )
    return tuple(row["kind"] for row in rows)


def _patterns(q: str) -> list[str]:
    """Each word that is searched for, anywhere; the words are plain by now, but for `_`."""
    return [f"%{word}%" for word in words(q).split()]


def _document(row: Any) -> Document:
    return Document(
        **dict(row)
        | {"precision": Precision(row["precision"]), "status": ResultStatus(row["status"])}
    )
