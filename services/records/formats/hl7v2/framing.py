"""From the bytes of a file to its messages, one at a time.

Lines end at CR, LF, CRLF or any mixture, and at the block marks of MLLP. A message begins at an
MSH and ends at the next, or at a batch's header or trailer. A line that is no segment goes on with
the one before it. What is too large is skipped and named, never held.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from services.records.domain.found import LeftOut, Reason, Unreadable
from services.records.formats.hl7v2 import charsets
from services.records.formats.hl7v2.encoding import Encoding, declared_by
from services.records.formats.hl7v2.segments import Segment

LARGEST_SEGMENT = 16 * 1024 * 1024
LARGEST_MESSAGE = 48 * 1024 * 1024
MOST_SEGMENTS = 200_000
"""Bounds of one message: 16 MiB hold a document of 12 MB in base64."""

_CHUNK = 64 * 1024
_LINE_END = re.compile(rb"[\r\n\x0b\x1c]")
_START = re.compile(rb"MSH[^A-Za-z0-9\x00-\x20\x7f]")
_WRAPPER = re.compile(rb"(?:FHS|BHS|BTS|FTS)(?:[^A-Za-z0-9\x00-\x20\x7f]|$)")
_NAME = re.compile(rb"[A-Z][A-Z0-9]{2}")
_BARE = re.compile(rb"(?:EVN|PID|PD1|NK1|PV1|PV2|AL1|DG1|ORC|OBR|OBX|NTE|SPM|TXA)$")
"""Segments that are sent without a field; other three letters on a line of their own are text."""
_CONTINUATION = b"ADD"
_BLANK = b" \t"
_BYTE_ORDER_MARK = codecs.BOM_UTF8
_HEAD = 512
_LONGEST_HEADER = 8 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message: its place in the file, counted from 1, and its segments, MSH first."""

    number: int
    segments: list[Segment]
    too_large: list[LeftOut]
    """The segments that are missing from it for their size."""


def messages(source: BinaryIO) -> Iterator[Message | LeftOut]:
    """Every message of the file, and what of the file belongs to none."""
    reading = _Reading()
    empty = True
    for line, whole in _lines(source):
        stripped = line.lstrip(_BLANK).removeprefix(_BYTE_ORDER_MARK).lstrip(_BLANK)
        if not stripped:
            continue
        empty = False
        if _START.match(stripped):
            yield from reading.finish()
            reading.begin(stripped)
        elif _WRAPPER.match(stripped):
            yield from reading.finish()
        else:
            reading.add(line, stripped, whole=whole)
    yield from reading.finish()
    if reading.number == 0:
        raise Unreadable(
            "The file is empty."
            if empty
            else "This is no HL7 v2 message: none of its lines begins with MSH."
        )
    if reading.stray:
        yield LeftOut(
            reason=Reason.UNREADABLE_PART,
            what="Text that belongs to no message",
            where="outside the messages",
            count=reading.stray,
        )


