"""How often somebody may guess, without letting a stranger lock an owner out for good.

A try is counted before it is looked at, and given back if it was none, so that fifty at once are
fifty. An address without an account is counted just as one with.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

WINDOW = timedelta(minutes=15)


class Scope(StrEnum):
    """What a count is of."""

    HERE = "here"
    """One account from one source: 10, and then a pause."""
    STRANGERS = "strangers"
    """One account from everywhere that its owner never came in from: 100 in a row."""
    FAMILIAR = "familiar"
    """One account from a source that its owner came in from before: 100 in a row, apart from the
    strangers', so that those can't keep the owner out."""
    INSIDE = "inside"
    """One account's password, asked for again of whoever is logged in: 100 in a row."""
    SOURCE = "source"
    """One source at everything."""
    ASKING = "asking"
    """One source asking for letters."""


LIMITS = {
    Scope.HERE: 10,
    Scope.STRANGERS: 100,
    Scope.FAMILIAR: 100,
    Scope.INSIDE: 100,
    Scope.SOURCE: 200,
    Scope.ASKING: 60,
}
"""Failures after which there is no further try (NIST SP 800-63B-4, 3.2.2: 100 in a row)."""
IN_A_ROW = {Scope.STRANGERS, Scope.FAMILIAR, Scope.INSIDE}
"""Waiting does not help: the right person coming in does, or the link in an e-mail."""
PAUSED = {Scope.HERE}
"""Begins anew a window after the latest failure, so that no window ever holds more. The others
begin anew a window after the first: a source that many people share never has a pause."""


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A try at something secret, and what it is counted against; both sides as keyed hashes."""

    who: bytes
    source: bytes
    scopes: frozenset[Scope]


@dataclass(frozen=True, kw_only=True)
class Count:
    """Failures so far, this try included."""

    scope: Scope
    failures: int


def counted(guess: Guess, *, familiar: bool) -> list[Scope]:
    """What this try counts against, always in the same order."""
    apart = Scope.STRANGERS if familiar else Scope.FAMILIAR
    return sorted(guess.scopes - {apart})


def spent(counts: Collection[Count]) -> list[Scope]:
    """The counts of which all tries were failures already, so that there is none left."""
    return [count.scope for count in counts if count.failures >= LIMITS[count.scope]]


def held_back(counts: Collection[Count]) -> list[Scope]:
    """The counts for which this try is one too many."""
    return [count.scope for count in counts if count.failures > LIMITS[count.scope]]
