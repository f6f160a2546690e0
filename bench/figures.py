"""What was measured, in numbers: percentiles, medians, and whether a promise is kept."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest of the values that is not exceeded by this part of them (nearest rank)."""
    ordered = sorted(values)
    at = -(-len(ordered) * part // 1)
    return ordered[max(0, int(at) - 1)]


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a load saw: how many answers came in how long, and how long each of them took."""

    seconds: float
    took: Sequence[float]

    @property
    def per_second(self) -> float:
        return len(self.took) / self.seconds

    @property
    def p99_ms(self) -> float:
        return percentile(self.took, 0.99) * 1000

    @property
    def median_ms(self) -> float:
        return statistics.median(self.took) * 1000


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A figure, what it is measured against, and what was promised of the two."""

    name: str
    what: str
    unit: str
    ours: Sequence[float]
    """One for each round."""
    beside: str
    baseline: Sequence[float]
    """One for each round, taken in turns with ours."""
    budget: float | None = None
    """What the ratio is to be; None where nothing is promised, and it is only told."""
    at_least: bool = True

    @property
    def figure(self) -> float:
        return statistics.median(self.ours)

    @property
    def baseline_figure(self) -> float:
        return statistics.median(self.baseline)

    @property
    def ratio(self) -> float:
        """Ours to the baseline's: the median of the rounds, as both sides share a round's noise."""
        return statistics.median(
            own / other for own, other in zip(self.ours, self.baseline, strict=True)
        )

    @property
    def kept(self) -> bool | None:
        """Whether the promise is kept; None where there is none."""
        if self.budget is None:
            return None
        return self.ratio >= self.budget if self.at_least else self.ratio <= self.budget

    def told(self) -> dict[str, Any]:
        """All of it, for a machine to read."""
        worked_out = {
            name: getattr(self, name) for name in ("figure", "baseline_figure", "ratio", "kept")
        }
        return asdict(self) | worked_out
