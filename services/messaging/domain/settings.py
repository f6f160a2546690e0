"""The rules of what a practice decides about its messages."""

from collections.abc import Sequence

from libs.contracts.base import Refused
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.settings import (
    FIRST_TEAM,
    HOURS_AT_MOST,
    NAME_LIMIT,
    TEAMS_AT_MOST,
    Routing,
)


def name(given: str) -> str:
    """A team's or a template's name, as it is kept."""
    kept = " ".join(given.replace("\x00", "").split())[:NAME_LIMIT]
    if not kept:
        raise Refused(Refusal.NAME_MISSING)
    return kept


def teams(given: Sequence[str]) -> list[str]:
    """The teams of a practice, each once; there is always one."""
    kept = list(dict.fromkeys(name(one) for one in given)) or [FIRST_TEAM]
    if len(kept) > TEAMS_AT_MOST:
        raise Refused(Refusal.TOO_MANY)
    return kept


def check_routing(routing: Sequence[Routing], known: Sequence[str]) -> None:
    """Each category goes to a team that there is, within hours that make sense."""
    for route in routing:
        if route.team not in known:
            raise Refused(Refusal.TEAM_UNKNOWN)
        if not 1 <= route.answer_within_hours <= HOURS_AT_MOST:
            raise Refused(Refusal.HOURS_IMPOSSIBLE)
