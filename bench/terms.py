"""How long and how often to measure, and where to say how far it has come."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What whoever starts the benchmarks may choose."""

    rounds: int
    seconds: float
    """Of each side in each round, where a load is measured."""
    results: int
    """In the table of results, at most."""
    say: Callable[[str], None]
