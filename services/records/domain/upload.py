"""The rules of a file that comes in, chunk after chunk."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.content import CHUNK_SIZE
from libs.contracts.records.imports import UPLOAD_LIMIT
from libs.contracts.records.refusals import Refusal
from libs.vault.content import chunks_of

LIFETIME = timedelta(days=1)
"""After which a file that was never used is forgotten."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """A file that somebody is sending. Its content has the same id."""

    practice_id: UUID
    id: UUID
    account_id: UUID
    file_name: str
    media_type: str
    started_at: datetime
    became_id: UUID | None = None
    """The document or the import that was made of it."""


def taken(size: int, number: int, data: bytes) -> bool:
    """Whether this chunk is the next one, or one that is there already; anything else is refused.

    Only a full chunk may be followed by another.
    """
    if not data:
        raise Refused(Refusal.EMPTY)
    if len(data) > CHUNK_SIZE:
        raise Refused(Refusal.TOO_LARGE)
    there = chunks_of(size)
    if 0 <= number < there:
        return False
    if number != there or size % CHUNK_SIZE:
        raise Refused(Refusal.CHUNK_OUT_OF_ORDER)
    if size + len(data) > UPLOAD_LIMIT:
        raise Refused(Refusal.TOO_LARGE)
    return True
