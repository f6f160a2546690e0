"""What a chart's pages say: dates, values, flags and sizes in words."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime

from libs.contracts.messaging.mailbox import Letter
from libs.contracts.records.exports import Kind, Selection
from libs.contracts.records.health import Flag, Status
from services.records.domain.chart import Chart, Measured
from services.records.domain.document import Document
from services.records.domain.result import Precision

LOCALE = "en_US"
FLAGS = {
    Flag.LOW: "Low",
    Flag.HIGH: "High",
    Flag.VERY_LOW: "Very low",
    Flag.VERY_HIGH: "Very high",
    Flag.ABNORMAL: "Not as expected",
    Flag.NORMAL: "In range",
    Flag.UNKNOWN: "",
}
STANDING = {
    Status.PRELIMINARY: "Preliminary",
    Status.CORRECTED: "Corrected",
    Status.CANCELLED: "Cancelled",
}
NAMES = {Kind.LABS: "lab results", Kind.DOCUMENTS: "documents", Kind.MESSAGES: "messages"}


def day(on: date) -> str:
    """14 November 2026"""
    return format_date(on, "d MMMM y", locale=LOCALE)


def moment(at: datetime, zone: ZoneInfo) -> str:
    """14 November 2026, 4:15 PM"""
    return format_datetime(at.astimezone(zone), "d MMMM y, h:mm a", locale=LOCALE).replace(
        "\u202f", " "
    )


def collected(one: Measured, zone: ZoneInfo) -> str:
    """When a result was collected, no more exact than it is known."""
    if one.collected_at is None:
        return "No date"
    at = one.collected_at.astimezone(zone if one.zoned else UTC)
    match one.precision:
        case Precision.YEAR:
            return f"{one.collected_at.astimezone(UTC).year}"
        case Precision.MONTH:
            return format_date(one.collected_at.astimezone(UTC).date(), "MMMM y", locale=LOCALE)
        case Precision.DAY:
            return day(one.collected_at.astimezone(UTC).date())
        case _:
            return moment(at, zone) if one.zoned else moment(at.replace(tzinfo=zone), zone)


def dated(document: Document, zone: ZoneInfo) -> str:
    """What a document is dated to."""
    if document.dated is None:
        return f"Added {day(document.day_in(zone))}"
    match document.precision:
        case Precision.YEAR:
            return f"{document.dated.year}"
        case Precision.MONTH:
            return format_date(document.dated, "MMMM y", locale=LOCALE)
        case _:
            return day(document.dated)


def value(one: Measured) -> str:
    """3.1 g/dL"""
    return f"{one.value} {one.unit}".strip() or "No value"


def flag(one: Measured) -> str:
    return FLAGS[one.flag]


def standing(one: Measured) -> str:
    """What is said of a result that is not simply final."""
    return STANDING.get(one.status, "")


def before(one: Measured, zone: ZoneInfo) -> list[str]:
    """What it said before it was corrected: "3.4 g/dL until 2 May 2026"."""
    return [
        f"{f'{was.value} {was.unit}'.strip()} until {day(was.corrected_at.astimezone(zone).date())}"
        for was in one.before
    ]


def size(count: int) -> str:
    """182 KB"""
    kilo = 1000
    if count < kilo:
        return f"{count} bytes"
    if count < kilo * kilo:
        return f"{round(count / kilo)} KB"
    return f"{count / kilo / kilo:.1f} MB"


def sender(letter: Letter, chart: Chart) -> str:
    """Ana Ruiz for Rosa Alvarez"""
    if letter.on_behalf:
        return f"{letter.author} for {person(chart)}"
    return letter.author or ("The practice" if letter.from_practice else person(chart))


def person(chart: Chart) -> str:
    return f"{chart.person.given} {chart.person.family}"


def period(selection: Selection) -> str:
    """1 March 2026 to 3 March 2026"""
    start, end = selection.start, selection.end
    if start and end:
        return day(start) if start == end else f"{day(start)} to {day(end)}"
    if start:
        return f"From {day(start)}"
    return f"Up to {day(end)}" if end else "All dates"


def counts(chart: Chart) -> str:
    """41 lab results, 17 documents"""
    amounts = {
        Kind.LABS: len(chart.results),
        Kind.DOCUMENTS: len(chart.documents),
        Kind.MESSAGES: len(chart.messages),
    }
    return ", ".join(
        f"{amounts[kind]} {NAMES[kind][:-1] if amounts[kind] == 1 else NAMES[kind]}"
        for kind in Kind
        if kind in chart.selection.kinds
    )
