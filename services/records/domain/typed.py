"""A result as staff type it: a number with or without a comparator, a ratio, a range, or words."""

import re
from decimal import Decimal

from libs.contracts.base import Refused
from libs.contracts.records import Refusal
from services.records.domain.result import Value, ValueKind

LONGEST = 2000
"""Characters of a value in words."""
NUMBER = re.compile(r"(<=|>=|<|>|≤|≥)?\s*([+-]?\d{1,15}(?:\.\d{1,10})?)", re.ASCII)
RATIO = re.compile(r"\d{1,9}\s*:\s*\d{1,9}", re.ASCII)
RANGE = re.compile(r"\d+(?:\.\d+)?\s*[-–]\s*\d+(?:\.\d+)?", re.ASCII)
SAME = {"≤": "<=", "≥": ">="}


def value(text: str, unit: str) -> Value:
    """What was typed, as it was typed; refused if it is nothing, or too long."""
    text, unit = text.strip(), unit.strip()
    if not text or len(text) > LONGEST or "\0" in text + unit:
        raise Refused(Refusal.VALUE_NOT_USABLE)
    if found := NUMBER.fullmatch(text):
        comparator = SAME.get(found[1] or "", found[1] or "")
        return Value(
            kind=ValueKind.QUANTITY,
            text=text,
            number=Decimal(found[2]),
            comparator=comparator,
            unit=unit,
        )
    kind = ValueKind.TEXT
    if RATIO.fullmatch(text):
        kind = ValueKind.RATIO
    elif RANGE.fullmatch(text):
        kind = ValueKind.RANGE
    return Value(kind=kind, text=text, unit=unit)


def limit(text: str) -> Decimal | None:
    """One end of a range, or none."""
    plain = text.strip()
    if not plain:
        return None
    if not re.fullmatch(r"[+-]?\d{1,15}(\.\d{1,10})?", plain, re.ASCII):
        raise Refused(Refusal.VALUE_NOT_USABLE)
    return Decimal(plain)
