"""FHIR R4: bundles of every type, single resources, and NDJSON of either.

The file is gone through twice: once to learn who and what it speaks of, for a reference may point
forward, and once to read it. Where documents have their content in a Binary of the same file, it is
a third time for those. Nothing is kept from one resource to the next but names and addresses.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO, Final

from services.records.domain.found import Document, Found, Patient, Reason, Unreadable
from services.records.domain.result import Result
from services.records.formats.fhir.documents import Documents
from services.records.formats.fhir.elements import name_of, text
from services.records.formats.fhir.index import Index
from services.records.formats.fhir.layout import layout_of
from services.records.formats.fhir.leftout import NotTaken
from services.records.formats.fhir.limits import MAX_REMEMBERED
from services.records.formats.fhir.observations import inside, results, results_inside
from services.records.formats.fhir.references import local
from services.records.formats.fhir.stream import Entry, entries
from services.records.formats.fhir.window import Json

_LONGEST_LABEL: Final = 120


def read(source: BinaryIO) -> Iterator[Found]:
    """Everything in a FHIR file: its patients first, what is theirs, and last what was left out."""
    written = layout_of(source)
    reading = _Reading()
    yield from chain.from_iterable(map(reading.patient, entries(source, written)))
    if not reading.index.resources:
        raise Unreadable(reading.why_nothing())
    yield from chain.from_iterable(map(reading.content, entries(source, written)))
    if reading.index.binaries:
        yield from chain.from_iterable(map(reading.binary, entries(source, written)))
    yield from reading.left_out()


class _Reading:
    """One file being read: what is known of it, and what has been told already."""

    def __init__(self) -> None:
        self.index = Index()
        self._documents = Documents(self.index)
        self._told: set[int] = set()
        self._is_too_large = False

    def patient(self, entry: Entry) -> Iterator[Patient]:
        """The patient in this entry; of every other resource only a note is taken."""
        if entry.resource is None:
            self._is_too_large = self._is_too_large or entry.problem is Reason.TOO_LARGE
            return
        try:
            found = self.index.meet(entry.resource, entry)
        except NotTaken as left_out:
            self._leave(left_out, entry.resource, entry)
        else:
            if found:
                yield found

    def why_nothing(self) -> str:
        """Why nothing of the file can be understood."""
        if self._is_too_large:
            return "What the file holds is larger than can be read."
        return "The file holds no FHIR resource in JSON."

    def content(self, entry: Entry) -> Iterator[Found]:
        """The results and documents in this entry; a Binary has to wait."""
        resource = entry.resource
        if resource is None:
            self._leave_place(entry)
            return
        kind = text(resource.get("resourceType"))
        match kind:
            case "Observation":
                yield from self._taken(results(resource, entry, self.index), resource, entry)
            case "DiagnosticReport":
                for inner in self._inside(resource, entry):
                    found = results_inside(inner, resource, entry, self.index)
                    yield from self._taken(found, inner, entry)
                documents = self._documents.from_report(resource, entry)
                yield from self._taken(documents, resource, entry)
            case "DocumentReference":
                documents = self._documents.from_reference(resource, entry)
                yield from self._taken(documents, resource, entry)
            case "Patient" | "Binary":
                pass
            case _:
                self.index.tally.add(Reason.NOT_SUPPORTED, kind, entry.where)

    def binary(self, entry: Entry) -> Iterator[Found]:
        """The Binary in this entry, as the content of the documents that wait for it."""
        resource = entry.resource
        if resource is not None and resource.get("resourceType") == "Binary":
            found = self._documents.from_binary(resource, entry)
            yield from self._taken(found, resource, entry)

    def left_out(self) -> Iterator[Found]:
        """What was not taken, alike things together."""
        self._documents.settle()
        lost = self.index.links_lost + self.index.panels.lost
        for _ in range(min(lost, 1)):
            self.index.tally.add(Reason.TOO_LARGE, "Links from reports to results", "the file")
        yield from self.index.tally.left_out()

    def _inside(self, report: Json, entry: Entry) -> list[Json]:
        try:
            return inside(report)
        except NotTaken as left_out:
            self._leave(left_out, report, entry)
            return []

    def _taken(
        self, found: Iterable[Patient | Result | Document], resource: Json, entry: Entry
    ) -> Iterator[Found]:
        """What is found, but nothing twice; and what stops the finding, told."""
        try:
            for one in found:
                if self._is_told(one, entry):
                    raise NotTaken(Reason.DUPLICATE, "earlier version" * entry.history)
                yield one
        except NotTaken as left_out:
            self._leave(left_out, resource, entry)

    def _is_told(self, found: Patient | Result | Document, entry: Entry) -> bool:
        """Whether the file said this before; a history, newest first, in whatever words."""
        if isinstance(found, Patient):
            return False
        mark = hash(found.source_id if entry.history else found)
        if mark in self._told:
            return True
        if len(self._told) < MAX_REMEMBERED:
            self._told.add(mark)
        return False

    def _leave(self, left_out: NotTaken, resource: Json, entry: Entry) -> None:
        kind = str(resource.get("resourceType"))
        name = _label(kind, resource) if left_out.is_named else ""
        detail = f"({left_out.detail})" if left_out.detail else ""
        what = " ".join(filter(None, (kind, name, detail)))
        self.index.tally.add(left_out.reason, what, entry.where)

    def _leave_place(self, entry: Entry) -> None:
        """Tell of a place in the file where there is no resource to be had."""
        if entry.problem:
            self.index.tally.add(entry.problem, "Entry", entry.where)
        elif entry.deleted:
            kind = local(entry.deleted).partition("/")[0] or "resource"
            what = f"Request to delete: {kind}"
            self.index.tally.add(Reason.NOT_SUPPORTED, what, entry.where)
        else:
            what = "Response without a resource"
            self.index.tally.add(Reason.NOT_SUPPORTED, what, entry.where)


def _label(kind: str, resource: Json) -> str:
    """What staff would call it: the test, the report, the title."""
    try:
        match kind:
            case "Observation" | "DiagnosticReport":
                return name_of(resource.get("code"))[:_LONGEST_LABEL]
            case "DocumentReference":
                title = text(resource.get("description")) or name_of(resource.get("type"))
                return title[:_LONGEST_LABEL]
            case _:
                return ""
    except NotTaken:
        return ""
