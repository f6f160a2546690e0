"""A file's bytes as the text it means, up to the first element, with whatever it declares.

Clinical documents lie about their character set: UTF-8 that says UTF-16 (a .NET string saved as a
file), Windows-1252 that says UTF-8. Both are read as what they are. A character set in which plain
bytes can mean something else, such as UTF-7, is refused, and so is every document type declaration.
"""

import codecs
import re
from collections.abc import Iterator

from services.records.domain.found import Unreadable

PIECE = 64 * 1024
"""Bytes decoded at a time."""
MAX_PROLOG = 256 * 1024
"""Characters of comments and instructions that may stand before the first element."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, ""),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_DECLARED = re.compile(rb"\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([^\"']{1,40})[\"']")
_TAKEN_AS_UTF8 = {"", "utf-8", "utf8", "us-ascii", "ascii", "unicode"}
_TAKEN_AS_UTF8 |= {"utf-16", "utf-16le", "utf-16be", "utf16"}
_SINGLE_BYTE = {f"iso-8859-{part}": f"iso8859_{part}" for part in (*range(2, 12), *range(13, 17))}
_SINGLE_BYTE |= {f"windows-125{page}": f"cp125{page}" for page in range(9)}
_SINGLE_BYTE |= {"iso-8859-1": "cp1252", "latin1": "cp1252", "cp1252": "cp1252"}
_SINGLE_BYTE |= {"macintosh": "mac_roman", "koi8-r": "koi8_r"}
_WINDOWS_1252 = {
    0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0x100)
}
_PROLOG = re.compile(r"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*)*", re.DOTALL)
_SHORTEST_OPENING = len("<!--")


def body(data: bytes) -> Iterator[str]:
    """The document from its first element on, piece by piece, with no declaration of any kind."""
    pieces = _decoded(data)
    opening, start = "", 0
    for piece in pieces:
        opening += piece
        start = _prolog(opening)
        rest = opening[start : start + _SHORTEST_OPENING]
        if len(rest) == _SHORTEST_OPENING and not rest.startswith(("<?", "<!--")):
            break
        if len(opening) > MAX_PROLOG + PIECE:
            break
    rest = opening[start:]
    if start > MAX_PROLOG or rest.startswith(("<?", "<!--")):
        raise Unreadable("The file does not begin like a clinical document.")
    if rest.startswith("<!"):
        raise Unreadable("The file has a document type declaration (DTD), which is never read.")
    if not rest.startswith("<"):
        raise Unreadable("The file is not XML.")
    yield rest
    yield from pieces


def _prolog(text: str) -> int:
    match = _PROLOG.match(text)
    return match.end() if match else 0


def _decoded(data: bytes) -> Iterator[str]:
    encoding = _encoding(data)
    decoder = codecs.getincrementaldecoder(encoding)(
        "surrogateescape" if encoding == "utf-8" else "strict"
    )
    view = memoryview(data)
    try:
        for start in range(0, len(data), PIECE):
            text = decoder.decode(view[start : start + PIECE], start + PIECE >= len(data))
            text = text.removeprefix("\ufeff") if start == 0 else text
            yield text if text.isascii() else text.translate(_WINDOWS_1252)
    except UnicodeDecodeError:
        raise Unreadable("The file is not in the character set that it names.") from None


def _encoding(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding or _refuse("UTF-32")
    declared = _DECLARED.match(data[:1024])
    name = declared.group(1).decode("ascii", "replace").strip().lower() if declared else ""
    if name in _TAKEN_AS_UTF8:
        return "utf-8"
    return _SINGLE_BYTE.get(name) or _refuse(name)


def _refuse(name: str) -> str:
    spelled = "".join(letter for letter in name if letter.isalnum() or letter == "-")
    raise Unreadable(f"The file names a character set that is not accepted ({spelled}).")
