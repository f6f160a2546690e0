"""OBX-5 by its type in OBX-2: what was measured or said, shown just as it was written."""

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from services.records.domain.result import Value, ValueKind
from services.records.formats.hl7v2 import times
from services.records.formats.hl7v2.segments import Fields

TEXT_TYPES = frozenset({"ST", "TX", "FT", ""})
_NUMBER_TYPES = frozenset({"NM", "SI"})
_CODED_TYPES = frozenset({"CE", "CWE", "CNE", "CF"})
_SIMPLE_TYPES = frozenset({"ID", "IS", "TN"})
_TIME_TYPES = {
    "DT": times.readable,
    "TS": times.readable,
    "DTM": times.readable,
    "TM": times.readable_clock,
}

_LONGEST_NUMBER = 40
_NUMBER = r"[+-]?(?:0|[1-9]\d{0,19}|(?=\.))(?:\.\d{1,19})?(?:[eE][+-]?\d{1,2})?"
_QUANTITY = re.compile(rf"(<=|>=|<|>|≤|≥)?\s*({_NUMBER})")
_PLAIN = {"≤": "<=", "≥": ">="}
_COMPARATORS = frozenset({"", "=", "<", ">", "<=", ">="})


def read_value(value_type: str, fields: Fields, unit: str = "") -> Value | None:
    """The value of an OBX that carries no document, or None if it carries nothing."""
    value = _read(value_type, fields)
    return replace(value, unit=unit) if value.text.strip() else None


def text_lines(fields: Fields) -> list[str]:
    """The lines of a text value: each repetition begins a new one."""
    written = fields.raw(5)
    repeats = fields.repeats(5)
    if len(repeats) > 1 and not all(repeats):
        # An approximate "~5" is no list of nothing and 5.
        repeats = [written]
    return [line.rstrip() for each in repeats for line in fields.text(each).split("\n")]


def quantity(text: str) -> Value | None:
    """The number that a text plainly is, maybe with a comparator: `<15`, `145.01`."""
    match = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    if match is None:
        return None
    return Value(
        kind=ValueKind.QUANTITY,
        text=text,
        number=Decimal(match[2]),
        comparator=_PLAIN.get(match[1] or "", match[1] or ""),
    )


def plain(text: str) -> Value:
    """A number where the text is plainly one, else the text itself."""
    return quantity(text) or Value(kind=ValueKind.TEXT, text=text)


def coded_text(parts: list[str]) -> str:
    """What a coded value says: its text, else the sender's own words, else the bare code."""
    padded = [*parts, *[""] * 9]
    return padded[1] or padded[8] or padded[4] or padded[0] or padded[3]


def _read(value_type: str, fields: Fields) -> Value:
    if value_type in TEXT_TYPES:
        return plain("\n".join(text_lines(fields)).strip("\n").strip())
    if value_type in _NUMBER_TYPES | _SIMPLE_TYPES:
        return plain(fields.text(fields.raw(5)).strip())
    if value_type == "SN":
        return _structured_number(fields.parts(fields.repeats(5)[0]))
    if value_type in _CODED_TYPES:
        return Value(kind=ValueKind.CODED, text=_each(fields, coded_text))
    if value_type in _TIME_TYPES:
        return Value(kind=ValueKind.TIME, text=_TIME_TYPES[value_type](fields.component(5)))
    return plain(_each(fields, lambda parts: " ".join(filter(None, parts))))


def _each(fields: Fields, said: Callable[[list[str]], str]) -> str:
    texts = [said(fields.parts(repeat)) for repeat in fields.repeats(5)]
    return "; ".join(text for text in texts if text)


def _structured_number(parts: list[str]) -> Value:
    """`^182`, `>^90`, `^1^:^128`, `^1^-^3`, `^2^+`; or a plain number where carets are missing."""
    if len(parts) == 1 or parts[0] not in _COMPARATORS:
        return plain(" ".join(filter(None, parts)))
    comparator, first, separator, second = (
        part.replace(" ", "") for part in [*parts, "", "", ""][:4]
    )
    text = f"{'' if comparator == '=' else comparator}{first}{separator}{second}"
    both_numbers = bool(quantity(first) and quantity(second))
    if not comparator.strip("=") and both_numbers and separator == "-":
        return Value(kind=ValueKind.RANGE, text=text)
    if both_numbers and separator in {":", "/"}:
        return Value(kind=ValueKind.RATIO, text=text)
    return plain(text)
