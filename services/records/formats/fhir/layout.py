"""How a FHIR file is written down: in which character set, and whether each line is a resource."""

import codecs
from dataclasses import dataclass
from typing import BinaryIO, Final

from services.records.domain.found import Unreadable
from services.records.formats.fhir.limits import CHUNK

BLANK: Final = "\ufeff\x1e \t\r\n"
"""What may stand between two resources: white space, a byte order mark, RFC 7464's separator."""
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FALLBACK: Final = "cp1252"
for _encoding in (_FALLBACK, "utf-8", *dict(_MARKS).values()):
    codecs.lookup(_encoding)  # Now, for a process that may open no more files can't load them.


@dataclass(frozen=True, slots=True)
class Layout:
    """The character set, and whether it is NDJSON: one resource on each line."""

    encoding: str
    errors: str
    lines: bool


def layout_of(source: BinaryIO) -> Layout:
    """How the file is written: UTF-8 unless its bytes can't be, and then Windows-1252."""
    source.seek(0)
    start = source.read(4)
    encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
    try:
        return Layout(encoding, "strict", lines=_is_lines(source, encoding, "strict"))
    except UnicodeDecodeError:
        return Layout(_FALLBACK, "replace", lines=_is_lines(source, _FALLBACK, "replace"))


def _is_lines(source: BinaryIO, encoding: str, errors: str) -> bool:
    """Whether the first line is a whole object and the next one begins another."""
    source.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    first = last = second = newline = ""
    while raw := source.read(CHUNK):
        rest = decoder.decode(raw)
        if not newline:
            head, newline, rest = rest.partition("\n") if first else _from_first(rest)
            visible = head.strip(BLANK)
            if visible:
                first, last = first or visible[0], visible[-1]
        if newline and not second:
            second = rest.lstrip(BLANK)[:1]
    decoder.decode(b"", final=True)
    if not first:
        raise Unreadable("The file is empty.")
    return first == "{" and last == "}" and second == "{"


def _from_first(text: str) -> tuple[str, str, str]:
    return text.lstrip(BLANK).partition("\n")
