"""Dates, times, numbers and sizes as a page says them."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from pathlib import PurePath
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date, format_time
from babel.numbers import format_decimal

from libs.contracts.records.moments import Precision

LOCALE = "en_US"
KILOBYTE = 1000
FILE_TYPES = {
    "application/pdf": "PDF",
    "application/cda+xml": "Medical summary",
    "application/rtf": "Text",
    "text/rtf": "Text",
    "text/plain": "Text",
    "text/html": "Web page",
    "text/csv": "Table",
    "application/json": "Data",
    "application/xml": "Data",
    "text/xml": "Data",
    "application/fhir+json": "Data",
    "application/zip": "Archive",
    "application/dicom": "Scan",
    "application/msword": "Word",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word",
    "application/vnd.ms-excel": "Excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel",
}
FAMILIES = {"image": "Image", "video": "Video", "audio": "Sound", "text": "Text"}


@lru_cache(maxsize=512)
def zone_named(name: str) -> tzinfo:
    """A practice's time zone; UTC for a name that the world no longer knows."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


@lru_cache(maxsize=8192)
def day(on: date) -> str:
    """14 November 2026"""
    return format_date(on, "d MMMM y", locale=LOCALE)


@lru_cache(maxsize=8192)
def day_and_month(on: date) -> str:
    """14 Nov"""
    return format_date(on, "d MMM", locale=LOCALE)


@lru_cache(maxsize=2048)
def month(on: date) -> str:
    """November 2026"""
    return format_date(on, "MMMM y", locale=LOCALE)


@lru_cache(maxsize=2048)
def short_month(on: date) -> str:
    """Nov 2026"""
    return format_date(on, "MMM y", locale=LOCALE)


def local_day(at: datetime, zone: str) -> str:
    """14 November 2026, where the practice is"""
    return day(at.astimezone(zone_named(zone)).date())


def clock(at: datetime, zone: str) -> str:
    """4:15 pm, where the practice is"""
    return _clock(at.astimezone(zone_named(zone)))


def _clock(local: datetime) -> str:
    return format_time(local, "h:mm a", locale=LOCALE).replace("\u202f", " ").lower()


def last_day(over: datetime, zone: str) -> str:
    """The last day of what is over at this moment: the day before, unless it is over within one."""
    return day(last_day_of(over, zone))


def last_day_of(over: datetime, zone: str) -> date:
    """The same as a date."""
    return (over - timedelta(microseconds=1)).astimezone(zone_named(zone)).date()


def moment(at: datetime, zone: str) -> str:
    """14 November 2026, 4:15 pm, where the practice is"""
    local = at.astimezone(zone_named(zone))
    return f"{day(local.date())}, {_clock(local)}"


def written_moment(at: str, zone: str) -> str:
    """The same for a moment that came as text; what is no moment stays as it is."""
    try:
        return moment(datetime.fromisoformat(at), zone)
    except ValueError:
        return at


def local(at: datetime, *, zoned: bool, zone: str) -> datetime:
    """As a clock on the wall showed it: one that came without a zone is kept as it was written."""
    return at.astimezone(zone_named(zone) if zoned else UTC)


def known(at: datetime | None, precision: Precision, *, zoned: bool, zone: str) -> str:
    """A date no more exact than it was written: "14 November 2026", "March 2019", "2019"."""
    if at is None:
        return "No date"
    on = local(at, zoned=zoned, zone=zone).date()
    if precision is Precision.YEAR:
        return str(on.year)
    if precision is Precision.MONTH:
        return month(on)
    return day(on)


def size(count: int) -> str:
    """182 KB"""
    if count < KILOBYTE:
        return amount(count, "byte")
    kilobytes, unit = count / KILOBYTE, "KB"
    for larger in ("MB", "GB"):
        if round(kilobytes) >= KILOBYTE:
            kilobytes, unit = kilobytes / KILOBYTE, larger
    digits = "0.#" if kilobytes < 10 and unit != "KB" else "0"  # noqa: PLR2004
    return f"{format_decimal(kilobytes, format=digits, locale=LOCALE)} {unit}"


def number(count: int) -> str:
    """1,204"""
    return f"{count:,}"


def amount(count: int, thing: str, things: str = "") -> str:
    """1 result, 8 results, 1,204 results"""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"


def file_type(media_type: str, file_name: str = "") -> str:
    """PDF"""
    media_type = media_type.partition(";")[0].strip().lower()
    if known_type := FILE_TYPES.get(media_type):
        return known_type
    if family := FAMILIES.get(media_type.partition("/")[0]):
        return family
    ending = PurePath(file_name).suffix.lstrip(".")
    return ending.upper() if re.fullmatch(r"[A-Za-z0-9]{1,5}", ending) else "File"


def initials(name: str) -> str:
    """RA for Rosa Alvarez"""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def telephone(number_as_written: str) -> str:
    """The address of a telephone number: tel:+17205550142 for (720) 555-0142"""
    digits = re.sub(r"[^\d+]", "", number_as_written)
    if re.fullmatch(r"\d{10}", digits, re.ASCII):
        digits = f"+1{digits}"
    return f"tel:{digits}"


def listed(things: Iterable[str]) -> str:
    """one, two and three"""
    *others, last = list(things) or [""]
    return f"{', '.join(others)} and {last}" if others else last


def hour(of_day: int) -> str:
    """9 pm"""
    return f"{of_day % 12 or 12} {'am' if of_day < 12 else 'pm'}"  # noqa: PLR2004


def about(category: str) -> str:
    """What a conversation is about: Prescription (Rx)"""
    return {"rx": "Prescription (Rx)", "health": "Health question"}[category]


def usual_time(hours: int) -> str:
    """We usually answer within 2 days."""
    days, rest = divmod(hours, 24)
    span_ = amount(hours, "hour") if rest or days <= 1 else amount(days, "day")
    return f"We usually answer within {span_}."


def span(since: datetime, until: datetime) -> str:
    """1 day 6 h"""
    minutes = max(0, int((until - since).total_seconds()) // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{amount(days, 'day')} {hours} h" if hours else amount(days, "day")
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def lines(text: str) -> list[list[str]]:
    """The paragraphs of a message, each line by line."""
    return [part.split("\n") for part in re.split(r"\n\s*\n", text) if part.strip()]
