"""Where the marks of a chart stand, as rules without a page."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from gateway import charts
from gateway.charts import BOTTOM, LEFT, RIGHT, TOP, Band, Mark, Point, Trend

NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)
USUAL = Band(12.0, 15.5, "12.0", "15.5")


def points(*values: float, band: Band = USUAL, every: int = 21) -> list[Point]:
    """Values in a row, oldest first, the last of them at noon."""
    count = len(values)
    return [
        Point(NOON - timedelta(days=every * (count - 1 - index)), value, f"{value}", band=band)
        for index, value in enumerate(values)
    ]


def places(drawn: Trend) -> list[tuple[float, float]]:
    """Where the line goes."""
    pairs = (pair.split(" ") for pair in drawn.line.removeprefix("M").split("L"))
    return [(float(x), float(y)) for x, y in pairs]


def dots(path: str) -> int:
    return path.count("M")


def test_gaps_in_time_are_true_to_scale() -> None:
    at = [NOON - timedelta(days=days) for days in (400, 300, 0)]
    drawn = charts.trend([Point(moment, 13.0, "13.0") for moment in at])

    first, second, last = (x for x, _ in places(drawn))

    assert (second - first) / (last - first) == pytest.approx(100 / 400, abs=0.01)


def test_a_higher_value_stands_higher() -> None:
    low, high = (y for _, y in places(charts.trend(points(9.8, 12.9))))

    assert high < low


def test_everything_stays_inside_the_frame() -> None:
    for values in ((1e-9, 1e9), (-5.0, 5.0), (0.0, 0.0), (13.0,), (7.0, 7.0, 7.0), (-4.0,)):
        for x, y in places(charts.trend(points(*values))):
            assert LEFT <= x <= RIGHT
            assert TOP <= y <= BOTTOM


def test_a_single_result_stands_in_the_middle() -> None:
    drawn = charts.trend(points(13.0))

    assert places(drawn)[0][0] == (LEFT + RIGHT) / 2
    assert [label.text for label in drawn.dates] == ["17 Nov"]


def test_results_of_one_moment_do_not_divide_by_nothing() -> None:
    assert len(places(charts.trend(points(13.0, 14.0, every=0)))) == 2


def test_equal_values_are_a_level_line() -> None:
    heights = {y for _, y in places(charts.trend(points(7.0, 7.0, 7.0, band=Band())))}

    assert len(heights) == 1


def test_of_many_results_the_dots_are_thinned_and_the_line_is_not() -> None:
    many = points(*(13 + (index % 7) / 10 for index in range(200)))
    drawn = charts.trend(many)

    assert len(places(drawn)) == 200
    assert dots(drawn.inside) <= charts.MOST_DOTS + 3


def test_up_to_24_results_each_have_a_dot() -> None:
    drawn = charts.trend(points(*(13 + index / 100 for index in range(24))))

    assert dots(drawn.inside) == 24


def test_the_extremes_of_many_keep_their_dots() -> None:
    many = points(*(99.0 if index == 101 else 13.0 for index in range(200)))
    drawn = charts.trend(many)
    x, y = places(drawn)[101]

    assert f"M{x:g} {y:g}h0" in drawn.inside


def test_each_mark_has_a_shape_of_its_own() -> None:
    shapes = {
        mark: charts.trend([Point(NOON, 13.0, "13", mark)]).outside
        for mark in (Mark.BELOW, Mark.ABOVE, Mark.OTHER)
    }

    assert len(set(shapes.values())) == 3
    assert all(shapes.values())


def test_a_limit_is_a_ring_and_not_a_dot() -> None:
    drawn = charts.trend([Point(NOON, 0.1, "<0.1", bound=True)])

    assert drawn.bounds
    assert drawn.inside == drawn.outside == ""
    assert drawn.last.text == "<0.1"


@pytest.mark.parametrize(
    ("band", "top", "bottom"),
    [
        (Band(low=None, high=15.5), None, BOTTOM),
        (Band(low=12.0, high=None), TOP, None),
    ],
)
def test_a_range_with_one_end_goes_on_to_the_edge(
    band: Band, top: float | None, bottom: float | None
) -> None:
    drawn = charts.trend(points(11.0, 13.0, 16.0, band=band))
    found = re.fullmatch(r"M46 ([\d.]+)H358V([\d.]+)H46z", drawn.band)

    assert found
    assert top is None or float(found[1]) == top
    assert bottom is None or float(found[2]) == bottom
    assert drawn.limits.count("M") == 1


@pytest.mark.parametrize("band", [Band(), Band(15.5, 12.0)])
def test_no_range_and_one_upside_down_draw_none(band: Band) -> None:
    drawn = charts.trend(points(11.0, 13.0, band=band))

    assert drawn.band == drawn.limits == ""
    assert drawn.band_label is None


def test_a_new_range_takes_over_half_way() -> None:
    before, after = points(11.0, 13.0, band=Band(10.0, 14.0))[0], points(13.0)[0]
    drawn = charts.trend([before, after])

    assert drawn.band.count("M") == 2
    assert f"H{(LEFT + RIGHT) / 2:g}V" in drawn.band


def test_the_axis_says_the_range_as_the_lab_wrote_it() -> None:
    texts = {tick.text for tick in charts.trend(points(9.8, 12.9, 10.9)).ticks}

    assert {"12.0", "15.5"} <= texts


def test_texts_on_the_axis_never_run_into_each_other() -> None:
    heights = sorted(tick.y for tick in charts.trend(points(11.9, 12.1, 15.4, 15.6)).ticks)

    assert all(b - a > charts.TICKS_APART for a, b in pairwise(heights))


def test_a_long_number_is_said_briefly() -> None:
    assert charts.brief(123456789.0, "123456789") == "1.235e+08"
    assert charts.brief(12.0, "12.0") == "12.0"


def test_dates_never_run_into_each_other_and_the_last_is_always_there() -> None:
    drawn = charts.trend(points(*([13.0] * 30), every=9))
    across = [label.x for label in drawn.dates]

    assert all(b - a >= charts.LABELS_APART for a, b in pairwise(across))
    assert drawn.dates[-1].text == "17 Nov"


def test_over_years_a_date_is_a_month() -> None:
    drawn = charts.trend(points(13.0, 12.0, every=700))

    assert [label.text for label in drawn.dates] == ["Dec 2024", "Nov 2026"]


@pytest.mark.parametrize(
    ("value", "mark"), [(2.0, Mark.BELOW), (11.99, Mark.BELOW), (15.6, Mark.ABOVE), (1e6, Mark.ABOVE)]
)  # fmt: skip
def test_a_mark_outside_never_touches_the_range(value: float, mark: Mark) -> None:
    drawn = charts.strip(value, USUAL, mark)

    assert drawn
    assert drawn.x <= drawn.low - 6 if mark is Mark.BELOW else drawn.x >= drawn.high + 6
    assert 4 <= drawn.x <= drawn.width - 4


def test_a_mark_within_stands_where_it_belongs() -> None:
    drawn = charts.strip(13.75, USUAL, Mark.IN)

    assert drawn
    assert drawn.x == pytest.approx((drawn.low + drawn.high) / 2, abs=0.1)


def test_a_range_with_one_end_has_a_strip() -> None:
    below_only = charts.strip(21.0, Band(high=30.0), Mark.IN)
    above_only = charts.strip(71.0, Band(low=60.0), Mark.IN)

    assert below_only
    assert above_only
    assert below_only.low < below_only.x < below_only.high
    assert above_only.low < above_only.x < above_only.high


@pytest.mark.parametrize("band", [Band(5.0, 5.0), Band(high=0.0), Band(low=0.0)])
def test_a_range_without_width_still_has_sides(band: Band) -> None:
    low, high = (charts.strip(value, band, Mark.IN) for value in (-9.0, 9.0))

    assert low
    assert high
    assert low.x < high.x


@pytest.mark.parametrize("band", [Band(), Band(15.5, 12.0)])
def test_without_a_range_there_is_no_strip(band: Band) -> None:
    assert charts.strip(3.0, band, Mark.IN) is None
