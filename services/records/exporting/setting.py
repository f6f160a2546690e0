"""Sets a PDF: JSON on standard input, the PDF on standard output. It opens nothing else."""

import json
import re
import resource
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typst

TEMPLATE = Path(__file__).with_name("record.typ")
MEMORY = 2 * 1024 * 1024 * 1024
CPU_SECONDS = 240
_NOT_IN_A_FONT = re.compile(r'the text `"(.+?)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")


def main() -> None:
    """PDF/UA-1: what no font here has the letters of is told by its number in Unicode."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    said = json.load(sys.stdin.buffer)
    letters = dict.fromkeys(_unprintable(said), "")
    for letter in letters:
        letters[letter] = f"‹U+{ord(letter):04X}›"
    said = _spelled(said, str.maketrans(letters)) | {"spelled": bool(letters)}
    try:
        made = _set(said)
    except typst.TypstError:
        made = _set(said, is_for_all=False)
    sys.stdout.buffer.write(made)


def _set(said: dict[str, Any], *, is_for_all: bool = True) -> bytes:
    """Set it; for all, it keeps PDF/UA-1, or there is none."""
    inputs = {"said": json.dumps(said)}
    made: bytes = typst.compile(
        TEMPLATE.read_bytes(), sys_inputs=inputs, pdf_standards="ua-1" if is_for_all else None
    )
    return made


def _unprintable(said: dict[str, Any]) -> list[str]:
    """The letters of a record that no font here has, found by setting each of them once."""
    letters = sorted(set(_texts(said)))
    marks = (f"o{one}" if unicodedata.combining(one) else one for one in letters)
    message = dict.fromkeys(("id", "subject", "sender", "sent", "files"), "x")
    alone = {"title": "x", "author": "x", "footer": "x", "facts": [], "spelled": False}
    lists = {"results": [], "documents": [], "messages": [message | {"body": " ".join(marks)}]}
    try:
        _set(alone | lists)
    except typst.TypstError as error:
        told = _NOT_IN_A_FONT.findall(error.diagnostic or "")
        found = {letter for one in told for letter in _ESCAPED.sub(_unescaped, one)}
        return [letter for letter in letters if letter in found]
    return []


def _unescaped(escaped: re.Match[str]) -> str:
    return chr(int(escaped[1], 16))


def _texts(said: Any) -> Iterator[str]:
    """Every letter that a font may lack; all of them have what Western Europe writes with."""
    if isinstance(said, str):
        yield from (one for one in said if not " " <= one <= "\u017f" and one not in "\n\r\t")
    elif not isinstance(said, bool):
        for one in said.values() if isinstance(said, dict) else said:
            yield from _texts(one)


def _spelled(said: Any, letters: dict[int, str]) -> Any:
    if isinstance(said, str):
        return said.translate(letters)
    if isinstance(said, dict):
        return {name: _spelled(one, letters) for name, one in said.items()}
    return [_spelled(one, letters) for one in said]


if __name__ == "__main__":
    main()
