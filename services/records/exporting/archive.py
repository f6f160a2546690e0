"""All formats and the documents themselves in one ZIP file (APPNOTE 6.3), whose size is known
before a document is read: nothing is compressed, and checksums stand behind the content.
"""

import hashlib
import struct
import unicodedata
import zlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.contracts.messaging.mailbox import Letter
from services.records.domain.document import Document
from services.records.exporting.pieces import Checksum, Original, Piece, Pieces

FOLDER: Final = "documents"
LETTERS: Final = "messages"
SUMS: Final = "SHA256SUMS.txt"
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_BEHIND: Final = struct.Struct("<2L")
_CENTRAL: Final = struct.Struct("<4s6H")
_CENTRAL_REST: Final = struct.Struct("<2L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_VERSION: Final = 20
_MADE_ON_UNIX: Final = 3 << 8 | _VERSION
"""As if on Unix: what unpacks it there takes names of any other origin for DOS's own letters."""
_A_FILE: Final = 0o100644 << 16
"""A plain file, which its owner may write and all may read."""
_FLAGS: Final = 0x0808
"""Sizes and checksum stand behind the content, and names are UTF-8."""
_MOST_NAME: Final = 180
"""Bytes of a name, with which, a day and a number, every system's 255 are kept."""


def paths(documents: Sequence[Document], zone: ZoneInfo) -> dict[UUID, str]:
    """Where each document lies: by its day and its name, and by a number where two are alike."""
    return _apart((one.id, f"{FOLDER}/{one.day_in(zone)}", one.file_name) for one in documents)


def letter_paths(letters: Sequence[Letter], zone: ZoneInfo) -> dict[UUID, str]:
    """The same for files that came with messages, by the day on which the message was sent."""
    return _apart(
        (file.attachment_id, f"{LETTERS}/{one.sent_at.astimezone(zone):%Y-%m-%d}", file.file_name)
        for one in letters
        for file in one.files
    )


def _apart(files: Iterable[tuple[UUID, str, str]]) -> dict[UUID, str]:
    taken: set[str] = set()
    found: dict[UUID, str] = {}
    for id_, before, file_name in files:
        name = PurePosixPath(_plain(file_name))
        stem, ending = _cut(name.stem, _MOST_NAME) or "document", _cut(name.suffix, 20)
        number = 1
        path = f"{before} {stem}{ending}"
        while path.casefold() in taken:
            number += 1
            path = f"{before} {stem} ({number}){ending}"
        taken.add(path.casefold())
        found[id_] = path
    return found


def _plain(name: str) -> str:
    """A name that every system lets a file have, spelled as all of them tell names apart."""
    composed = unicodedata.normalize("NFC", name)
    return "".join(
        one if one.isprintable() and one not in '/\\:*?"<>|' else "_" for one in composed
    ).rstrip(" .")


def _cut(name: str, most: int) -> str:
    """As much of a name as fits into so many bytes, of whole characters."""
    return name.encode()[:most].decode(errors="ignore").rstrip()


@dataclass(slots=True)
class Archive:
    """An archive as it grows."""

    at: datetime
    """Local time, as archives have it."""
    _directory: list[Piece] = field(default_factory=list)
    _sums: list[str] = field(default_factory=list)
    _count: int = 0
    _size: int = 0

    def file(self, path: str, content: Iterable[Piece]) -> Pieces:
        """A file that is made for the archive, as it is made."""
        digest, crc32, size = hashlib.sha256(), 0, 0
        yield from self._before(path)
        for piece in content:
            assert isinstance(piece, bytes)  # noqa: S101 - documents lie beside it
            digest.update(piece)
            crc32, size = zlib.crc32(piece, crc32), size + len(piece)
            yield piece
        self._sums.append(f"{digest.hexdigest()}  {path}\n")
        yield from self._behind(path, size, crc32.to_bytes(4, "little"))

    async def fetched(self, path: str, content: AsyncIterator[bytes]) -> AsyncIterator[Piece]:
        """A file that comes from elsewhere, as it comes."""
        digest, crc32, size = hashlib.sha256(), 0, 0
        for piece in self._before(path):
            yield piece
        async for data in content:
            digest.update(data)
            crc32, size = zlib.crc32(data, crc32), size + len(data)
            yield data
        self._sums.append(f"{digest.hexdigest()}  {path}\n")
        for piece in self._behind(path, size, crc32.to_bytes(4, "little")):
            yield piece

    def document(self, path: str, document: Document) -> Pieces:
        """A document as it was given to us."""
        self._sums.append(f"{document.sha256}  {path}\n")
        yield from self._before(path)
        yield Original(document)
        yield from self._behind(path, document.size, Checksum(document))

    def end(self) -> Pieces:
        """The SHA-256 sums of all files, and the directory."""
        yield from self.file(SUMS, ["".join(self._sums).encode()])
        start, size = self._size, 0
        for piece in self._directory:
            yield piece
            size += len(piece) if isinstance(piece, bytes) else 4
        yield _END.pack(b"PK\x05\x06", 0, 0, self._count, self._count, size, start, 0)

    def _before(self, path: str) -> Pieces:
        name, (time, day) = path.encode(), _dos(self.at)
        yield _LOCAL.pack(b"PK\x03\x04", _VERSION, _FLAGS, 0, time, day, 0, 0, 0, len(name), 0)
        yield name

    def _behind(self, path: str, size: int, checksum: Piece) -> Pieces:
        name, (time, day) = path.encode(), _dos(self.at)
        yield b"PK\x07\x08"
        yield checksum
        yield _BEHIND.pack(size, size)
        self._directory += [
            _CENTRAL.pack(b"PK\x01\x02", _MADE_ON_UNIX, _VERSION, _FLAGS, 0, time, day),
            checksum,
            _CENTRAL_REST.pack(size, size, len(name), 0, 0, 0, 0, _A_FILE, self._size) + name,
        ]
        self._count += 1
        self._size += _LOCAL.size + len(name) + size + 4 + 4 + _BEHIND.size


def _dos(at: datetime) -> tuple[int, int]:
    """A time as MS-DOS had it, to two seconds."""
    time = at.hour << 11 | at.minute << 5 | at.second // 2
    return time, (at.year - 1980) << 9 | at.month << 5 | at.day
