"""A result as staff type it: a number with or without a comparator, a ratio, a range, or words."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from libs.contracts.base import Refused
from libs.contracts.records.refusals import Refusal
from services.records.domain.patient import is_plain
from services.records.domain.result import LOINC, Code, Value, ValueKind

LONGEST = 2000
"""Characters of a value in words, or of a comment."""
LONGEST_NAME = 200
AHEAD = timedelta(days=1)
"""How far a time may lie ahead, as clocks and zones differ."""
NUMBER = re.compile(r"(<=|>=|<|>|≤|≥)?\s*([+-]?\d{1,15}(?:\.\d{1,10})?)", re.ASCII)
RATIO = re.compile(r"\d{1,9}\s*:\s*\d{1,9}", re.ASCII)
RANGE = re.compile(r"\d{1,15}(?:\.\d{1,10})?\s*[-–]\s*\d{1,15}(?:\.\d{1,10})?", re.ASCII)
LOINC_CODE = re.compile(r"\d{1,7}-\d", re.ASCII)
SAME = {"≤": "<=", "≥": ">="}


def test(name: str, loinc: str) -> tuple[str, Code]:
    """A test by its name, and by its LOINC code where that was given."""
    named, code = line(name, LONGEST_NAME), loinc.strip()
    if not named or (code and not LOINC_CODE.fullmatch(code)):
        raise Refused(Refusal.VALUE_NOT_USABLE)
    return named, Code(system=LOINC, code=code) if code else Code(system="text", code=named)


def value(text: str, unit: str) -> Value:
    """What was typed, as it was typed; refused if it is nothing, or too long."""
    text, unit = comment(text), line(unit, LONGEST_NAME)
    if not text:
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


def line(text: str, longest: int) -> str:
    """One line of text as it was typed."""
    plain = text.strip()
    if len(plain) > longest or not is_plain(plain):
        raise Refused(Refusal.VALUE_NOT_USABLE)
    return plain


def comment(text: str) -> str:
    """Text of any number of lines as it was typed."""
    plain = text.strip()
    if len(plain) > LONGEST or not is_plain(plain, besides="\t\r\n"):
        raise Refused(Refusal.VALUE_NOT_USABLE)
    return plain


def collected(at: datetime, *, now: datetime) -> datetime:
    """When it was taken, which is not in the future; a time without a zone is UTC's."""
    known = at if at.tzinfo else at.replace(tzinfo=UTC)
    if known > now + AHEAD:
        raise Refused(Refusal.TIME_IMPOSSIBLE)
    return known
