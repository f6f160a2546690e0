"""The policy as the tests read it: rows of cells, one for each kind of actor."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("policy.txt")
ACTORS = (
    "an", "ed", "nc", "pd", "se", "ot", "fp", "dw", "dr", "dd", "dm", "ds", "rv", "do", "dx",
    "ad", "cl", "fd", "fs", "mk", "mf", "op",
)  # fmt: skip
"""Who asks, seen from one record; `policy.txt` says who each of them is."""
CELLS = frozenset("Y.nwrcedkob-")


@dataclass(frozen=True, kw_only=True)
class Page:
    """A method and a path of the gateway."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, kw_only=True)
class IdElsewhere:
    """An id that comes in a page's form or query."""

    page: Page
    place: str
    field: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The file."""

    sees: Mapping[str, frozenset[str]]
    pages: Mapping[Page, Mapping[str, str]]
    requests: Mapping[str, Mapping[str, str]]
    askers: Mapping[str, frozenset[str]]
    ids: tuple[IdElsewhere, ...]
    tables: Mapping[str, frozenset[str]]


VERBS = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}


def read(text: str) -> Policy:
    """The policy in these words."""
    rows = list(_rows(text))
    sees = {words[0]: frozenset(words[1:]) for part, words in rows if part == "sees"}
    pages: dict[Page, Mapping[str, str]] = {}
    requests: dict[str, Mapping[str, str]] = {}
    askers: dict[str, frozenset[str]] = {}
    ids = []
    tables = {
        words[0]: frozenset(VERBS[letter] for letter in words[1:] if letter != ".")
        for part, words in rows
        if part == "tables"
    }
    for part, words in rows:
        if part == "pages":
            page = Page(method=words[0], path=words[1])
            assert page not in pages, f"{page} is there twice"
            pages[page] = _cells(words[2:])
        if part == "requests":
            subject = f"request.{words[0]}"
            assert subject not in requests, f"{subject} is there twice"
            requests[subject] = _cells(words[-len(ACTORS) :])
            said = " ".join(words[1 : -len(ACTORS)]).strip("()")
            askers[subject] = frozenset(said.split(", ") if said else ["gateway"])
        if part == "ids":
            method, path, place, field, kind = words
            page = Page(method=method, path=path)
            ids.append(IdElsewhere(page=page, place=place, field=field, kind=kind))
    return Policy(
        sees=sees,
        pages=pages,
        requests=requests,
        askers=askers,
        ids=tuple(ids),
        tables=tables,
    )


def _rows(text: str) -> Iterator[tuple[str, list[str]]]:
    part = ""
    for line in text.splitlines():
        if line.startswith("["):
            part = line.strip("[]")
        elif line and not line.startswith("#"):
            yield part, line.split()


def _cells(words: list[str]) -> Mapping[str, str]:
    assert len(words) == len(ACTORS), words
    assert set(words) <= CELLS, words
    return dict(zip(ACTORS, words, strict=True))


POLICY = read(FILE.read_text())
