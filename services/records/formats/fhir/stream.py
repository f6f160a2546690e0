"""A FHIR file as a stream of its resources, one in memory at a time.

A bundle's entries are parsed one by one, however long the bundle, its lines or its nested bundles
are. An entry that can't be parsed costs that entry and no other, as far as its end can be found.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

from services.records.domain.found import Reason
from services.records.formats.fhir.layout import Layout
from services.records.formats.fhir.limits import MAX_FAULTS, MAX_KIND, MAX_NESTING
from services.records.formats.fhir.window import Budget, Json, Unusable, Window

Walk: TypeAlias = Generator["Entry", None, Json | None]


@dataclass(slots=True)
class Entry:
    """A resource and its place in the file, or what is wrong at that place."""

    resource: Json | None
    full_url: str
    scope: int
    """Which bundle of the file it is in, 0 outside bundles: relative references stay within."""
    line: int
    path: tuple[int, ...]
    history: bool = False
    deleted: str = ""
    """The address of the resource that this entry asks to delete."""
    problem: Reason | None = None
    lost: str = ""
    """What else a problem without an end has taken with it."""

    @property
    def where(self) -> str:
        """Where that is, for staff: "line 3, entry 12"."""
        places = [f"line {self.line}"] if self.line else []
        if self.path:
            places.append("entry " + ".".join(map(str, self.path)))
        return (", ".join(places) or "the file") + self.lost


class _Reader:
    def __init__(self, source: BinaryIO, layout: Layout) -> None:
        self.window = Window(source, layout)
        self.lines = layout.lines
        self.line = 0
        self.path: tuple[int, ...] = ()
        self.bundles = 0
        self.scope = 0
        self.history = False
        self.faults = 0

    def read(self) -> Iterator[Entry]:
        """Every resource from the first to the last, and every place where none could be read."""
        while self.window.next_value():
            self.line += self.lines
            self.path, self.scope, self.window.open = (), 0, 0
            try:
                yield from self._value()
            except Unusable as unusable:
                if not unusable.is_told:
                    self.path = unusable.path
                    yield self._fault(unusable.reason, lost=self._rest())
                if not (self.lines and self.window.next_line()):
                    return
            if self.faults > MAX_FAULTS:
                yield self._fault(Reason.TOO_LARGE, lost=" and all after it")
                return

    def _rest(self) -> str:
        """What a mistake that has no end takes with it."""
        if self.lines:
            return " and the rest of the line" if self.path else ""
        return " and all after it"

    def _value(self) -> Iterator[Entry]:
        if self.window.peek() == "[":
            yield from self._list(within="list")
            return
        resource = yield from self._object(within="file")
        if resource is not None:
            yield from self._unfolded(resource, "")

    def _object(self, *, within: str) -> Walk:
        """Read an object at once where it is small, and else member by member."""
        if self.window.peek() != "{":
            raise Unusable(Reason.UNREADABLE_PART)
        whole = self.window.whole()
        if whole is not None:
            return whole
        members: Json = {}
        streamed = False
        budget = Budget()
        for name in self.window.members(budget):
            start = self.window.peek()
            if name == "entry" and start == "[" and self._may_be_bundle(members):
                streamed = True
                yield from self._bundle(members)
            elif name == "resource" and start == "{" and within == "entry":
                resource = yield from self._object(within="resource")
                streamed = streamed or resource is None
                members[name] = resource
            elif name in members:
                raise Unusable(Reason.UNREADABLE_PART)
            else:
                members[name] = self.window.value(budget)
        return None if streamed else members

    def _may_be_bundle(self, members: Json) -> bool:
        return bool(members.get("resourceType", "Bundle") == "Bundle")

    def _bundle(self, members: Json) -> Iterator[Entry]:
        outer = self.path, self.scope, self.history
        if len(self.path) >= MAX_NESTING:
            raise Unusable(Reason.UNREADABLE_PART)
        self.bundles += 1
        self.scope, self.history = self.bundles, members.get("type") == "history"
        try:
            yield from self._list(within="entry")
        except Unusable as unusable:
            unusable.path = unusable.path or self.path
            raise
        finally:
            self.path, self.scope, self.history = outer

    def _list(self, *, within: str) -> Iterator[Entry]:
        outer = self.path
        for number, depth in enumerate(self.window.elements(), 1):
            self.path = (*outer, number)
            try:
                element = yield from self._object(within=within)
                if element is not None:
                    yield from self._element(element, within)
            except Unusable as unusable:
                if unusable.is_told:
                    raise
                self.path = (*outer, number)
                yield from self._skipped(unusable, depth)
            if self.faults > MAX_FAULTS:
                raise Unusable(Reason.TOO_LARGE, broken=True, path=self.path)

    def _skipped(self, unusable: Unusable, depth: int) -> Iterator[Entry]:
        """Tell of an element that can't be taken, and go to its end if it has one."""
        try:
            if self.lines and unusable.broken:
                raise unusable
            self.window.skip_to(depth)
        except Unusable as endless:
            yield self._fault(unusable.reason, lost=self._rest())
            endless.is_told = True
            raise
        yield self._fault(unusable.reason)

    def _element(self, element: Json, within: str) -> Iterator[Entry]:
        if within == "list":
            yield from self._unfolded(element, "")
            return
        resource, url = element.get("resource"), element.get("fullUrl")
        if isinstance(resource, dict):
            yield from self._unfolded(resource, url if isinstance(url, str) else "")
            return
        request = element.get("request")
        if isinstance(request, dict) and request.get("method") == "DELETE":
            entry = self._entry(None, "")
            entry.deleted = str(request.get("url"))[:100]
            yield entry
        elif "response" in element:
            yield self._entry(None, "")
        else:
            yield self._fault(Reason.UNREADABLE_PART)

    def _unfolded(self, resource: Json, full_url: str) -> Iterator[Entry]:
        """The resource itself, or what a bundle that was read at once has inside."""
        entries, kind = resource.get("entry"), resource.get("resourceType")
        if not kind or not isinstance(kind, str) or len(kind) > MAX_KIND:
            yield self._fault(Reason.UNREADABLE_PART)
            return
        if kind != "Bundle" or not isinstance(entries, list):
            yield self._entry(resource, full_url)
            return
        outer = self.path, self.scope, self.history
        if len(self.path) >= MAX_NESTING:
            yield self._fault(Reason.UNREADABLE_PART)
            return
        self.bundles += 1
        scope, history = self.bundles, resource.get("type") == "history"
        for number, element in enumerate(entries, 1):
            self.path, self.scope, self.history = (*outer[0], number), scope, history
            if isinstance(element, dict):
                yield from self._element(element, "entry")
            else:
                yield self._fault(Reason.UNREADABLE_PART)
        self.path, self.scope, self.history = outer

    def _entry(self, resource: Json | None, full_url: str) -> Entry:
        return Entry(resource, full_url, self.scope, self.line, self.path, self.history)

    def _fault(self, reason: Reason, *, lost: str = "") -> Entry:
        self.faults += 1
        entry = self._entry(None, "")
        entry.problem, entry.lost = reason, lost
        return entry


def entries(source: BinaryIO, layout: Layout) -> Iterator[Entry]:
    """The resources of the file in their order; bundles are opened, nested ones too."""
    return _Reader(source, layout).read()
