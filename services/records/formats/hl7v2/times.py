"""HL7 times: `YYYY[MM[DD[HH[MM[SS[.S]]]]]][+ZZZZ]`, and the other ways they are written."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from services.records.domain.result import Moment, Precision

_LONGEST_TIME = 40
_ZONE_LIMIT = timedelta(hours=15)
_HL7 = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d\d)(?:(?P<day>\d\d)(?:(?P<hour>\d\d)(?:(?P<minute>\d\d)"
    r"(?:(?P<second>\d\d)(?:\.?(?P<fraction>\d{1,9}))?)?)?)?)?)?\s?(?P<zone>[+-]\d{3,4}|Z)?"
)
_ISO = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?:[T ](?P<hour>\d\d):(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?\s?(?P<zone>[+-]\d\d:?\d\d|Z)?)?"
)
_WORDS = re.compile(r"(?P<month>[A-Za-z]{3})[a-z]{0,6}\.? (?P<day>\d{1,2}),? (?P<year>\d{4})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = re.compile(r"(\d\d)(\d\d)(?:(\d\d)(\.\d{1,4})?)?([+-]\d{4})?")
_LAST_SECOND = 59


@lru_cache(maxsize=256)
def moment(written: str) -> Moment | None:
    """The moment that was written, or None where it is none: "unknown", the 35th of the month."""
    parts = _parts(written)
    if parts is None:
        return None
    try:
        at = datetime(
            int(parts["year"]),
            int(parts["month"] or 1),
            int(parts["day"] or 1),
            int(parts["hour"] or 0),
            int(parts["minute"] or 0),
            min(int(parts["second"] or 0), _LAST_SECOND),
            int((parts["fraction"] or "").ljust(6, "0")[:6]),
            tzinfo=UTC,
        )
        offset = _offset(parts["zone"])
        return Moment(at=at - offset, precision=_precision(parts), zoned=bool(parts["zone"]))
    except (ValueError, OverflowError):
        return None


def day(written: str) -> date | None:
    """The calendar day that was written, whatever the zone; None if less than a day was."""
    found = moment(written)
    if found is None or found.precision in {Precision.YEAR, Precision.MONTH}:
        return None
    parts = _parts(written)
    return date(int(parts["year"]), int(parts["month"]), int(parts["day"])) if parts else None


def readable(written: str) -> str:
    """A time as a person reads it, to the precision and in the zone that it was written in."""
    parts = _parts(written)
    if parts is None or moment(written) is None:
        return written
    text = "-".join(part for part in (parts["year"], parts["month"], parts["day"]) if part)
    if parts["hour"]:
        text += f" {parts['hour']}:{parts['minute'] or '00'}"
        text += f":{parts['second']}" if parts["second"] else ""
        text += f" {parts['zone']}" if parts["zone"] else ""
    return text


def readable_clock(written: str) -> str:
    """A time of day as a person reads it: `1430` is 14:30."""
    clock = _CLOCK.fullmatch(written.strip()[:_LONGEST_TIME])
    if clock is None:
        return written
    hour, minute, second, fraction, zone = clock.groups(default="")
    return f"{hour}:{minute}" + (f":{second}{fraction}" if second else "") + f" {zone}".rstrip()


def _parts(written: str) -> dict[str, str] | None:
    text = written.strip()
    if len(text) > _LONGEST_TIME or not text.isascii():
        return None
    if match := _HL7.fullmatch(text) or _ISO.fullmatch(text):
        return match.groupdict(default="")
    if match := _WORDS.fullmatch(text):
        named = match["month"].lower()
        if named in _MONTHS:
            month = f"{_MONTHS.index(named) + 1:02}"
            written_parts = {"year": match["year"], "month": month, "day": match["day"].zfill(2)}
            return (
                dict.fromkeys(("hour", "minute", "second", "fraction", "zone"), "") | written_parts
            )
    return None


def _offset(zone: str) -> timedelta:
    if zone in {"", "Z"}:
        return timedelta()
    digits = zone[1:].replace(":", "").zfill(4)
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if offset > _ZONE_LIMIT:
        raise ValueError("no such zone")
    return offset if zone[0] == "+" else -offset


def _precision(parts: dict[str, str]) -> Precision:
    for part, precision in (
        ("hour", Precision.INSTANT),
        ("day", Precision.DAY),
        ("month", Precision.MONTH),
    ):
        if parts[part]:
            return precision
    return Precision.YEAR
