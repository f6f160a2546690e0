"""From DocumentReference, DiagnosticReport and Binary to documents with their content."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from services.records.domain.found import Document, Patient, Reason
from services.records.domain.result import LOINC, Moment, ResultStatus
from services.records.formats.fhir import attachments
from services.records.formats.fhir.elements import (
    Concept,
    concept,
    each,
    fields,
    long_text,
    name_of,
    text,
)
from services.records.formats.fhir.identity import REPORT, Traits, source_id
from services.records.formats.fhir.index import Index
from services.records.formats.fhir.leftout import NotTaken
from services.records.formats.fhir.limits import MAX_NAMED
from services.records.formats.fhir.moments import collected, moment
from services.records.formats.fhir.references import addresses, reference, wanted
from services.records.formats.fhir.stream import Entry
from services.records.formats.fhir.window import Json

_STATUSES: Final = {
    "partial": ResultStatus.PRELIMINARY,
    "appended": ResultStatus.AMENDED,
    **{status.value: status for status in ResultStatus},
}
_GIST: Final = 4096
_IN_ERROR: Final = "entered-in-error"


@dataclass(slots=True)
class _Waiting:
    """A document whose content is a Binary of the same file, still to be met."""

    document: Document
    source: str
    entry: Entry


class Documents:
    """The documents of one file, each of them once."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._seen: dict[tuple[str, bytes], list[tuple[str, Moment | None]]] = {}
        self._waiting: dict[int, list[_Waiting]] = {}
        self._waiting_count = 0

    def from_reference(self, resource: Json, entry: Entry) -> Iterator[Patient | Document]:
        """A DocumentReference: a document for each of its attachments."""
        kind = concept(resource.get("type"))
        context = fields(resource.get("context"))
        who, key, found = self._about(resource, entry)
        yield from found
        people, claims = self._index.people, self._index.claims
        birth = people.birth(key)
        template = Document(
            source_id="",
            patient_key=key,
            title=text(resource.get("description")) or kind.name,
            media_type="",
            content=b"",
            kind=kind.name,
            kind_code=_loinc(kind),
            dated=moment(resource.get("date"))
            or moment(fields(context.get("period")).get("start")),
            author=self._index.names.all(resource.get("author"), resource, entry),
            status=_document_status(resource),
        )
        contents = [fields(one).get("attachment") for one in each(resource.get("content"))]
        name = claims.identify_document(
            resource, entry, who=who, birth=birth, content=_gist(contents)
        )
        for relation in each(resource.get("relatesTo")):
            to = reference(fields(relation).get("target")).to
            if fields(relation).get("code") == "replaces" and to:
                earlier = claims.replaced(to, entry, who=who, birth=birth)
                template = replace(template, replaces=earlier)
        yield from self._attached(contents, replace(template, source_id=name), resource, entry)

    def from_report(self, resource: Json, entry: Entry) -> Iterator[Patient | Document]:
        """A DiagnosticReport: its presented forms, or its conclusion where it has none."""
        kind = concept(resource.get("code"))
        who, key, found = self._about(resource, entry)
        yield from found
        names = self._index.names
        forms = each(resource.get("presentedForm"))
        dated = collected(resource)[0] or moment(resource.get("issued"))
        about = (self._index.people.birth(key), kind.name, dated.at.isoformat() if dated else "")
        template = Document(
            source_id=self._index.claims.identify(
                resource, entry, Traits(REPORT, who, about, str(len(forms)))
            ),
            patient_key=key,
            title=kind.name,
            media_type="",
            content=b"",
            kind=kind.name,
            kind_code=_loinc(kind),
            dated=dated,
            author=names.all(resource.get("resultsInterpreter"), resource, entry)
            or names.all(resource.get("performer"), resource, entry),
            status=_STATUSES.get(text(resource.get("status")).lower(), ResultStatus.UNKNOWN),
        )
        conclusion = _conclusion(resource)
        if forms:
            yield from self._attached(forms, template, resource, entry)
        if conclusion and not any(fields(form).get("data") for form in forms):
            told = replace(
                template,
                source_id=source_id("conclusion", template.source_id),
                title=template.title or "Conclusion",
                media_type="text/plain; charset=utf-8",
                content=conclusion.encode(),
            )
            yield from self._once(told, REPORT)
        elif not forms:
            if each(resource.get("result")):
                raise NotTaken(
                    Reason.NO_CONTENT, "its results stand for themselves", is_named=False
                )
            raise NotTaken(Reason.NO_CONTENT)

    def _about(self, resource: Json, entry: Entry) -> tuple[str, str, list[Patient]]:
        to = reference(resource.get("subject"))
        key, stranger = self._index.people.find(to, resource, entry)
        return self._index.people.who(to, key), key, [stranger] if stranger else []

    def _attached(
        self, found: list[Any], template: Document, resource: Json, entry: Entry
    ) -> Iterator[Document]:
        source = text(resource.get("resourceType"))
        if not found and template.status is not ResultStatus.ENTERED_IN_ERROR:
            raise NotTaken(Reason.NO_CONTENT)
        for number, attachment in enumerate(found or [{}]):
            said = fields(attachment)
            name = template.source_id
            title = text(said.get("title")) or template.title or "Document"
            document = replace(
                template,
                source_id=source_id("attachment", name, str(number)) if number else name,
                title=title,
                media_type=attachments.media_type(said),
                dated=template.dated or moment(said.get("creation")),
            )
            try:
                content = attachments.content(attachment)
                if content is not None:
                    yield from self._once(replace(document, content=content), source)
                else:
                    self._wait(document, text(said.get("url")), source, entry)
            except NotTaken as left_out:
                if document.status is ResultStatus.ENTERED_IN_ERROR:
                    yield document
                else:
                    what = f"{source} {title}"
                    self._index.tally.add(left_out.reason, what, entry.where)

    def _once(self, document: Document, source: str) -> Iterator[Document]:
        """The document, unless the file brought it already as a document or with a report."""
        same = self._seen.setdefault((document.patient_key, _digest(document.content)), [])
        day = document.dated
        for other, dated in same:
            if dated == day or (other != source and (not dated or not day or _day(dated, day))):
                raise NotTaken(Reason.DUPLICATE)
        same.append((source, day))
        yield document

    def _wait(self, document: Document, url: str, source: str, entry: Entry) -> None:
        url = url.removeprefix("./").lstrip("/")
        for place in wanted(url, entry):
            if hash(place) in self._index.binaries and self._waiting_count < MAX_NAMED:
                self._waiting_count += 1
                waiting = _Waiting(document, source, entry)
                self._waiting.setdefault(hash(place), []).append(waiting)
                return
        raise NotTaken(Reason.CONTENT_ELSEWHERE)

    def from_binary(self, resource: Json, entry: Entry) -> Iterator[Patient | Document]:
        """A Binary: the content of the documents that wait for it, or a document by itself."""
        to = reference(resource.get("securityContext"))
        declared = attachments.media_type(resource)
        places = map(hash, addresses(resource, entry))
        waiting = [one for place in places for one in self._waiting.pop(place, [])]
        if not waiting and entry.scope and to.kind != "Patient":
            raise NotTaken(Reason.NO_PATIENT, "no document refers to it")
        try:
            content = attachments.decoded(resource.get("data") or resource.get("content"))
        except NotTaken as left_out:
            for one in waiting:
                self._tell(one, left_out.reason)
            if waiting:
                return
            raise
        for one in waiting:
            known = one.document.media_type
            media_type = declared if known == attachments.UNKNOWN_TYPE else known
            document = replace(one.document, content=content, media_type=media_type)
            try:
                yield from self._once(document, one.source)
            except NotTaken as left_out:
                self._tell(one, left_out.reason)
        if waiting:
            return
        key, stranger = "", None
        if to.kind in ("", "Patient"):
            key, stranger = self._index.people.find(to, resource, entry)
        if stranger:
            yield stranger
        who, digest = self._index.people.who(to, key), _digest(content).hex()
        traits = Traits("Binary", who, (self._index.people.birth(key), digest))
        yield from self._once(
            Document(
                source_id=self._index.claims.identify(resource, entry, traits),
                patient_key=key,
                title="Document",
                media_type=declared,
                content=content,
            ),
            "Binary",
        )

    def settle(self) -> None:
        """Tell of the documents whose Binary could not be taken."""
        for several in self._waiting.values():
            for one in several:
                self._tell(one, Reason.BAD_CONTENT)

    def _tell(self, one: _Waiting, reason: Reason) -> None:
        self._index.tally.add(reason, f"{one.source} {one.document.title}", one.entry.where)


def _conclusion(report: Json) -> str:
    """What the report concludes, in words and in the words of its codes."""
    coded = [name_of(one) for one in each(report.get("conclusionCode"))]
    return "\n".join(filter(None, (long_text(report.get("conclusion")), *coded)))


def _gist(contents: list[Any]) -> str:
    """Enough of the content to tell it from another, where nothing else does."""
    data = fields(contents[0]).get("data") if contents else None
    if not isinstance(data, str):
        return ""
    return f"{len(data)} {data[:_GIST]} {data[-_GIST:]}"


def _day(one: Moment, other: Moment) -> bool:
    return one.at.date() == other.at.date()


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _loinc(kind: Concept) -> str:
    return next((code.code for code in kind.codes if code.system == LOINC), "")


def _document_status(resource: Json) -> ResultStatus:
    if resource.get("status") == _IN_ERROR:
        return ResultStatus.ENTERED_IN_ERROR
    written = text(resource.get("docStatus")) or name_of(resource.get("docStatus"))
    return _STATUSES.get(written.lower(), ResultStatus.UNKNOWN)
