"""How often somebody may guess, without letting a stranger lock an owner out for good.

What is counted is failures: of one account from one source, of one account from everywhere, and of
one source at everything. An address without an account is counted just the same.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

WINDOW = timedelta(minutes=15)


class Scope(StrEnum):
    """What a count is of."""

    ACCOUNT_AND_SOURCE = "account_and_source"
    ACCOUNT = "account"
    SOURCE = "source"


LIMITS = {Scope.ACCOUNT_AND_SOURCE: 10, Scope.ACCOUNT: 100, Scope.SOURCE: 200}
"""Failures at which there is no further try: within the window, or, for an account, in a row."""


@dataclass(frozen=True, kw_only=True)
class Count:
    """Failures so far, since when."""

    scope: Scope
    failures: int
    since: datetime


def held_back(counts: list[Count], *, now: datetime) -> bool:
    """Whether the next try has to wait. An account's own count does not run out by waiting."""
    return any(
        count.failures >= LIMITS[count.scope]
        and (count.scope is Scope.ACCOUNT or now < count.since + WINDOW)
        for count in counts
    )
