"""Laboratory results in words and shapes: what a row, a sentence and a chart say of a test."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from gateway import charts
from gateway.charts import NO_BAND, Band, Mark, Point, Strip, Trend
from gateway.wording import clock, known, local, local_day, month
from libs.contracts.records.health import Flag, Range, Result, Status, Test
from libs.contracts.records.moments import Precision

LONG = 60
"""Characters; a longer value is a text to read, not a value to compare."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A flag: a word, the shape beside it, and how loud it is."""

    text: str
    icon: str
    tone: str


FLAGS = {
    Flag.LOW: Word(text="Low", icon="low", tone="warn"),
    Flag.HIGH: Word(text="High", icon="high", tone="warn"),
    Flag.VERY_LOW: Word(text="Very low", icon="low", tone="warn strong"),
    Flag.VERY_HIGH: Word(text="Very high", icon="high", tone="warn strong"),
    Flag.ABNORMAL: Word(text="Not as expected", icon="other", tone="warn"),
    Flag.NORMAL: Word(text="In range", icon="check", tone="ok"),
}
AS_EXPECTED = Word(text="As expected", icon="check", tone="ok")
"""For what is no number, or has no range to be in."""
MARKS = {
    Flag.LOW: Mark.BELOW,
    Flag.VERY_LOW: Mark.BELOW,
    Flag.HIGH: Mark.ABOVE,
    Flag.VERY_HIGH: Mark.ABOVE,
    Flag.ABNORMAL: Mark.OTHER,
}
WHERE = {Mark.BELOW: "below", Mark.ABOVE: "above", Mark.IN: "within"}
STANDING = {
    Status.PRELIMINARY: "Preliminary",
    Status.CORRECTED: "Corrected",
    Status.CANCELLED: "Cancelled",
}
"""What is not simply final is said."""


