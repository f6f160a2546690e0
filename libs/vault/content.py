"""How content is cut and bound, so that no piece of it can be cut off, swapped or moved unseen.

Content lies in chunks under a key of its own. That key is sealed under its owner's data key: the
patient's, or the practice's for what is nobody's yet. What the content is (whose, how long, its
SHA-256) is bound to its key, and which chunk it is to each chunk.
"""

from dataclasses import dataclass
from uuid import UUID

from libs.contracts.content import CHUNK_SIZE


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """Something stored, whole and unchanging."""

    id: UUID
    owner_id: UUID
    size: int
    sha256: str
    crc32: int | None = None
    """What archives are checked by; None for what was stored before it was kept."""

    @property
    def chunks(self) -> int:
        """How many pieces it lies in."""
        return chunks_of(self.size)


def chunks_of(size: int) -> int:
    """Pieces of content of this size; all but the last are full."""
    return -(-size // CHUNK_SIZE)


def length_of(number: int, *, size: int) -> int:
    """Bytes of one chunk."""
    return min(CHUNK_SIZE, size - number * CHUNK_SIZE)


def binds_data_key(practice_id: UUID, owner_id: UUID) -> str:
    """What a data key belongs to."""
    return f"data key|{practice_id}|{owner_id}"


def binds_growing(practice_id: UUID, owner_id: UUID, content_id: UUID) -> str:
    """What the key of content that is still coming in belongs to."""
    return f"growing|{practice_id}|{owner_id}|{content_id}"


def binds_whole(practice_id: UUID, content: Content) -> str:
    """What the key of finished content belongs to: also how much it is, and its checksum."""
    return f"whole|{practice_id}|{content.owner_id}|{content.id}|{content.size}|{content.sha256}"


def binds_chunk(practice_id: UUID, content_id: UUID, number: int) -> str:
    """What a chunk belongs to."""
    return f"chunk|{practice_id}|{content_id}|{number}"
