"""A result's value in HL7's data types: the fitting one where it reads the same, else as text."""

import re
from base64 import b64encode

from services.records.domain.chart import Measured
from services.records.domain.result import Before
from services.records.exporting.ccda.terms import stamp
from services.records.exporting.xml_writing import can_hold, element, text
from services.records.formats.ccda import moments
from services.records.formats.ccda.narrative import MAX_LINE, seen
from services.records.formats.ccda.observation import OBSOLETE, UNIT_CODE
from services.records.formats.ccda.values import NO_UNIT, decimal

SNOMED = "2.16.840.1.113883.6.96"
_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)-(-?\d+(?:\.\d+)?)", re.ASCII)
_RATIO = re.compile(r"(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)", re.ASCII)
_BOUNDS = {"<": ("high", "false"), "<=": ("high", None), ">": ("low", "false"), ">=": ("low", None)}


def value(one: Measured) -> str:
    """The value element, or what stands for it where there is none."""
    if one.kind == "absent":
        told = [element("originalText", text(one.value))] if one.value else []
        return element("value", *told, xsi_type="CD", nullFlavor="NI")
    return _typed(one) or _text(one.value)


def unit_beside(one: Measured) -> str:
    """The unit of a value that has no place for one."""
    if one.kind in ("absent", "ratio", "time") or (_typed(one) and one.kind != "coded"):
        return ""
    return _unit(one.unit)


def before(was: Before, code: str) -> str:
    """What a result of this code said until it was corrected: an observation that is obsolete."""
    earlier = element(
        "observation",
        code,
        element("statusCode", code=OBSOLETE),
        element("effectiveTime", element("high", value=stamp(was.corrected_at))),
        _text(was.value),
        _unit(was.unit),
        classCode="OBS",
        moodCode="EVN",
    )
    return element("entryRelationship", earlier, typeCode="REFR")


def _unit(unit: str) -> str:
    if not unit or unit in NO_UNIT:
        return ""
    said = element(
        "observation",
        element("code", code=UNIT_CODE, codeSystem=SNOMED, displayName="Unit"),
        element("statusCode", code="completed"),
        element("value", text(unit), xsi_type="ST"),
        classCode="OBS",
        moodCode="EVN",
    )
    return element("entryRelationship", said, typeCode="REFR")


def exact(name: str, written: str, *, beside: str = "", **attributes: str) -> str:
    """A text in an element; as base64 where XML, or its readers, would change it."""
    if _is_plain(written):
        return element(name, text(written), beside, **attributes)
    encoded = b64encode(written.encode()).decode()
    return element(
        name, encoded, beside, mediaType="text/plain", representation="B64", **attributes
    )


def _is_plain(written: str) -> bool:
    return can_hold(written) and seen(written) == written


def _text(written: str) -> str:
    return exact("value", written, xsi_type="ST" if _is_plain(written) else "ED")


def _typed(one: Measured) -> str:
    match one.kind:
        case "quantity":
            return _quantity(one)
        case "range" if ends := _RANGE.fullmatch(one.value):
            low, high = ends.groups()
            return element(
                "value",
                _amount("low", low, one.unit),
                _amount("high", high, one.unit),
                xsi_type="IVL_PQ",
            )
        case "ratio" if parts := _RATIO.fullmatch(one.value):
            return element(
                "value",
                element("numerator", value=parts[1], xsi_type="PQ"),
                element("denominator", value=parts[2], xsi_type="PQ"),
                xsi_type="RTO_PQ_PQ",
            )
        case "coded" if _is_plain(one.value) and len(one.value) <= MAX_LINE:
            told = element("originalText", text(one.value))
            return element("value", told, xsi_type="CD", nullFlavor="OTH")
        case "time":
            return _time(one.value)
        case _:
            return ""


def _quantity(one: Measured) -> str:
    if one.number is None:
        return ""
    digits = one.value.removeprefix(one.comparator)
    if decimal(digits) != one.number or digits.strip() != digits:
        return ""
    if not one.comparator:
        return _amount("value", digits, one.unit, xsi_type="PQ")
    if one.comparator not in _BOUNDS:
        return ""
    end, inclusive = _BOUNDS[one.comparator]
    return element("value", _amount(end, digits, one.unit, inclusive=inclusive), xsi_type="IVL_PQ")


def _amount(name: str, number: str, unit: str, **attributes: str | None) -> str:
    """A number with its unit; a unit with spaces is none of UCUM's, and told in words."""
    if not re.search(r"\s", unit):
        return element(name, value=number, unit=unit or None, **attributes)
    told = element("translation", element("originalText", text(unit)), value=number)
    return element(name, told, nullFlavor="OTH", **attributes)


def _time(written: str) -> str:
    plain = re.sub(r"(?<=\d)[-: T](?=[\d])", "", written).replace(" ", "")
    if moments.iso(plain) == written:
        return element("value", value=plain, xsi_type="TS")
    return ""
