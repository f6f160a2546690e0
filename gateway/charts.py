"""Where the marks of the two laboratory drawings stand. Nothing here knows a colour or a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from gateway.wording import day_and_month, short_month

STRIP_WIDTH = 152
STRIP_EDGE = 4
STRIP_BAND = 0.28
"""The range takes the middle of the strip, from this part of its width on."""
STRIP_APART = 9
"""A mark outside the range never touches it."""
WIDTH, HEIGHT = 380, 256
LEFT, RIGHT, TOP, BOTTOM = 46, 358, 18, 222
MOST_DOTS = 24
LABELS_APART = 64
FITS = 6
"""Characters that stand beside the axis."""
TICKS_APART = 20
YEARS = timedelta(days=300)
"""From here on a date on the axis is a month with its year."""


class Mark(StrEnum):
    """The shape of a dot: where the laboratory says that the result lies."""

    IN = "in"
    BELOW = "below"
    ABOVE = "above"
    OTHER = "other"
    """Not as it should be, without saying on which side."""


class Band(NamedTuple):
    """A laboratory's range; either end may be open, and one that is upside down is none."""

    low: float | None = None
    high: float | None = None
    low_text: str = ""
    high_text: str = ""
    """The ends as they were written, for the axis."""

    @property
    def drawable(self) -> bool:
        if self.low is not None and self.high is not None:
            return self.low <= self.high
        return self.low is not None or self.high is not None


NO_BAND = Band()


class Point(NamedTuple):
    """One result that can be drawn."""

    at: datetime
    value: float
    text: str
    """As the laboratory wrote it: "<0.1"."""
    mark: Mark = Mark.IN
    bound: bool = False
    """The true value is on one side of this one."""
    band: Band = NO_BAND


@dataclass(frozen=True, kw_only=True, slots=True)
class Strip:
    """A number line with the range in its middle, and one mark."""

    low: float
    high: float
    x: float
    dot: str
    mark: Mark
    width: int = STRIP_WIDTH


class Label(NamedTuple):
    """A text and its place."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Trend:
    """A test over time: paths and labels, ready to be written down."""

    line: str
    inside: str
    outside: str
    bounds: str
    band: str
    limits: str
    grid: str
    ticks: tuple[Label, ...]
    dates: tuple[Label, ...]
    band_label: Label | None
    last: Label
    halo: tuple[float, float]
    width: int = WIDTH
    height: int = HEIGHT


def strip(value: float, band: Band, mark: Mark) -> Strip | None:
    """A mark against its range; None where there is no range to draw."""
    if not band.drawable:
        return None
    first, last = STRIP_EDGE, STRIP_WIDTH - STRIP_EDGE
    low_x, high_x = STRIP_WIDTH * STRIP_BAND, STRIP_WIDTH * (1 - STRIP_BAND)
    if band.low is None and band.high is not None:
        low_x = first
        x = high_x + _part(value - band.high, abs(band.high)) * (high_x - low_x)
    elif band.high is None and band.low is not None:
        high_x = last
        x = low_x + _part(value - band.low, abs(band.low)) * (high_x - low_x)
    else:
        low, high = band.low or 0.0, band.high or 0.0
        x = low_x + _part(value - low, high - low) * (high_x - low_x)
    if mark is Mark.BELOW:
        x = min(x, low_x - STRIP_APART)
    elif mark is Mark.ABOVE:
        x = max(x, high_x + STRIP_APART)
    x = round(min(last - 6, max(first + 6, x)), 1)
    dot = _dot(x, 12, mark, 6)
    return Strip(low=round(low_x, 1), high=round(high_x, 1), x=x, dot=dot, mark=mark)


def _part(distance: float, span: float) -> float:
    """A distance in parts of the range; where the range has no width, only the side counts."""
    if span:
        return distance / span
    return (distance > 0) - (distance < 0)


def trend(points: Sequence[Point]) -> Trend:
    """One test over time, oldest point first: gaps are true to scale, and no value is left out."""
    scale = _Scale(points)
    places = [(scale.x(point.at), scale.y(point.value)) for point in points]
    inside, outside, bounds = "", "", ""
    for index in _drawn(points, places):
        point, (x, y) = points[index], places[index]
        if point.bound:
            bounds += f"M{x - 5:g} {y:g}a5 5 0 1 0 10 0a5 5 0 1 0-10 0"
        elif point.mark is Mark.IN:
            inside += _dot(x, y, point.mark, 5)
        else:
            outside += _dot(x, y, point.mark, 5)
    ticks, limits, grid = _ticks(points, scale)
    band, label = _band(points, places, scale)
    x, y = places[-1]
    rising = y < TOP + 34 or (len(places) > 1 and places[-2][1] < y)
    return Trend(
        line="M" + "L".join(f"{x:g} {y:g}" for x, y in places),
        inside=inside,
        outside=outside,
        bounds=bounds,
        band=band,
        limits=limits,
        grid=grid,
        ticks=ticks,
        dates=_dates(points, places),
        band_label=label,
        last=Label(x=min(x, RIGHT - 6), y=y + (30 if rising else -18), text=points[-1].text),
        halo=places[-1],
    )


class _Scale:
    """Time across, value upwards."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.start = points[0].at
        self.seconds = (points[-1].at - self.start).total_seconds()
        last = points[-1].band
        ends = [e for e in (last.low, last.high) if e is not None] if last.drawable else []
        values = [point.value for point in points] + ends
        low, high = min(values), max(values)
        room = (high - low) * 0.14 or abs(high) * 0.14 or 1.0
        self.low = max(0.0, low - room) if low >= 0 else low - room
        self.high = high + room

    def x(self, at: datetime) -> float:
        if not self.seconds:
            return (LEFT + RIGHT) / 2
        part = (at - self.start).total_seconds() / self.seconds
        return round(LEFT + 8 + part * (RIGHT - LEFT - 16), 1)

    def y(self, value: float) -> float:
        place = TOP + (self.high - value) / (self.high - self.low) * (BOTTOM - TOP)
        return round(min(BOTTOM, max(TOP, place)), 1)


