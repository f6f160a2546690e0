"""How one message is written: its separators, its escape character, its character set."""

import re
from dataclasses import dataclass
from functools import cached_property

from services.records.formats.hl7v2 import charsets

_STANDARD = "^~\\&"
_MOST_BLANKS = 20
"""A `\\.sp9999999\\` asks for that many lines; nobody needs more than this."""
_BLANKS = re.compile(r"\.(sp|sk)\s*\+?(\d{0,9})", re.IGNORECASE)
_LAYOUT = re.compile(r"\.(?:fi|nf|in|ti)\s*[+-]?\d*|[CM][0-9A-Fa-f]+", re.IGNORECASE)
_LONGEST_ESCAPE = 512


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """The separators of a message, and what its escapes stand for."""

    field_separator: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    escape_is_doubled: bool = False
    """`MSH|^~\\\\&`: some string literal was escaped once more, and the whole text with it."""
    charset: str = ""

    def unescape(self, text: str) -> str:
        """What the text says, as plain characters: highlighting goes, an unknown escape stays."""
        if not self.escape or self.escape not in text:
            return text
        if self.escape_is_doubled:
            text = text.replace(self.escape * 2, self.escape)
        return self._sequences.sub(self._meaning, self._bytes.sub(self._characters, text))

    @cached_property
    def _sequences(self) -> re.Pattern[str]:
        escape = re.escape(self.escape)
        return re.compile(f"{escape}([^{escape}\n]{{0,{_LONGEST_ESCAPE}}}){escape}")

    @cached_property
    def _bytes(self) -> re.Pattern[str]:
        """Bytes given as hex; the bytes of one character may be spread over several of them."""
        escape = re.escape(self.escape)
        return re.compile(f"(?:{escape}X(?:[0-9A-Fa-f]{{2}})+{escape})+")

    def _characters(self, match: re.Match[str]) -> str:
        written = match[0].replace(self.escape, "").replace("X", "")
        meant = charsets.decode(bytes.fromhex(written), self.charset)
        # The escape character that these bytes may spell must not begin another escape.
        return meant.replace(self.escape, f"{self.escape}E{self.escape}")

    def _meaning(self, match: re.Match[str]) -> str:
        sequence = match[1]
        separators = {
            "F": self.field_separator,
            "S": self.component,
            "T": self.subcomponent,
            "R": self.repetition,
            "E": self.escape,
            "P": "#",
            "H": "",
            "N": "",
        }
        if sequence in separators:
            return separators[sequence]
        if sequence.lower() in {".br", ".ce"}:
            return "\n"
        if blanks := _BLANKS.fullmatch(sequence):
            count = min(int(blanks[2] or 1), _MOST_BLANKS)
            return ("\n" if blanks[1].lower() == "sp" else " ") * count
        return "" if _LAYOUT.fullmatch(sequence) else match[0]


def declared_by(header: str) -> Encoding:
    """The encoding that an MSH segment declares; what it leaves out is as the standard has it."""
    separator = header[3]
    fields = header.split(separator)
    characters = fields[1] if len(fields) > 1 else ""
    charset = fields[17] if len(fields) > 17 else ""  # noqa: PLR2004 - MSH-18
    message_type = fields[8] if len(fields) > 8 else ""  # noqa: PLR2004 - MSH-9
    doubled = len(characters) > len(_STANDARD) and characters[2] == characters[3]
    if doubled:
        characters = characters[:3] + characters[4:]
    if any(character.isalnum() or character.isspace() for character in characters) or (
        _lost_some(characters)
        and (characters.startswith(_STANDARD[0]) or characters[:1] != message_type[3:4])
    ):
        characters = _STANDARD
    component, repetition, escape, subcomponent = (
        character if character != separator else ""
        for character in characters[:4] + _STANDARD[len(characters) :]
    )
    return Encoding(
        field_separator=separator,
        component=component,
        repetition=repetition,
        escape=escape,
        subcomponent=subcomponent,
        escape_is_doubled=doubled,
        charset=charset,
    )


def _lost_some(characters: str) -> bool:
    """Whether these are the standard's four with one or more fallen out: `^~&`, `~\\&`.

    A backslash is lost to some string literal, a caret to some shell; the message itself still
    uses them, which its type field shows (`ORU^R01`).
    """
    standard = iter(_STANDARD)
    return len(characters) < len(_STANDARD) and all(each in standard for each in characters)
