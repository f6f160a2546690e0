"""From an Observation to laboratory results: one, or one for each component of a panel."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services.records.domain.found import Patient, Reason
from services.records.domain.result import Code, Moment, Result, ResultStatus, Value, ValueKind
from services.records.formats.fhir.before import before
from services.records.formats.fhir.elements import Concept, concept, each, fields, long_text, text
from services.records.formats.fhir.identity import REPORT, Traits, source_id
from services.records.formats.fhir.index import Index
from services.records.formats.fhir.laboratory import category, own_word
from services.records.formats.fhir.leftout import NotTaken
from services.records.formats.fhir.limits import MAX_TEXT
from services.records.formats.fhir.moments import collected, moment
from services.records.formats.fhir.references import reference
from services.records.formats.fhir.stream import Entry
from services.records.formats.fhir.values import flags_of, ranges_of, remarks_of, value_of
from services.records.formats.fhir.window import Json

_STATUSES: Final = {status.value: status for status in ResultStatus}
_RETRACTED: Final = frozenset({ResultStatus.CANCELLED, ResultStatus.ENTERED_IN_ERROR})
_REMARKS: Final = frozenset({"note", "comments", "comment", "interpretation"})
_PENDING: Final = frozenset({ResultStatus.REGISTERED, ResultStatus.PRELIMINARY})


@dataclass(slots=True)
class _Part:
    """What is measured and what it says: the observation itself, or a component of it."""

    test: Concept
    value: Value
    said: Json

    @property
    def shown(self) -> str:
        return f"{self.value.text} {self.value.unit}".strip()


@dataclass(slots=True)
class _Frame:
    """What an observation and its components have in common."""

    patient_key: str
    measured: Moment | None
    issued: Moment | None


def results(resource: Json, entry: Entry, index: Index) -> Iterator[Patient | Result]:
    """The results in an Observation, where it is laboratory work by any sign."""
    is_lab, said = own_word(resource)
    panel = index.panels.of(resource, entry)
    if not (index.panels.makes_lab(panel) if is_lab is None else is_lab):
        raise NotTaken(
            Reason.NOT_A_RESULT, said or "without a category", is_named=is_lab is not False
        )
    yield from _Reading(resource, resource, entry, index, panel.name if panel else "").results()


def inside(report: Json) -> list[Json]:
    """The Observations that a report brings inside itself."""
    contained = map(fields, each(report.get("contained")))
    return [inner for inner in contained if inner.get("resourceType") == "Observation"]


def results_inside(
    inner: Json, report: Json, entry: Entry, index: Index
) -> Iterator[Patient | Result]:
    """The results in an Observation inside a report: a laboratory's where the report is."""
    is_lab, said = own_word(inner)
    of_lab, report_said = category(report)
    if not (of_lab or not report_said if is_lab is None else is_lab):
        raise NotTaken(Reason.NOT_A_RESULT, said or report_said)
    yield from _Reading(inner, report, entry, index, concept(report.get("code")).name).results()


