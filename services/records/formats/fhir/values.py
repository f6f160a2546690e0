"""FHIR's value[x], reference ranges and interpretations, as the portal keeps them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from services.records.domain.found import Reason
from services.records.domain.result import ReferenceRange, Value, ValueKind
from services.records.formats.fhir.elements import (
    concept,
    each,
    extension,
    fields,
    long_text,
    name_of,
    number,
    text,
)
from services.records.formats.fhir.leftout import NotTaken
from services.records.formats.fhir.window import Json, Written

RENDERED: Final = "http://hl7.org/fhir/StructureDefinition/rendered-value"
UNIT: Final = "urn:carespace:unit"
"""The unit of a value that FHIR gives none, as our own exports say it."""
_COMPARATORS: Final = frozenset({"<", "<=", ">=", ">", "ad"})
_NO_NUMBERS: Final = frozenset({"NaN", "Infinity", "-Infinity"})
_SEVERITY: Final = ("AA", "HH", "LL", "HU", "LU", "A", "H", "L", ">", "<", "D", "U", "B", "W")
_UNREMARKABLE: Final = ("N", "NEG", "S")
_LONGEST_FLAG: Final = 20
"""A longer interpretation is a sentence: it is told with the comments."""
_USUAL_RANGES: Final = frozenset({"", "normal", "Normal Range"})


def _quantity(value: Any) -> Value | None:
    if isinstance(value, str) and not isinstance(value, Written):
        return _plain(value)
    said = value if isinstance(value, dict) else {"value": value}
    written = said.get("value")
    if isinstance(written, bool | list | dict) or written in _NO_NUMBERS:
        raise NotTaken(Reason.UNREADABLE_PART)
    digits = text(written)
    unit = text(said.get("unit")) or text(said.get("code"))
    if not digits:
        rendered = _rendered(value)
        return Value(kind=ValueKind.TEXT, text=rendered, unit=unit) if rendered else None
    comparator = text(said.get("comparator"))
    shown = f"{comparator}{digits}"
    found = number(digits)
    if found is not None:
        shown = _spelled(_rendered(value), comparator, found) or shown
    if found is None or (comparator and comparator not in _COMPARATORS):
        return Value(kind=ValueKind.TEXT, text=shown, unit=unit)
    return Value(
        kind=ValueKind.QUANTITY, text=shown, number=found, comparator=comparator, unit=unit
    )


def _rendered(value: Any) -> str:
    """How the sender showed a value to people, where that is said (FHIR's rendered-value)."""
    return long_text(extension(value, RENDERED).get("valueString"))


def _spelled(rendered: str, comparator: str, found: Decimal) -> str:
    """The same number as it was spelled; another one is not believed."""
    digits = rendered.removeprefix(comparator).strip()
    return rendered if number(digits.lstrip("+")) == found else ""


def _coded(value: Any) -> Value | None:
    name = concept(value).name
    return Value(kind=ValueKind.CODED, text=name) if name else None


def _plain(value: Any) -> Value | None:
    if isinstance(value, bool):
        return Value(kind=ValueKind.TEXT, text="true" if value else "false")
    if isinstance(value, list | dict):
        raise NotTaken(Reason.UNREADABLE_PART)
    shown = long_text(value)
    return Value(kind=ValueKind.TEXT, text=shown) if shown else None


def _time(value: Any) -> Value | None:
    shown = text(value)
    return Value(kind=ValueKind.TIME, text=shown) if shown else None


def _period(value: Any) -> Value | None:
    start, end = text(fields(value).get("start")), text(fields(value).get("end"))
    shown = f"{start} - {end}".strip(" -") or _rendered(value)
    return Value(kind=ValueKind.TIME, text=shown) if shown else None


def _range(value: Any) -> Value | None:
    low, high = _quantity(fields(value).get("low")), _quantity(fields(value).get("high"))
    unit = (high.unit if high else "") or (low.unit if low else "")
    shown = _between(_digits(low), _digits(high), "-") or _rendered(value)
    return Value(kind=ValueKind.RANGE, text=shown, unit=unit) if shown else None


def _digits(end: Value | None) -> str:
    return end.text if end and end.number is not None else ""


def _between(low: str, high: str, dash: str) -> str:
    if low and high:
        return f"{low}{dash}{high}"
    return f">={low}" if low else f"<={high}" if high else ""


def _ratio(value: Any) -> Value | None:
    parts = [_quantity(fields(value).get(name)) for name in ("numerator", "denominator")]
    if not all(parts):
        rendered = _rendered(value)
        return Value(kind=ValueKind.RATIO, text=rendered) if rendered else None
    shown = ":".join(f"{part.text} {part.unit}".strip() for part in parts if part)
    return Value(kind=ValueKind.RATIO, text=shown)


_READERS: Final[dict[str, Callable[[Any], Value | None]]] = {
    "valueQuantity": _quantity,
    "valueCodeableConcept": _coded,
    "valueString": _plain,
    "valueInteger": _quantity,
    "valueDecimal": _quantity,
    "valueBoolean": _plain,
    "valueRange": _range,
    "valueRatio": _ratio,
    "valueDateTime": _time,
    "valueDate": _time,
    "valueTime": _time,
    "valueInstant": _time,
    "valuePeriod": _period,
    "valueCode": _plain,
    "valueMarkdown": _plain,
}


def value_of(said: Json) -> Value | None:
    """What an observation or a component says; its reason for saying nothing; None for neither."""
    found = _value_of(said)
    unit = text(extension(said, UNIT).get("valueString")) if "extension" in said else ""
    return replace(found, unit=unit) if found and unit and not found.unit else found


def _value_of(said: Json) -> Value | None:
    found = _quantity(said["valueQuantity"]) if "valueQuantity" in said else None
    if found:
        return found
    unknown = ""
    for name in said:
        if name.startswith("value"):
            read = _READERS.get(name)
            if read is None:
                unknown = name.removeprefix("value")
            elif found := read(said[name]):
                return found
    if unknown:
        raise NotTaken(Reason.NOT_SUPPORTED, unknown)
    return _absent(said)


def _absent(said: Json) -> Value | None:
    reason = name_of(said.get("dataAbsentReason"))
    if not reason:
        values = (said[name] for name in said if name.startswith(("value", "_value")))
        reason = next(filter(None, map(_absent_extension, values)), "")
    return Value(kind=ValueKind.ABSENT, text=reason) if reason else None


def _absent_extension(value: Any) -> str:
    for one in each(fields(value).get("extension")):
        if text(fields(one).get("url")).endswith("/data-absent-reason"):
            return text(fields(one).get("valueCode")) or "unknown"
    return ""


def ranges_of(said: Json) -> tuple[ReferenceRange, ...]:
    """The laboratory's ranges; one for another purpose than telling normal has no ends to draw."""
    return tuple(filter(None, map(_reference_range, each(said.get("referenceRange")))))


def _reference_range(value: Any) -> ReferenceRange | None:
    if isinstance(value, str):
        return ReferenceRange(text=text(value)) if text(value) else None
    said = fields(value)
    low, low_text, low_unit = _end(said.get("low"))
    high, high_text, high_unit = _end(said.get("high"))
    shown = text(said.get("text"))
    if not shown and (low_text or high_text):
        shown = f"{_between(low_text, high_text, ' - ')} {high_unit or low_unit}".strip()
    purpose = concept(said.get("type"))
    if not {purpose.name, *(code.code for code in purpose.codes)} & _USUAL_RANGES:
        low = high = None
        shown = f"{purpose.name}: {shown}"
    if conditions := ", ".join(_conditions(said)):
        shown = f"{shown} ({conditions})"
    if not shown:
        return None
    return ReferenceRange(low=low, high=high, text=shown)


def _end(value: Any) -> tuple[Decimal | None, str, str]:
    said = value if isinstance(value, dict) else {"value": value}
    written = text(said.get("value"))
    return number(written), written, text(said.get("unit")) or text(said.get("code"))


def _conditions(said: Json) -> Iterator[str]:
    """Whom a range is for, where the laboratory says so."""
    for value in each(said.get("appliesTo")):
        if name := name_of(value):
            yield name
    if age := _range(said.get("age")):
        yield f"age {age.text} {age.unit}".strip()


def flags_of(said: Json) -> tuple[str, ...]:
    """The interpretations, most severe first."""
    found = (flag for flag in _interpretations(said) if len(flag) <= _LONGEST_FLAG)
    return tuple(sorted(dict.fromkeys(found), key=_rank))


def remarks_of(said: Json) -> list[str]:
    """The interpretations that are sentences."""
    return [flag for flag in _interpretations(said) if len(flag) > _LONGEST_FLAG]


def _interpretations(said: Json) -> Iterator[str]:
    for value in each(said.get("interpretation")):
        found = concept(value)
        flag = next((code.code for code in found.codes if "nterpretation" in code.system), "")
        flag = flag or (found.codes[0].code if found.codes else found.name)
        if flag:
            yield flag


def _rank(flag: str) -> int:
    if flag in _SEVERITY:
        return _SEVERITY.index(flag)
    return len(_SEVERITY) + (flag in _UNREMARKABLE)
