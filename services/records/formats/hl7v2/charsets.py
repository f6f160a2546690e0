"""What the bytes of a message mean: what it declares, weighed against what the bytes say.

A declaration is often wrong: "8859/1" over UTF-8 text, "ASCII" or nothing over Latin-1. Text that
is valid UTF-8 beyond ASCII is next to never anything else, so it wins over a declared one-byte set.
"""

import re

_STATEFUL_OR_WIDE = {
    "ISO IR14": "iso2022_jp_ext",
    "ISO IR87": "iso2022_jp_ext",
    "ISO IR159": "iso2022_jp_ext",
    "JAS2020": "iso2022_jp_ext",
    "SHIFT_JIS": "cp932",
    "GB 18030-2000": "gb18030",
    "GB18030": "gb18030",
    "GB2312": "gb18030",
    "KS X 1001": "cp949",
    "BIG-5": "cp950",
    "BIG5": "cp950",
}
_ONE_BYTE = re.compile(r"(?:ISO[-_ ]?)?8859[-/_](\d{1,2})")
_WINDOWS = re.compile(r"(?:WINDOWS|CP)[-_ ]?(125[0-8])")
_ISO_8859_PARTS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16})
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
"""Everything below the blank but tab and line feed: nothing a reader sees or Postgres keeps."""


def without_controls(text: str) -> str:
    """The same text in characters that can be kept and shown; line ends are all line feeds."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", text) if _CONTROLS.search(text) else text


def decode(data: bytes, declared: str = "") -> str:
    """The text of these bytes: never an error, never a character that cannot be kept."""
    if data.isascii() and b"\x1b" not in data:
        return without_controls(data.decode("ascii"))
    for codec in _candidates(declared):
        try:
            return without_controls(data.decode(codec))
        except UnicodeDecodeError:
            continue
    return without_controls(data.decode("iso-8859-1"))


def _candidates(declared: str) -> tuple[str, ...]:
    names = [name.strip().upper() for name in declared.split("~")]
    wide = [_STATEFUL_OR_WIDE[name] for name in names if name in _STATEFUL_OR_WIDE]
    one_byte = [codec for name in names if (codec := _one_byte(name))]
    # Windows-1252 is what Latin-1 is in practice: its quotes and dashes lie on unused codes.
    return (*wide[-1:], "utf-8", *one_byte[:1], "cp1252")


def _one_byte(name: str) -> str:
    if (iso := _ONE_BYTE.fullmatch(name)) and int(iso[1]) in _ISO_8859_PARTS - {1}:
        return f"iso-8859-{int(iso[1])}"
    if windows := _WINDOWS.fullmatch(name):
        return f"cp{windows[1]}"
    return ""
