"""Laboratory results in words and shapes: what a row, a sentence and a chart say of a test."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gateway import charts
from gateway.charts import Band, Mark, Point, Strip, Trend
from gateway.wording import clock, known, local, local_day, month
from libs.contracts.records import Flag, Precision, Range, Result, Status, Test

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One result, as the history lists it."""

    result: Result
    value: str
    long: bool
    flag: Word | None
    range: str
    collected: str
    standing: str
    corrections: tuple[tuple[str, str], ...]
    """What it said before, and when that was corrected."""


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
    history = test.history or (test.latest,)
    lines = _lines(history, zone)
    points = _points(history, zone)
    return Row(
        test=test,
        anchor=f"test-{test.key}",
        latest=_line(test.latest, _collected(test.latest, zone), zone),
        strip=_strip(test.latest),
        sentence=sentence(test, zone),
        lines=lines,
        trend=charts.trend(points) if points else None,
        caption=_caption(test, points),
        bounds=any(point.bound for point in points),
        several_ranges=len({line.range for line in lines}) > 1,
        notes=_notes(test.latest),
    )


def _lines(history: Sequence[Result], zone: str) -> tuple[Line, ...]:
    """Each result with its day; two of one day are told apart by their time."""
    days = [_collected(result, zone) for result in history]
    often = Counter(days)
    lines = []
    for result, day in zip(history, days, strict=True):
        collected = day
        if often[day] > 1 and result.collected_at and result.precision is Precision.INSTANT:
            collected += f", {clock(result.collected_at, zone if result.zoned else 'UTC')}"
        lines.append(_line(result, collected, zone))
    return tuple(lines)


def _line(result: Result, collected: str, zone: str) -> Line:
    value = _value(result)
    return Line(
        result=result,
        value=value,
        long=len(value) > LONG or "\n" in value,
        flag=_flag(result),
        range=range_text(result.range),
        collected=collected,
        standing=STANDING.get(result.status, ""),
        corrections=tuple(
            (_unlike(was.value, was.unit, result.unit), local_day(was.corrected_at, zone))
            for was in result.earlier
        ),
    )


def _unlike(value: str, unit: str, usual: str) -> str:
    """A value with its unit, if that is not the usual one."""
    return value if unit == usual else f"{value} {unit}".strip()


def _value(result: Result) -> str:
    if result.kind == "absent":
        return f"No value: {result.value}" if result.value else "No value"
    return result.value or "No value"


def _flag(result: Result) -> Word | None:
    if result.flag is Flag.NORMAL and (result.number is None or not range_text(result.range)):
        return AS_EXPECTED
    return FLAGS.get(result.flag)


def _collected(result: Result, zone: str) -> str:
    return known(result.collected_at, result.precision, zoned=result.zoned, zone=zone)


def _band(given: Range | None) -> Band:
    if given is None:
        return Band()
    low, high = given.low, given.high
    return Band(
        low=float(low) if low is not None and low.is_finite() else None,
        high=float(high) if high is not None and high.is_finite() else None,
        low_text=str(low),
        high_text=str(high),
    )


def range_text(given: Range | None) -> str:
    """3.5–5.0, up to 30, 60 or more; and just as it was written where it is no range of numbers."""
    if given is None:
        return ""
    if not _band(given).drawable:
        return given.text
    if given.low is None:
        return f"up to {given.high}"
    if given.high is None:
        return f"{given.low} or more"
    return f"{given.low}–{given.high}"


def _strip(result: Result) -> Strip | None:
    value = _number(result)
    mark = MARKS.get(result.flag, Mark.IN)
    return None if value is None else charts.strip(value, _band(result.range), mark)


def _number(result: Result) -> float | None:
    if result.number is None or not result.number.is_finite():
        return None
    value = float(result.number)
    return value if math.isfinite(value) else None


def _points(history: Iterable[Result], zone: str) -> list[Point]:
    """What of a history can be drawn, oldest first: numbers that have a date and still stand."""
    points = []
    for result in history:
        value = _number(result)
        if value is None or result.collected_at is None or result.status is Status.CANCELLED:
            continue
        points.append(
            Point(
                at=local(result.collected_at, zoned=result.zoned, zone=zone),
                value=value,
                text=result.value,
                mark=MARKS.get(result.flag, Mark.IN),
                bound=bool(result.comparator),
                band=_band(result.range),
            )
        )
    return sorted(points, key=lambda point: point.at)


def sentence(test: Test, zone: str) -> str:
    """The latest result in plain words, and the one before it."""
    latest = test.latest
    said = [_says(latest)]
    if latest.status is Status.PRELIMINARY:
        said.append("This is preliminary and can still change.")
    if latest.earlier:
        was = latest.earlier[0]
        on = local_day(was.corrected_at, zone)
        said.append(f"It was corrected on {on}. Before that it said {was.value}.")
    before = next((r for r in _others(test) if r.status is not Status.CANCELLED), None)
    if before is not None:
        said.append(_before(latest, before, zone))
    return " ".join(part for part in said if part)


def _others(test: Test) -> Iterator[Result]:
    return (result for result in test.history if result.result_id != test.latest.result_id)


def _says(result: Result) -> str:
    """3.1 g/dL, below the lab's range of 3.5–5.0."""
    if result.status is Status.CANCELLED:
        return "The lab cancelled this test."
    if result.kind == "absent":
        reason = f" Its reason: {result.value}." if result.value else ""
        return f"The lab gave no value.{reason}"
    if len(result.value) > LONG or "\n" in result.value:
        return f"The lab answered in words, which are below.{_marked(result)}"
    value, lab_range = f"{result.value} {result.unit}".strip(), range_text(result.range)
    if not lab_range:
        return f"{value}.{_marked(result)}"
    where = WHERE.get(MARKS.get(result.flag, Mark.IN))
    if where is None or _number(result) is None or not _band(result.range).drawable:
        return f"{value}. The lab's range: {lab_range}.{_marked(result)}"
    loud = _marked(result) if result.flag in (Flag.VERY_LOW, Flag.VERY_HIGH) else ""
    return f"{value}, {where} the lab's range of {lab_range}.{loud}"


def _marked(result: Result) -> str:
    word = _flag(result)
    return f" The lab marked it “{word.text.lower()}”." if word else ""


def _before(latest: Result, before: Result, zone: str) -> str:
    """It was 3.4 on 2 May 2026."""
    if before.collected_at is None or len(before.value) > LONG:
        return ""
    same = before.value == latest.value and before.unit == latest.unit
    value = "the same" if same else _unlike(_value(before), before.unit, latest.unit)
    to_the_day = before.precision in (Precision.DAY, Precision.INSTANT)
    return f"It was {value} {'on' if to_the_day else 'in'} {_collected(before, zone)}."


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
