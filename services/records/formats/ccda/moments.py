"""HL7 times: `2012`, `20120806`, `201208060931-0500`, `20170726144821.807-0400`, and ISO 8601."""

import re
from datetime import UTC, date, datetime, timedelta

from services.records.domain.result import Moment, Precision
from services.records.formats.ccda.tree import Element, attribute, first

_ZONE = r"(?P<zone>Z|[+-]\d{2}:?\d{2}|[+-]\d{1,3})?"
_ISO = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)(?:-(?P<day>\d\d)(?:[T ](?P<hour>\d\d):(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?:\.(?P<fraction>\d+))?)?)?)?\s*" + _ZONE,
    re.ASCII,
)
_HL7 = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d\d)(?:(?P<day>\d\d)(?:(?P<hour>\d\d)(?:(?P<minute>\d\d)"
    r"(?:(?P<second>\d\d)(?:\.(?P<fraction>\d+))?)?)?)?)?)?\s*" + _ZONE,
    re.ASCII,
)
_WIDEST_ZONE = timedelta(hours=14)


def written(element: Element | None) -> str:
    """The time that an element gives, as it is written: a point, or else a period's beginning."""
    if element is None:
        return ""
    of_a_period = (attribute(first(element, end), "value") for end in ("center", "low", "high"))
    return attribute(element, "value") or next(filter(None, of_a_period), "")


def moment(text: str) -> Moment | None:
    """The point in time that is written; None where it makes none.

    A time to the day or coarser has no zone, whatever is written behind it: it is that day.
    """
    found = _ISO.fullmatch(text) or _HL7.fullmatch(text)
    if not found:
        return None
    part = found.groupdict()
    try:
        at = datetime(
            int(part["year"]),
            int(part["month"] or 1),
            int(part["day"] or 1),
            int(part["hour"] or 0),
            int(part["minute"] or 0),
            min(int(part["second"] or 0), 59),  # a leap second
            int((part["fraction"] or "").ljust(6, "0")[:6]),
            tzinfo=UTC,
        )
        if not part["hour"]:
            return Moment(at=at, precision=_precision(part), zoned=False)
        zone = _offset(part["zone"] or "")
        return Moment(at=at - zone, precision=Precision.INSTANT, zoned=bool(part["zone"]))
    except (ValueError, OverflowError):
        return None


def day(text: str) -> date | None:
    """The day that is written, in whatever zone; None where it is no whole date."""
    found = _ISO.fullmatch(text) or _HL7.fullmatch(text)
    if not found or not found["day"]:
        return None
    try:
        return date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        return None


def iso(text: str) -> str:
    """A time as ISO 8601 writes it, no more exact than it was written; as it was if it is none."""
    found = _HL7.fullmatch(text)
    if not found or moment(text) is None:
        return text
    time = ":".join(filter(None, found.group("hour", "minute", "second")))
    zone = found["zone"] or ""
    return "-".join(filter(None, found.group("year", "month", "day"))) + (
        f" {time} {zone}".rstrip() if time else ""
    )


def _precision(part: dict[str, str | None]) -> Precision:
    if part["day"]:
        return Precision.DAY
    return Precision.MONTH if part["month"] else Precision.YEAR


def _offset(zone: str) -> timedelta:
    digits = zone[1:].replace(":", "")
    if not digits:
        return timedelta(0)
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > len("00") else (digits, "0")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    if int(minutes) >= 60 or offset > _WIDEST_ZONE:  # noqa: PLR2004 - minutes of an hour
        raise ValueError(zone)
    return offset if zone[0] == "+" else -offset