@dataclass(slots=True)
class _Reading:
    """The message being put together, and how far the file has come."""

    number: int = 0
    stray: int = 0
    size: int = 0
    open: bool = False
    overflowed: bool = False
    skipping: bool = False
    """The last segment was too large, so its further lines are not the one's before it."""
    separator: bytes = b""
    raws: list[bytearray] = field(default_factory=list)
    cut: list[bytes] = field(default_factory=list)

    def begin(self, header: bytes) -> None:
        self.number += 1
        self.open, self.overflowed, self.skipping = True, False, False
        self.size = len(header)
        self.separator = _separator(header)
        self.raws, self.cut = [bytearray(header)], []

    def add(self, line: bytes, stripped: bytes, *, whole: bool) -> None:
        if not self.open:
            self.stray += 1
            return
        self.size += len(line)
        self.overflowed |= self.size > LARGEST_MESSAGE or len(self.raws) >= MOST_SEGMENTS
        if self.overflowed:
            self.raws = self.raws[:1]
        elif not self._is_segment(stripped):
            self._continue(b"\n" + line, whole=whole)
        elif stripped[:3] == _CONTINUATION:
            self._continue(stripped[3 + len(self.separator) :], whole=whole)
        elif whole:
            self.skipping = False
            self.raws.append(bytearray(stripped))
        else:
            self._skip(stripped)

    def finish(self) -> Iterator[Message | LeftOut]:
        if not self.open:
            return
        self.open = False
        header = bytes(self.raws[0])
        encoding = declared_by(charsets.decode(header[:_LONGEST_HEADER]))
        if self.overflowed:
            yield LeftOut(reason=Reason.TOO_LARGE, what="Message", where=f"message {self.number}")
            return
        yield Message(
            number=self.number,
            segments=self._segments(encoding),
            too_large=self._too_large(encoding),
        )

    def _segments(self, encoding: Encoding) -> list[Segment]:
        self.raws.reverse()
        segments = []
        while self.raws:
            data = bytes(self.raws.pop())
            name = data[:3].decode("ascii")
            segments.append(Segment(name=name, data=data, encoding=encoding))
        return segments

    def _too_large(self, encoding: Encoding) -> list[LeftOut]:
        found = []
        for head in self.cut:
            segment = Segment(name="", data=head, encoding=encoding).fields()
            name = " ".join(segment.label(value) for value in segment.values[:2])[:40]
            found.append(
                LeftOut(reason=Reason.TOO_LARGE, what=name, where=f"message {self.number}")
            )
        return found

    def _is_segment(self, stripped: bytes) -> bool:
        return bool(_BARE.match(stripped)) or (
            bool(_NAME.match(stripped)) and stripped.startswith(self.separator, 3)
        )

    def _continue(self, more: bytes, *, whole: bool) -> None:
        if self.skipping:
            return
        self.raws[-1] += more
        if (len(self.raws[-1]) > LARGEST_SEGMENT or not whole) and len(self.raws) > 1:
            self._skip(bytes(self.raws.pop()[:_HEAD]))

    def _skip(self, head: bytes) -> None:
        self.skipping = True
        self.cut.append(head[:_HEAD])


def _separator(header: bytes) -> bytes:
    """The field separator as it stands in the bytes: one character, so maybe several bytes."""
    if header[3] < 0x80:  # noqa: PLR2004 - ASCII
        return header[3:4]
    for length in (2, 3, 4):
        try:
            header[3 : 3 + length].decode()
        except UnicodeDecodeError:
            continue
        return header[3 : 3 + length]
    return header[3:4]


def _lines(source: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Every line, and whether it is whole: of one beyond the limit only the head is kept."""
    held = bytearray()
    whole = True
    for chunk in _utf8(source):
        *ended, rest = _LINE_END.split(chunk)
        for part in ended:
            held, whole = _longer(held, part, whole=whole)
            yield bytes(held), whole
            held, whole = bytearray(), True
        held, whole = _longer(held, rest, whole=whole)
    yield bytes(held), whole


def _longer(held: bytearray, part: bytes, *, whole: bool) -> tuple[bytearray, bool]:
    if whole and len(held) + len(part) <= LARGEST_SEGMENT:
        held += part
        return held, True
    return (held + part[:_HEAD])[:_HEAD], False


def _utf8(source: BinaryIO) -> Iterator[bytes]:
    """The file in chunks; one of two or four bytes a character is turned into UTF-8."""
    chunk = source.read(_CHUNK)
    codec = _wide_codec(chunk)
    decoder = codecs.getincrementaldecoder(codec)(errors="replace") if codec else None
    while chunk:
        yield decoder.decode(chunk).encode() if decoder else chunk
        chunk = source.read(_CHUNK)


def _wide_codec(head: bytes) -> str:
    for mark, codec in (
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
        ("MSH".encode("utf-16-le"), "utf-16-le"),
        ("MSH".encode("utf-16-be"), "utf-16-be"),
    ):
        if head.startswith(mark):
            return codec
    return ""
