"""Reference ranges, as laboratories write them: read where they are plainly numbers."""

import re
from decimal import Decimal

from services.records.domain.result import ReferenceRange

_LONGEST_RANGE = 100
_NUMBER = r"[+-]?\d{1,15}(?:\.\d{1,15})?"
_BETWEEN = re.compile(rf"({_NUMBER})\s*(?:-|–|—|_|\bto\b|\.\.)\s*({_NUMBER})", re.IGNORECASE)
_ONE_SIDED = re.compile(rf"(<=|>=|=<|=>|<|>|≤|≥)\s*({_NUMBER})")
_BRACKETS = (("(", ")"), ("[", "]"))


def reference_range(written: str, unit: str = "") -> ReferenceRange | None:
    """The range that was written, or None if nothing was: `[ ]`."""
    text = " ".join(written.split())
    core = _without_unit(_without_brackets(text), unit)
    if not core:
        return None
    if len(core) <= _LONGEST_RANGE:
        if between := _BETWEEN.fullmatch(core):
            return ReferenceRange(low=Decimal(between[1]), high=Decimal(between[2]), text=text)
        if bound := _ONE_SIDED.fullmatch(core):
            if bound[1] in {"<", "<=", "=<", "≤"}:
                return ReferenceRange(high=Decimal(bound[2]), text=text)
            return ReferenceRange(low=Decimal(bound[2]), text=text)
    return ReferenceRange(text=text)


def _without_brackets(text: str) -> str:
    for opening, closing in _BRACKETS:
        if text.startswith(opening) and text.endswith(closing):
            return text[1:-1].strip()
    return text


def _without_unit(text: str, unit: str) -> str:
    if unit and text.lower().endswith(unit.lower()):
        return text[: -len(unit)].rstrip()
    return text
