"""What a reader's process says to us: frames of a kind, a length, and that many bytes.

A reader may have been taken over by the file it reads, so all of this is checked as it comes in.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from pydantic import TypeAdapter

from libs.vault.media import Media
from services.records.domain.found import Document, LeftOut
from services.records.domain.matching import Described
from services.records.domain.result import Result

HEADER: Final = struct.Struct(">BI")
LONGEST: Final = 16 * 1024 * 1024
"""Bytes of one frame; a result's comment may have 100,000 characters."""
BATCH: Final = 250
"""Things in one frame, at most."""
BATCH_TEXT: Final = 400_000
"""Characters of values and comments in one frame, about."""


class Kind(IntEnum):
    """What a frame holds."""

    FORMAT = 1
    PEOPLE = 2
    BATCH = 3
    DOCUMENT = 4
    PIECE = 5
    """Some bytes of the document announced last."""
    UNREADABLE = 6
    """A sentence that says why."""
    END = 7
    """All there was; without it, the reader came to grief."""
    PAGE = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Some results, and some of what was left out."""

    results: tuple[Result, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Incoming:
    """A document whose content follows, and what was found out about that."""

    document: Document
    """Without its content."""
    size: int
    sha256: str
    media: Media


PEOPLE: Final = TypeAdapter(tuple[Described, ...])
BATCHES: Final = TypeAdapter(Batch)
INCOMING: Final = TypeAdapter(Incoming)
