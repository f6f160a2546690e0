"""FHIR's dates and times, to whatever precision they were written."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from services.records.domain.result import Moment, Precision
from services.records.formats.fhir.elements import each, extension, fields
from services.records.formats.fhir.window import Json

_WRITTEN: Final = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:[Tt ](?P<time>\d\d:\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,20}))?)?"
    r"(?P<zone>[Zz]|[+-]\d\d(?::?\d\d)?)?)?)?)?",
    re.ASCII,
)
UNZONED: Final = "urn:carespace:without-zone"
_LONGEST: Final = 50
_FIELDS: Final = ("effectiveDateTime", "effectiveInstant")


@lru_cache(maxsize=1024)
def _moment(written: str) -> Moment | None:
    found = _WRITTEN.fullmatch(written)
    if found is None:
        return None
    day = f"{found['year']}-{found['month'] or '01'}-{found['day'] or '01'}"
    precision = (
        (Precision.DAY if found["day"] else Precision.MONTH) if found["month"] else Precision.YEAR
    )
    try:
        if found["time"] is None:
            at = datetime.fromisoformat(f"{day}T00:00:00+00:00")
            return Moment(at=at, precision=precision, zoned=False)
        second = min(found["second"] or "00", "59")
        fraction = (found["fraction"] or "0")[:6].ljust(6, "0")
        zone = found["zone"] or "Z"
        at = datetime.fromisoformat(f"{day}T{found['time']}:{second}.{fraction}{zone.upper()}")
        zoned = found["zone"] is not None
        return Moment(at=at.astimezone(UTC), precision=Precision.INSTANT, zoned=zoned)
    except (ValueError, OverflowError):
        return None


def moment(value: Any) -> Moment | None:
    """The point in time that is written here; None where it can't be understood."""
    return _moment(value.strip()) if isinstance(value, str) and len(value) < _LONGEST else None


def _written(resource: Json) -> Iterator[Any]:
    for name in _FIELDS:
        yield resource.get(name)
    period = fields(resource.get("effectivePeriod"))
    yield period.get("end")
    yield period.get("start")
    timing = each(fields(resource.get("effectiveTiming")).get("event"))
    yield timing[-1] if timing else None


def _without_zone(found: Moment, resource: Json) -> Moment:
    """A time that came to its sender without a zone, which FHIR doesn't let anybody write."""
    if extension(resource.get("_effectiveDateTime"), UNZONED):
        return replace(found, zoned=False)
    return found


def collected(resource: Json) -> tuple[Moment | None, bool]:
    """When the specimen was taken: the end of a period; and whether something there is no time."""
    bad = False
    for written in _written(resource):
        if written is not None:
            found = moment(written)
            if found is not None:
                return _without_zone(found, resource), bad
            bad = True
    return None, bad
