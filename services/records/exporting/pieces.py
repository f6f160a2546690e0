"""What a file is put together from: bytes that were made for it, and documents in their place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from services.records.domain.document import Document


@dataclass(frozen=True, slots=True)
class Base64:
    """A document's content in base64, without line breaks (RFC 4648, section 4)."""

    document: Document


@dataclass(frozen=True, slots=True)
class Original:
    """A document's content as it was given to us."""

    document: Document


@dataclass(frozen=True, slots=True)
class Checksum:
    """The CRC-32 of a document's content, in four bytes, the lowest first."""

    document: Document


Piece: TypeAlias = bytes | Base64 | Original | Checksum
Pieces: TypeAlias = Iterator[Piece]
