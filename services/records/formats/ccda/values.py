"""What was measured: HL7's data types as the one shape of a value."""

import re
from collections.abc import Callable
from decimal import Decimal

from services.records.domain.found import Reason
from services.records.domain.result import Value, ValueKind
from services.records.formats.ccda import moments
from services.records.formats.ccda.codes import codes, name
from services.records.formats.ccda.narrative import (
    MAX_TEXT,
    Narrative,
    decoded,
    line,
    one_line,
    reference,
)
from services.records.formats.ccda.tree import XSI_TYPE, Element, attribute, every, first

_NUMBER = re.compile(r"[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,2})?", re.ASCII)
_COMPARED = re.compile(r"(<=|>=|<|>|≤|≥)\s*(\S+)")
_COMPARATORS = {"≤": "<=", "≥": ">="}
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_NO_INFORMATION = "NI"
NO_UNIT = {"", "1"}
"""UCUM writes a pure number's unit as 1, which nobody wants to read behind a result."""


def value(observation: Element, narrative: Narrative) -> Value | Reason:
    """What an observation says, or why it says nothing. Several values are kept as one text."""
    found = [_value(element, narrative) for element in every(observation, "value")]
    values = list(dict.fromkeys(one for one in found if isinstance(one, Value)))
    if not values:
        return next((one for one in found if isinstance(one, Reason)), Reason.NO_VALUE)
    if len(values) == 1:
        return values[0]
    return _said("; ".join(f"{one.text} {one.unit}".strip() for one in values), ValueKind.TEXT)


def quantity(text: str, unit: str) -> Value:
    """A number with its unit; `<5` is a bound, and what is no number stays text."""
    unit = "" if unit in NO_UNIT else unit
    number = decimal(text)
    if number is not None:
        return Value(kind=ValueKind.QUANTITY, text=text, number=number, unit=unit)
    compared = _COMPARED.fullmatch(text)
    bound = decimal(compared[2]) if compared else None
    if compared and bound is not None:
        return Value(
            kind=ValueKind.QUANTITY,
            text=text,
            number=bound,
            comparator=_COMPARATORS.get(compared[1], compared[1]),
            unit=unit,
        )
    return Value(kind=ValueKind.TEXT, text=text, unit=unit)


def decimal(text: str) -> Decimal | None:
    """A number with the zeros that it was written with; None for anything else."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def amount(element: Element | None) -> tuple[str, str]:
    """A physical quantity's number and unit as they are written, also where it has no UCUM unit.

    What the laboratory sent in units of its own is in a translation:
    `<translation value="152"><originalText>THOUS/MCL</originalText></translation>`.
    """
    if element is None:
        return "", ""
    for written in (element, *every(element, "translation")):
        if text := one_line(attribute(written, "value")):
            unit = attribute(written, "unit") or line(first(written, "originalText"))
            unit = unit or attribute(written, "displayName") or attribute(written, "code")
            return text, one_line(unit)
    return "", ""


def _value(element: Element, narrative: Narrative) -> Value | Reason:
    kind = _type(element)
    # IVL_TS is a period of time, every other IVL_… an interval of a quantity.
    read = _READERS.get(kind) or _READERS.get(kind.partition("_")[0], _text)
    return read(element, narrative)


def _type(element: Element) -> str:
    written = attribute(element, XSI_TYPE).rpartition(":")[2]
    if written or attribute(element, "value"):
        return written
    if attribute(element, "code") or attribute(element, "displayName"):
        return "CD"
    return "IVL_PQ" if first(element, "low") is not None else "ST"


def _measured(element: Element, narrative: Narrative) -> Value | Reason:
    text, unit = amount(element)
    return quantity(text, unit) if text else _unmeasured(element, narrative)


def _coded(element: Element, narrative: Narrative) -> Value | Reason:
    if attribute(element, "nullFlavor") == _NO_INFORMATION:
        return Value(kind=ValueKind.ABSENT, text=line(first(element, "originalText")))
    text = name(element, narrative) or next((code.code for code in codes(element)), "")
    return _said(text or line(element), ValueKind.CODED)


def _unmeasured(element: Element, narrative: Narrative) -> Value | Reason:
    """The words in place of a number; a unit without a number says nothing."""
    return _said(one_line(element.text or "") or narrative.at(element), ValueKind.TEXT)


def _text(element: Element, narrative: Narrative) -> Value | Reason:
    """Text as it stands, or where it is said to stand; a link out of the document is not followed.

    One vendor writes the text itself where the reference should be:
    `<reference value="YELLOW"/>`.
    """
    if attribute(element, "representation") == "B64":
        return _encoded(element)
    pointed = reference(element)
    if _ELSEWHERE.match(pointed):
        return Reason.CONTENT_ELSEWHERE
    text = narrative.lines(element) or line(first(element, "originalText"))
    text = text or (pointed if not pointed.startswith("#") else "")
    return _said(text or attribute(element, "value"), ValueKind.TEXT)


def _encoded(element: Element) -> Value | Reason:
    media_type = attribute(element, "mediaType")
    if media_type and not media_type.startswith("text/plain"):
        return Reason.NOT_SUPPORTED
    try:
        return _said(decoded(element), ValueKind.TEXT)
    except ValueError:
        return Reason.BAD_CONTENT


def _time(element: Element, narrative: Narrative) -> Value | Reason:
    low, high = (attribute(first(element, end), "value") for end in ("low", "high"))
    if low and high:
        return _said(f"{moments.iso(low)} - {moments.iso(high)}", ValueKind.TIME)
    text = moments.iso(moments.written(element))
    return _said(text, ValueKind.TIME) if text else _unmeasured(element, narrative)


def _interval(element: Element, narrative: Narrative) -> Value | Reason:
    low, high, center = (first(element, end) for end in ("low", "high", "center"))
    (least, least_unit), (most, most_unit) = amount(low), amount(high)
    unit = least_unit or most_unit
    unit = "" if unit in NO_UNIT else unit
    if least and most:
        if most_unit not in {"", least_unit}:
            return _said(f"{least} {least_unit} - {most} {most_unit}", ValueKind.TEXT)
        return Value(kind=ValueKind.RANGE, text=f"{least}-{most}", unit=unit)
    if least:
        return quantity((">" if _excluded(low) else ">=") + least, unit)
    if most:
        return quantity(("<" if _excluded(high) else "<=") + most, unit)
    text, unit = amount(center)
    return quantity(text, unit) if text else _unmeasured(element, narrative)


def _excluded(bound: Element | None) -> bool:
    return attribute(bound, "inclusive") == "false"


def _ratio(element: Element, narrative: Narrative) -> Value | Reason:
    parts = [amount(first(element, part)) for part in ("numerator", "denominator")]
    if not all(text for text, _ in parts):
        return _unmeasured(element, narrative)
    written = (text if unit in NO_UNIT else f"{text} {unit}" for text, unit in parts)
    return _said(":".join(written), ValueKind.RATIO)


def _said(text: str, kind: ValueKind) -> Value | Reason:
    text = text.strip()
    if len(text) > MAX_TEXT:
        return Reason.TOO_LARGE
    return Value(kind=kind, text=text) if text and text.lower() != "null" else Reason.NO_VALUE


_READERS: dict[str, Callable[[Element, Narrative], Value | Reason]] = {
    **dict.fromkeys(("", "PQ", "INT", "REAL", "MO"), _measured),
    **dict.fromkeys(("CD", "CE", "CV", "CO", "CS"), _coded),
    **dict.fromkeys(("TS", "IVL_TS"), _time),
    "IVL": _interval,
    "RTO": _ratio,
}
"""By HL7 data type; what is none of these is text."""