class _Reading:
    """One Observation being read, by itself or inside the report that holds it."""

    def __init__(
        self, resource: Json, holder: Json, entry: Entry, index: Index, panel: str
    ) -> None:
        self.resource = resource
        self.holder = holder
        self.entry = entry
        self.index = index
        self.panel = panel
        self.test = concept(resource.get("code"))
        status = _STATUSES.get(text(resource.get("status")).lower())
        self.status = status or ResultStatus.UNKNOWN

    def results(self) -> Iterator[Patient | Result]:
        own, parts = self._parts()
        to = reference(self.resource.get("subject") or self.holder.get("subject"))
        key, stranger = self.index.people.find(to, self.holder, self.entry)
        if stranger:
            yield stranger
        when, issued = self._collected(), self._issued()
        if when is None and issued is None:
            self._tell(Reason.NO_TIME, "Observation", self.test.name)
        frame = _Frame(key, when, issued)
        name = self._identity(self.index.people.who(to, key), frame, own)
        if own:
            yield self._result(own, name, frame, self.panel)
        for part in parts:
            part_name = source_id("component", name, _code(part.test).key)
            yield self._result(part, part_name, frame, self.test.name or self.panel)

    def _tell(self, reason: Reason, what: str, name: str) -> None:
        self.index.tally.add(reason, f"{what} {name}".strip(), self.entry.where)

    def _collected(self) -> Moment | None:
        found, is_bad = collected(self.resource)
        if is_bad:
            self._tell(Reason.BAD_TIME, "Observation", self.test.name)
        if found is None and self.holder is not self.resource:
            found = collected(self.holder)[0]
        return found

    def _issued(self) -> Moment | None:
        written = self.resource.get("issued") or self.holder.get("issued")
        found = moment(written)
        if found is None and written is not None:
            self._tell(Reason.BAD_TIME, "Observation", self.test.name)
        return found

    def _parts(self) -> tuple[_Part | None, list[_Part]]:
        """The observation's own value, and its components where they are tests of their own."""
        value = value_of(self.resource)
        own = _Part(self.test, value, self.resource) if value else None
        parts = list(self._components())
        if parts and not self._are_tests(parts):
            own, parts = self._joined(own, parts), []
        if own is None and self.status in _RETRACTED:
            own = _Part(self.test, Value(kind=ValueKind.ABSENT, text=""), self.resource)
        if own is None and not parts:
            if "hasMember" in self.resource:
                raise NotTaken(Reason.NO_VALUE, "heading of a panel")
            raise NotTaken(Reason.PENDING if self.status in _PENDING else Reason.NO_VALUE)
        return own, parts

    def _components(self) -> Iterator[_Part]:
        for component in each(self.resource.get("component")):
            test = concept(fields(component).get("code"))
            try:
                value = value_of(fields(component))
            except NotTaken as left_out:
                self._tell(left_out.reason, "Component", test.name)
                continue
            if value:
                yield _Part(test, value, fields(component))
            else:
                self._tell(Reason.NO_VALUE, "Component", test.name)

    def _are_tests(self, parts: list[_Part]) -> bool:
        """Whether each component is a test of its own, and not one of several lines of one."""
        keys = [best.key for part in parts if (best := part.test.best)]
        own = self.test.best
        return len(set(keys)) == len(parts) and (own is None or own.key not in keys)

    def _joined(self, own: _Part | None, parts: list[_Part]) -> _Part:
        """The components as one value, or as remarks on the value that there is."""
        if own is None and len(parts) == 1:
            said = {**self.resource, **parts[0].said}
            return _Part(self.test, parts[0].value, said)
        same = self.test.best
        lines = [
            part.shown if part.test.best == same else f"{part.test.name}: {part.shown}"
            for part in parts
        ]
        if own is None:
            value = Value(kind=ValueKind.TEXT, text="; ".join(lines))
            return _Part(self.test, value, self.resource)
        notes = [*each(self.resource.get("note")), *({"text": line} for line in lines)]
        return _Part(own.test, own.value, {**own.said, "note": notes})

    def _identity(self, who: str, frame: _Frame, own: _Part | None) -> str:
        claims, holder = self.index.claims, self.holder
        is_inside = holder is not self.resource
        kind = REPORT if is_inside else self.test.best.key if self.test.best else ""
        name = claims.named(holder, self.entry, kind, who)
        if not name:
            when = frame.measured.at.isoformat() if frame.measured else ""
            about = (when, self.index.people.birth(frame.patient_key))
            shown = own.shown if own else ""
            name = claims.loose(holder, Traits(kind, who, about, shown))
        if is_inside:
            return source_id("contained", name, text(self.resource.get("id")))
        return name

    def _result(self, part: _Part, name: str, frame: _Frame, panel: str) -> Result:
        code, said, resource = _code(part.test), part.said, self.resource
        if len(part.value.text) > MAX_TEXT:
            raise NotTaken(Reason.TOO_LARGE)
        return Result(
            source_id=name,
            patient_key=frame.patient_key,
            code=code,
            name=part.test.name or code.code,
            value=part.value,
            status=self.status,
            collected=frame.measured or frame.issued,
            issued=frame.issued,
            alternates=tuple(other for other in part.test.codes if other != code),
            ranges=ranges_of(said) if "referenceRange" in said else (),
            flags=flags_of(said) if "interpretation" in said else (),
            panel=panel if panel != part.test.name else "",
            specimen=self._name("specimen"),
            method=concept(resource["method"]).name if "method" in resource else "",
            performer=self._name("performer"),
            orderer=self._name("basedOn"),
            comment=self._comment(said),
            before=before(said) if "extension" in said else (),
        )

    def _name(self, field: str) -> str:
        """What a referenced specimen, performer or order is called; the report's for want of it."""
        value = self.resource.get(field) or self.holder.get(field)
        return self.index.names.all(value, self.holder, self.entry) if value else ""

    def _comment(self, said: Json) -> str:
        if _REMARKS.isdisjoint(said):
            return ""
        lines = [long_text(fields(note).get("text")) for note in each(said.get("note"))]
        lines.append(long_text(said.get("comments")) or long_text(said.get("comment")))
        if "interpretation" in said:
            lines += remarks_of(said)
        comment = "\n".join(filter(None, lines))
        if len(comment) > MAX_TEXT:
            raise NotTaken(Reason.TOO_LARGE)
        return comment


def _code(test: Concept) -> Code:
    best = test.best
    if best is None:
        raise NotTaken(Reason.NO_CODE_AND_NO_NAME)
    return best
