"""A segment's fields, by their HL7 numbers."""

from dataclasses import dataclass

from services.records.formats.hl7v2 import charsets
from services.records.formats.hl7v2.encoding import Encoding

LONGEST_LABEL = 4_000
"""Characters of a code, name, unit or other text of one line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One segment as it came, cut into fields when asked: 10^5 of them stay small."""

    name: str
    data: bytes
    encoding: Encoding

    def fields(self) -> "Fields":
        text = charsets.decode(self.data, self.encoding.charset)
        values = text.split(self.encoding.field_separator)
        if self.name == "MSH":
            values.insert(1, self.encoding.field_separator)
        return Fields(values, self.encoding)


@dataclass(frozen=True, slots=True)
class Fields:
    """Fields, components and repetitions, counted from 1 as the standard does; absent is ""."""

    values: list[str]
    encoding: Encoding

    def raw(self, number: int) -> str:
        """A field as it is written. The two quotes that mean "delete" hold nothing."""
        value = self.values[number] if len(self.values) > number else ""
        return "" if value.strip() == '""' else value

    def repeats(self, number: int) -> list[str]:
        return _split(self.raw(number), self.encoding.repetition)

    def components(self, number: int) -> list[str]:
        """The components of the field's first repetition, each one readable."""
        return self.parts(self.repeats(number)[0])

    def parts(self, value: str) -> list[str]:
        """The components of a value, each one readable."""
        return [self.label(part) for part in _split(value, self.encoding.component)]

    def component(self, number: int, position: int = 1) -> str:
        parts = self.components(number)
        return parts[position - 1] if len(parts) >= position else ""

    def subparts(self, value: str, position: int) -> list[str]:
        """The subcomponents of one component of a value."""
        parts = _split(value, self.encoding.component)
        wanted = parts[position - 1] if len(parts) >= position else ""
        return [self.label(part) for part in _split(wanted, self.encoding.subcomponent)]

    def label(self, written: str) -> str:
        """Text for one line: unescaped, its blanks and line ends made one blank each."""
        if written.strip() == '""':
            return ""
        return " ".join(self.text(written).split())

    def text(self, written: str) -> str:
        """Text as a person reads it, its lines kept."""
        return charsets.without_controls(self.encoding.unescape(written))


def clipped(label: str) -> str:
    """A label of no more than the longest length; a cut is seen."""
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def _split(value: str, separator: str) -> list[str]:
    return value.split(separator) if separator else [value]
