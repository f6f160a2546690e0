"""The ranges that a laboratory gives with a result, and how it marks the result against them."""

from services.records.domain.result import ReferenceRange, Value
from services.records.formats.ccda.codes import codes, name
from services.records.formats.ccda.narrative import Narrative, line, one_line
from services.records.formats.ccda.tree import Element, attribute, every, first
from services.records.formats.ccda.values import amount, decimal

_SEVERITY = ("AA", "HH", "LL", "HU", "LU", "A", ">", "<", "HX", "LX", "H", "L", "R", "I", "S", "N")
"""Interpretation codes (HL7 table 0078), the most severe first; others come after these."""
_USUAL = {"", "N"}
"""The interpretation of a range that is meant to hold the healthy; others name another case."""


def ranges(observation: Element, value: Value, narrative: Narrative) -> tuple[ReferenceRange, ...]:
    """The ranges that came with a result, in the order of the file."""
    found = (
        _range(element, value, narrative)
        for element in every(observation, "referenceRange/observationRange")
    )
    return tuple(dict.fromkeys(one for one in found if one is not None))


def flags(observation: Element) -> tuple[str, ...]:
    """How the laboratory marked a result, as written, the most severe first."""
    written = dict.fromkeys(
        next((code.code for code in codes(mark)), "")
        or line(first(mark, "originalText"))
        or one_line(attribute(mark, "displayName"))
        for mark in every(observation, "interpretationCode")
    )
    return tuple(sorted((mark for mark in written if mark), key=_severity))


def _severity(mark: str) -> int:
    return _SEVERITY.index(mark) if mark in _SEVERITY else len(_SEVERITY)


def _range(element: Element, value: Value, narrative: Narrative) -> ReferenceRange | None:
    """A range that can be drawn has its ends; any other one is only its text.

    Only text: one in another unit than the result, one upside down, and one that is not for the
    healthy, such as "140–500, high" beside "80–140, normal".
    """
    written = first(element, "value")
    (low, low_unit), (high, high_unit) = (amount(first(written, end)) for end in ("low", "high"))
    least, most = decimal(low), decimal(high)
    unit = low_unit or high_unit
    text = narrative.line(first(element, "text")) or _in_words(element, low, high, narrative)
    meaning = first(element, "interpretationCode")
    case = attribute(meaning, "code")
    upside_down = least is not None and most is not None and least > most
    other_unit = bool(value.unit) and unit not in {"", "1", value.unit}
    if (least is None and most is None) or upside_down or other_unit or case not in _USUAL:
        text = text or _spelled(low, high, unit)
        called = name(meaning, narrative) or case
        if case not in _USUAL and text and called.lower() not in text.lower():
            text = f"{called}: {text}"
        ends = (least, most) if upside_down else (None, None)
        return ReferenceRange(low=ends[0], high=ends[1], text=text) if text else None
    return ReferenceRange(low=least, high=most, text=text)


def _in_words(element: Element, low: str, high: str, narrative: Narrative) -> str:
    """A range whose value is words or a code: "Not Detected", "less than 1:80"."""
    written = first(element, "value")
    if low or high or written is None:
        return ""
    number, unit = amount(written)
    return f"{number} {unit}".strip() or name(written, narrative) or narrative.line(written)


def _spelled(low: str, high: str, unit: str) -> str:
    unit = "" if unit == "1" else unit
    between = f"{low} - {high}" if low and high else f">={low}" if low else f"<={high}"
    return f"{between} {unit}".strip() if low or high else ""