class Line(NamedTuple):
    """One result, as the history lists it."""

    collected: str
    value: str
    long: bool
    """A text to read, in lines of its own."""
    flag: Word | None
    range: str
    standing: str
    corrections: tuple[tuple[str, str], ...]
    """What it said before, and when that was corrected."""
    result: Result
    number: float | None
    band: Band


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One test: its latest result, and its history."""

    test: Test
    anchor: str
    latest: Line
    strip: Strip | None
    sentence: str
    lines: tuple[Line, ...]
    trend: Trend | None
    caption: str
    bounds: bool
    """Some of the dots only mark a limit."""
    several_ranges: bool
    notes: tuple[str, ...]


def groups(tests: Iterable[Test], zone: str) -> dict[str, list[Row]]:
    """The tests by their group, in the order in which the groups first came."""
    found: dict[str, list[Row]] = {}
    for test in tests:
        found.setdefault(test.group, []).append(row(test, zone))
    return found


def row(test: Test, zone: str) -> Row:
    """All that the page says about one test."""
    results = test.history or (test.latest,)
    days = [_collected(result, zone) for result in results]
    lines = [_line(result, day, zone) for result, day in zip(results, days, strict=True)]
    found = (line for line in lines if line.result.result_id == test.latest.result_id)
    latest = next(found, None) or _line(test.latest, _collected(test.latest, zone), zone)
    points = _points(lines, zone)
    return Row(
        test=test,
        anchor=f"test-{test.key}",
        latest=latest,
        strip=_strip(latest),
        sentence=sentence(latest, lines),
        lines=_with_times(lines, days, zone),
        trend=charts.trend(points) if points else None,
        caption=_caption(test, points),
        bounds=any(point.bound for point in points),
        several_ranges=len({line.range for line in lines}) > 1,
        notes=_notes(test.latest),
    )


def _line(result: Result, collected: str, zone: str) -> Line:
    value, band, number = _value(result), _band(result.range), _drawn(result.number)
    said = range_text(result.range, band)
    return Line(
        collected=collected,
        value=value,
        long=len(value) > LONG or "\n" in value,
        flag=AS_EXPECTED
        if result.flag is Flag.NORMAL and (number is None or not said)
        else FLAGS.get(result.flag),
        range=said,
        standing=STANDING.get(result.status, ""),
        corrections=tuple(
            (_unlike(was.value, was.unit, result.unit), local_day(was.corrected_at, zone))
            for was in result.earlier
        ),
        result=result,
        number=number,
        band=band,
    )


def _with_times(lines: list[Line], days: list[str], zone: str) -> tuple[Line, ...]:
    """Two results of one day are told apart by their time."""
    if len(set(days)) == len(days):
        return tuple(lines)
    often = Counter(days)
    return tuple(
        line._replace(
            collected=f"{line.collected}, "
            f"{clock(line.result.collected_at, zone if line.result.zoned else 'UTC')}"
        )
        if often[line.collected] > 1
        and line.result.collected_at
        and line.result.precision is Precision.INSTANT
        else line
        for line in lines
    )


def _unlike(value: str, unit: str, usual: str) -> str:
    """A value with its unit, if that is not the usual one."""
    return value if unit == usual else f"{value} {unit}".strip()


def _value(result: Result) -> str:
    if result.kind == "absent":
        return f"No value: {result.value}" if result.value else "No value"
    return result.value or "No value"


def _collected(result: Result, zone: str) -> str:
    return known(result.collected_at, result.precision, zoned=result.zoned, zone=zone)


def _band(given: Range | None) -> Band:
    if given is None:
        return NO_BAND
    low, high = given.low, given.high
    return Band(
        _drawn(low),
        _drawn(high),
        str(low),
        str(high),
    )


def range_text(given: Range | None, band: Band) -> str:
    """3.5–5.0, up to 30, 60 or more; and just as it was written where it is no range of numbers."""
    if given is None:
        return ""
    if not band.drawable:
        return given.text
    if band.low is None:
        return f"up to {band.high_text}"
    if band.high is None:
        return f"{band.low_text} or more"
    return f"{band.low_text}–{band.high_text}"


def _strip(line: Line) -> Strip | None:
    mark = MARKS.get(line.result.flag, Mark.IN)
    return None if line.number is None else charts.strip(line.number, line.band, mark)


def _drawn(number: Decimal | None) -> float | None:
    """A number as far as it can be drawn at all."""
    drawn = math.inf if number is None else float(number)
    return drawn if math.isfinite(drawn) else None


def _points(lines: Iterable[Line], zone: str) -> list[Point]:
    """What of a history can be drawn, oldest first: numbers that have a date and still stand."""
    points = [
        Point(
            local(line.result.collected_at, zoned=line.result.zoned, zone=zone),
            line.number,
            line.result.value,
            MARKS.get(line.result.flag, Mark.IN),
            bool(line.result.comparator),
            line.band,
        )
        for line in lines
        if line.number is not None
        and line.result.collected_at is not None
        and line.result.status is not Status.CANCELLED
    ]
    return sorted(points, key=lambda point: point.at)


def sentence(latest: Line, lines: Iterable[Line]) -> str:
    """The latest result in plain words, and the one before it."""
    said = [_says(latest)]
    if latest.result.status is Status.PRELIMINARY:
        said.append("This is preliminary and can still change.")
    if latest.corrections:
        value, on = latest.corrections[0]
        said.append(f"It was corrected on {on}. Before that it said {_part(value)}.")
    others = (
        line for line in lines if line is not latest and line.result.status is not Status.CANCELLED
    )
    if before := next(others, None):
        said.append(_before(latest, before))
    return " ".join(part for part in said if part)


def _says(line: Line) -> str:
    """3.1 g/dL, below the lab's range of 3.5–5.0."""
    result = line.result
    if result.status is Status.CANCELLED:
        return "The lab cancelled this test."
    if result.kind == "absent":
        reason = f" Its reason: {_part(result.value)}." if result.value else ""
        return f"The lab gave no value.{reason}"
    if line.long:
        return f"The lab answered in words, which are below.{_marked(line)}"
    value = _part(f"{result.value} {result.unit}".strip())
    if not line.range:
        return f"{value}.{_marked(line)}"
    where = WHERE.get(MARKS.get(result.flag, Mark.IN))
    if where is None or line.number is None or not line.band.drawable:
        return f"{value}. The lab's range: {line.range}.{_marked(line)}"
    loud = _marked(line) if result.flag in (Flag.VERY_LOW, Flag.VERY_HIGH) else ""
    return f"{value}, {where} the lab's range of {line.range}.{loud}"


def _part(value: str) -> str:
    """A value as a part of a sentence, without a full stop of its own."""
    return value.rstrip(".")


def _marked(line: Line) -> str:
    return f" The lab marked it “{line.flag.text.lower()}”." if line.flag else ""


def _before(latest: Line, before: Line) -> str:
    """It was 3.4 on 2 May 2026."""
    was, is_ = before.result, latest.result
    if was.collected_at is None or before.long:
        return ""
    same = was.value == is_.value and was.unit == is_.unit
    value = "was the same" if same else _was(before, is_.unit)
    to_the_day = was.precision in (Precision.DAY, Precision.INSTANT)
    return f"It {value} {'on' if to_the_day else 'in'} {before.collected}."


def _was(before: Line, unit: str) -> str:
    """was 3.4; or, for words, said “No growth”"""
    value = _part(_unlike(before.value, before.result.unit, unit))
    return f"said “{value}”" if before.result.kind == "text" else f"was {value}"


def _caption(test: Test, points: Sequence[Point]) -> str:
    """Hemoglobin, March 2024 to November 2026, in g/dL"""
    said = test.name
    if points:
        first, last = month(points[0].at.date()), month(points[-1].at.date())
        said += f", {first}" if first == last else f", {first} to {last}"
    return f"{said}, in {test.unit}" if test.unit else said


def _notes(result: Result) -> tuple[str, ...]:
    """Where a result came from, as far as the lab says."""
    said = (
        ("Status", {Status.FINAL: "final"}.get(result.status, "")),
        ("Sample", result.specimen),
        ("Tested by", result.performer),
        ("Ordered by", result.orderer),
    )
    return tuple(f"{name}: {text}" for name, text in said if text)
