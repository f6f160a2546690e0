"""A result's value by its kind; where that form would read otherwise, with what was written."""

import re
from decimal import Decimal
from typing import Final

from services.records.domain.chart import Measured
from services.records.exporting.fhir.terms import Resource, coded
from services.records.formats.fhir.values import RENDERED, UNIT

_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
_RANGE: Final = re.compile(r"(-?\d+(?:\.\d+)?)-(-?\d+(?:\.\d+)?)", re.ASCII)
_RATIO: Final = re.compile(r"(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)", re.ASCII)
_TIME: Final = re.compile(
    r"\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))?)?)?", re.ASCII
)


def value(one: Measured) -> Resource:
    """The member that holds it, or says why there is none."""
    said: Resource
    match one.kind:
        case "quantity":
            said = {"valueQuantity": _quantity(one)}
        case "range":
            said = {"valueRange": _range(one)}
        case "ratio":
            said = {"valueRatio": _ratio(one)}
        case "coded":
            said = {"valueCodeableConcept": {"text": one.value}}
        case "time":
            said = _time(one)
        case "absent":
            said = {"dataAbsentReason": _absent(one.value)}
        case _:
            said = {"valueString": one.value}
    return said


def unit_of_text(one: Measured) -> list[Resource]:
    if one.unit and one.kind in ("text", "coded", "ratio", "time", "absent"):
        return [{"url": UNIT, "valueString": one.unit}]
    return []


def _range(one: Measured) -> Resource:
    if ends := _RANGE.fullmatch(one.value):
        low, high = (_end(part, one.unit) for part in ends.groups())
        return {"low": low, "high": high}
    return {"low": {"unit": one.unit}} | _as_written(one)


def _ratio(one: Measured) -> Resource:
    if parts := _RATIO.fullmatch(one.value):
        numerator, denominator = (_end(part, "") for part in parts.groups())
        return {"numerator": numerator, "denominator": denominator}
    return _as_written(one)


def _quantity(one: Measured) -> Resource:
    if one.number is None:
        return {"unit": one.unit} | _as_written(one)
    number = format(one.number, "f")
    said: Resource = {"value": one.number, "comparator": one.comparator, "unit": one.unit}
    if one.comparator not in ("", "<", "<=", ">=", ">"):
        said["comparator"] = ""
    plain = one.value == f"{said['comparator']}{number}" and bool(_NUMBER.fullmatch(number))
    return said if plain else said | _as_written(one)


def _end(number: str, unit: str) -> Resource:
    return {"value": Decimal(number), "unit": unit}


def _as_written(one: Measured) -> Resource:
    return {"extension": [{"url": RENDERED, "valueString": one.value}]}


def _time(one: Measured) -> Resource:
    if _TIME.fullmatch(one.value):
        return {"valueDateTime": one.value}
    start, dash, end = one.value.partition(" - ")
    if dash and _TIME.fullmatch(start) and _TIME.fullmatch(end):
        return {"valuePeriod": {"start": start, "end": end}}
    return {"valuePeriod": _as_written(one)}


def _absent(reason: str) -> Resource:
    coding = [coded("data-absent-reason", "unknown", "Unknown")]
    return {"text": reason} if reason else {"coding": coding}


def band(one: Measured) -> Resource:
    low, high = one.range_low, one.range_high
    return (
        {
            "low": {"value": low, "unit": one.unit} if low is not None else None,
            "high": {"value": high, "unit": one.unit} if high is not None else None,
            "text": one.range_text,
        }
        if one.range_text or low is not None or high is not None
        else {}
    )
