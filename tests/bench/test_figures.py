"""What the benchmarks make of what they measured."""

import pytest

from bench.figures import Finding, Load, percentile


def finding(**given: object) -> Finding:
    fields: dict[str, object] = {
        "name": "health",
        "what": "Health",
        "unit": "pages/s",
        "ours": [90.0, 95.0, 40.0],
        "beside": "one process",
        "baseline": [100.0, 100.0, 50.0],
    }
    return Finding(**(fields | given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "part", "found"),
    [
        ([1.0], 0.99, 1.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([float(n) for n in range(1, 101)], 1.0, 100.0),
        ([float(n) for n in range(1, 11)], 0.99, 10.0),
    ],
)
def test_a_percentile_is_one_of_the_values(values: list[float], part: float, found: float) -> None:
    assert percentile(values, part) == found


def test_a_load_says_its_rate_and_its_slowest_hundredth_in_milliseconds() -> None:
    load = Load(seconds=2.0, took=[0.001] * 98 + [0.050, 0.090])

    assert load.per_second == 50
    assert load.median_ms == pytest.approx(1)
    assert load.p99_ms == pytest.approx(50)


def test_a_ratio_is_of_rounds_that_shared_their_noise() -> None:
    """The machine was half as fast in the last round, for both."""
    found = finding()

    assert found.ratio == pytest.approx(0.9)
    assert found.figure == 90
    assert found.baseline_figure == 100


@pytest.mark.parametrize(
    ("budget", "at_least", "kept"),
    [(0.9, True, True), (0.95, True, False), (0.9, False, True), (0.85, False, False)],
)
def test_a_promise_is_kept_at_its_bound_and_not_beyond(
    budget: float, at_least: bool, kept: bool
) -> None:
    assert finding(budget=budget, at_least=at_least).kept is kept


def test_what_was_never_promised_is_neither_kept_nor_missed() -> None:
    assert finding().kept is None


def test_a_machine_reads_the_rounds_and_what_came_of_them() -> None:
    told = finding(budget=1.0).told()

    assert told["ours"] == [90.0, 95.0, 40.0]
    assert told["ratio"] == pytest.approx(0.9)
    assert told["kept"] is False
