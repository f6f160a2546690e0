"""What was not taken: raised where it is found, and told together at the end."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from services.records.domain.found import LeftOut, Reason
from services.records.formats.fhir.limits import MAX_KINDS

_PLACES_NAMED: Final = 5


class NotTaken(Exception):
    """This entry, or this part of one, is not taken; `detail` says more than the reason does.

    It is told by its name, unless it is one of many alike that nobody looks for.
    """

    def __init__(self, reason: Reason, detail: str = "", *, is_named: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        self.is_named = is_named


@dataclass(slots=True)
class _Places:
    named: list[str] = field(default_factory=list)
    count: int = 0


class Tally:
    """The list of what was left out; alike things are one line of it, with their number."""

    def __init__(self) -> None:
        self._lines: dict[tuple[Reason, str], _Places] = {}

    def add(self, reason: Reason, what: str, where: str) -> None:
        """Count one thing that was left out."""
        line = (reason, what[:200])
        if line not in self._lines and len(self._lines) >= MAX_KINDS:
            line = (reason, "Others")
        places = self._lines.setdefault(line, _Places())
        places.count += 1
        if len(places.named) < _PLACES_NAMED and where not in places.named:
            places.named.append(where)

    def left_out(self) -> Iterator[LeftOut]:
        """The whole list, in the order in which each sort was first met."""
        for (reason, what), places in self._lines.items():
            where = "; ".join(places.named)
            if places.count > len(places.named):
                where += f"; {places.count - len(places.named)} more"
            yield LeftOut(reason=reason, what=what, where=where, count=places.count)