def _dot(x: float, y: float, mark: Mark, r: float) -> str:
    """A shape per mark, so that no colour has to say it."""
    wide, tall = round(r * 1.3, 1), round(r * 2.2, 1)
    if mark is Mark.BELOW:
        return f"M{x - wide:g} {y - r:g}h{wide * 2:g}l-{wide:g} {tall:g}z"
    if mark is Mark.ABOVE:
        return f"M{x - wide:g} {y + r:g}h{wide * 2:g}l-{wide:g}-{tall:g}z"
    if mark is Mark.OTHER:
        return f"M{x:g} {y - wide:g}l{wide:g} {wide:g}l-{wide:g} {wide:g}l-{wide:g}-{wide:g}z"
    return f"M{x:g} {y:g}h0"


def _drawn(points: Sequence[Point], places: list[tuple[float, float]]) -> list[int]:
    """Which points get a dot: all of a few; of many, those with room, the extremes and the last."""
    everyone = range(len(points))
    if len(points) <= MOST_DOTS:
        return list(everyone)
    lowest = min(everyone, key=lambda index: points[index].value)
    highest = max(everyone, key=lambda index: points[index].value)
    kept, apart, before = {lowest, highest, len(points) - 1}, (RIGHT - LEFT) / MOST_DOTS, 0.0
    for index, (x, _) in enumerate(places):
        if x - before >= apart:
            kept.add(index)
            before = x
    return sorted(kept)


def _ticks(points: Sequence[Point], scale: _Scale) -> tuple[tuple[Label, ...], str, str]:
    """The ends of the range, then the lowest and the highest value where there is room."""
    ticks: list[Label] = []
    limits = grid = ""
    band = points[-1].band
    if band.drawable:
        for end, text in ((band.low, band.low_text), (band.high, band.high_text)):
            if end is not None:
                y = scale.y(end)
                limits += f"M{LEFT} {y:g}H{RIGHT}"
                if all(abs(y - tick.y) > TICKS_APART for tick in ticks):
                    ticks.append(Label(x=LEFT - 8, y=y + 4.5, text=brief(end, text)))
    for extreme in (min, max):
        point = extreme(points, key=lambda point: point.value)
        y = scale.y(point.value)
        if all(abs(y + 4.5 - tick.y) > TICKS_APART for tick in ticks):
            grid += f"M{LEFT} {y:g}H{RIGHT}"
            ticks.append(
                Label(x=LEFT - 8, y=y + 4.5, text=brief(point.value, point.text.lstrip("<>=≤≥~ ")))
            )
    return tuple(ticks), limits, grid


def brief(value: float, text: str = "") -> str:
    """A number that fits beside an axis: as it was written, if that is short."""
    return text if 0 < len(text) <= FITS else f"{value:.4g}"


def _band(
    points: Sequence[Point], places: list[tuple[float, float]], scale: _Scale
) -> tuple[str, Label | None]:
    """The range that held for each result: a new one takes over half-way between two of them."""
    edges = [LEFT, *(round((a[0] + b[0]) / 2, 1) for a, b in pairwise(places)), RIGHT]
    steps: list[tuple[float, float, Band]] = []
    for point, (left, right) in zip(points, pairwise(edges), strict=True):
        if steps and steps[-1][2] == point.band:
            left = steps.pop()[0]  # noqa: PLW2901
        steps.append((left, right, point.band))
    path, label = "", None
    for left, right, band in steps:
        if not band.drawable:
            continue
        top = TOP if band.high is None else scale.y(band.high)
        bottom = BOTTOM if band.low is None else scale.y(band.low)
        path += f"M{left:g} {top:g}H{right:g}V{bottom:g}H{left:g}z"
        if bottom - top > 26 and right - left > 130:  # noqa: PLR2004
            label = Label(x=left + 8, y=top + 18, text="Lab's range")
    return path, label


def _dates(points: Sequence[Point], places: list[tuple[float, float]]) -> tuple[Label, ...]:
    """Dates under the points where there is room, and always under the last one."""
    long = points[-1].at - points[0].at >= YEARS
    labels: list[Label] = []
    for index in range(len(points) - 1, -1, -1):
        on = points[index].at.date()
        text, x = short_month(on) if long else day_and_month(on), places[index][0]
        if not labels or (labels[-1].x - x >= LABELS_APART and labels[-1].text != text):
            labels.append(Label(x=x, y=HEIGHT - 8, text=text))
    return tuple(reversed(labels))
