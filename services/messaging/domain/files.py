"""The rules of attachments: how many, how large, and which sorts."""

from collections.abc import Sequence
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.content import CHUNK_SIZE
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.writing import FILE_LIMIT, FILES_AT_MOST, FILES_LIMIT
from libs.vault.content import chunks_of
from libs.vault.media import PDF, TEXT, Media, Sort

ALLOWED = frozenset(
    {
        PDF,
        TEXT,
        "application/rtf",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.oasis.opendocument.spreadsheet",
        *(
            f"image/{kind}"
            for kind in ("jpeg", "png", "gif", "webp", "bmp", "tiff", "avif", "heif")
        ),
    }
)
"""What may be sent: what people photograph, scan and write. Archives are none of it, and so are
never opened here."""


BEGUN_AT_MOST = 8
"""Files of one message that may be on their way at the same time."""


def one_more(others: int) -> None:
    """Whether the message takes another file, beside those that have come whole."""
    if others >= FILES_AT_MOST:
        raise Refused(Refusal.TOO_MANY_FILES)


def given_up(begun: Sequence[UUID]) -> Sequence[UUID]:
    """Which of those that began to come, the oldest first, make room for another.

    One whose sender broke off stays as it is: it counts for nothing, and nobody waits for it.
    """
    return begun[: max(0, len(begun) + 1 - BEGUN_AT_MOST)]


def next_chunk(size: int, number: int, data: bytes, *, others: Sequence[int]) -> bool:
    """Whether this chunk is the next one, or one that is there already; anything else is refused.

    `others` are the sizes of the message's files that have come whole.
    """
    there = chunks_of(size)
    if 0 <= number < there:
        return False
    if not data or len(data) > CHUNK_SIZE or number != there or size % CHUNK_SIZE:
        raise Refused(Refusal.FILE_CHANGED)
    if size + len(data) > FILE_LIMIT:
        raise Refused(Refusal.FILE_TOO_LARGE)
    if size + len(data) + sum(others) > FILES_LIMIT:
        raise Refused(Refusal.FILES_TOO_LARGE)
    return True


def sendable(media: Media, size: int, *, others: Sequence[int]) -> None:
    """Whether a file of this sort may go with a message that has these others."""
    if not size:
        raise Refused(Refusal.FILE_EMPTY)
    if media.sort is not Sort.DOCUMENT or media.media_type not in ALLOWED:
        raise Refused(Refusal.FILE_FORBIDDEN)
    one_more(len(others))
    if size + sum(others) > FILES_LIMIT:
        raise Refused(Refusal.FILES_TOO_LARGE)
