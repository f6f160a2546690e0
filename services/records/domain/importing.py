"""The rules of an import: what is counted, what waits, and when it is done."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from libs.contracts.records.imports import ImportState
from services.records.domain.found import LeftOut, Reason

LEASE = timedelta(seconds=60)
"""How long a worker that says nothing is taken to be at it."""
MOST_TRIES = 5
"""Readings of a file that end in a fault of ours, before somebody has to look."""
MOST_LINES = 500
"""Different things in the list of what was left out; the rest is counted together."""
MOST_PLACES = 5
"""Places that are named of each."""
INFORMATION = frozenset({Reason.NO_TIME, Reason.BAD_TIME})
"""What is taken nonetheless."""
FAULT = (
    "It could not be read because of a fault on our side. Whoever runs this portal has been told."
)
TOO_MUCH = "It could not be read to its end: that takes more time or memory than a file may take."


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A file to be read, and where an earlier reading was broken off."""

    practice_id: UUID
    id: UUID
    content_id: UUID
    about_id: UUID | None
    file_name: str
    declared_type: str
    source: str
    started_by: UUID
    started_by_name: str
    is_preview: bool
    run: int
    position: int
    tries: int
    lease: UUID


@dataclass(slots=True)
class Subject:
    """Somebody in the file, as far as the reading has to know."""

    number: int
    run: int
    patient_id: UUID | None = None
    waits: bool = True


@dataclass(slots=True)
class Counts:
    """What there was of one subject, and what became of it."""

    results_found: int = 0
    results_taken: int = 0
    results_unchanged: int = 0
    results_corrected: int = 0
    documents_found: int = 0
    documents_taken: int = 0
    documents_unchanged: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How an import stands, as its subjects and its reading make it."""

    waiting: int
    """Subjects that wait for somebody."""
    known: int
    """Subjects of whom we know who they are."""
    problem: str = ""
    is_preview: bool = False


def state(standing: Standing) -> ImportState:
    """A preview that would file something waits for a yes; anything unclear, for somebody."""
    if standing.is_preview and standing.known:
        return ImportState.PREVIEW
    if standing.waiting or standing.problem:
        return ImportState.WAITING
    return ImportState.DONE


def state_discarded(*, known: int, is_preview: bool) -> ImportState:
    """What is left of an import once nothing of it waits: done, if something of it was filed."""
    return ImportState.DONE if known and not is_preview else ImportState.DISCARDED


@dataclass(slots=True)
class Tally:
    """What was left out: alike things together, with the first places where they were."""

    lines: dict[tuple[str, str], tuple[int, list[str]]] = field(default_factory=dict)

    def add(self, found: Iterable[LeftOut]) -> None:
        for one in found:
            key = (one.reason.value, one.what)
            if key not in self.lines and len(self.lines) >= MOST_LINES:
                key = (one.reason.value, "and others")
            count, places = self.lines.setdefault(key, (0, []))
            if one.where not in places and len(places) <= MOST_PLACES:
                places.append(one.where)
            self.lines[key] = (count + one.count, places)

    def told(self) -> list[tuple[str, str, str, int]]:
        """Reason, what, where, and how many."""
        return [
            (reason, what, _joined(places), count)
            for (reason, what), (count, places) in self.lines.items()
        ]

    @property
    def left_out(self) -> int:
        """How many things were not taken."""
        return sum(
            count for (reason, _), (count, _) in self.lines.items() if reason not in INFORMATION
        )


def _joined(places: list[str]) -> str:
    named = ", ".join(places[:MOST_PLACES])
    return f"{named} and elsewhere" if len(places) > MOST_PLACES else named
