"""From an MDM message to its documents: its text, and whatever else it carries."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from services.records.domain.found import Document, Found, LeftOut, Patient, Reason
from services.records.domain.result import LOINC, Moment, ResultStatus
from services.records.formats.hl7v2 import embedded, times
from services.records.formats.hl7v2.codes import Named, named
from services.records.formats.hl7v2.identity import source_id
from services.records.formats.hl7v2.orders import Header, Order, introduced, note, number_of, tidy
from services.records.formats.hl7v2.people import patient, person
from services.records.formats.hl7v2.segments import Fields, Segment, clipped
from services.records.formats.hl7v2.standing import WITHDRAWN, status_letter, status_of
from services.records.formats.hl7v2.values import TEXT_TYPES, read_value, text_lines

LONGEST_DOCUMENT = 2_000_000
"""Characters of a document that is sent as text."""

_TEXT = "text"
_MOST_PARTS = 20
_REPLACEMENTS = frozenset({"T09", "T10"})
_CANCELLATION = "T11"
_DELETED = "CA"
_POINTERS = frozenset({"HD", "EI", "OG"})
"""Value types that only point: to a study, to another system."""
_KINDS = {
    "AR": "Autopsy report",
    "CD": "Cardiodiagnostics",
    "CN": "Consultation",
    "DI": "Diagnostic imaging",
    "DS": "Discharge summary",
    "ED": "Emergency department report",
    "HP": "History and physical examination",
    "OP": "Operative report",
    "PC": "Psychiatric consultation",
    "PH": "Psychiatric history and physical examination",
    "PN": "Procedure note",
    "PR": "Progress note",
    "SP": "Surgical pathology",
    "TS": "Transfer summary",
}
_STATUSES = {
    "DI": ResultStatus.PRELIMINARY,
    "DO": ResultStatus.PRELIMINARY,
    "IN": ResultStatus.PRELIMINARY,
    "IP": ResultStatus.PRELIMINARY,
    "PA": ResultStatus.PRELIMINARY,
    "AU": ResultStatus.FINAL,
    "LA": ResultStatus.FINAL,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """What TXA, PID and OBR say of every document in the message."""

    header: Header
    patient: Patient | None
    number: str
    parent: str
    title: str
    kind: str
    kind_code: str
    dated: Moment | None
    author: str
    status: ResultStatus
    file_name: str
    is_deleted: bool

    @property
    def where(self) -> str:
        return f"message {self.header.number}"

    def withdrawn(self, part: str) -> Document:
        """The same part as it was sent before, taken back."""
        return replace(self.document(part, "", b""), status=ResultStatus.ENTERED_IN_ERROR)

    def document(self, part: str, media_type: str, content: bytes) -> Document:
        """One part of the message as a document; `part` tells it from the message's others."""
        replaces_another = self.header.event in _REPLACEMENTS and self.parent
        return Document(
            source_id=self._source_id(self.number or self.header.control_id, part),
            patient_key=self.patient.key if self.patient else "",
            title=self.title,
            media_type=media_type,
            content=content,
            kind=self.kind,
            kind_code=self.kind_code,
            dated=self.dated,
            author=self.author,
            file_name=self.file_name,
            replaces=self._source_id(self.parent, part) if replaces_another else "",
            status=self.status,
        )

    def _source_id(self, number: str, part: str) -> str:
        owner = self.patient.key if self.patient else ""
        return source_id("document", self.header.facility, owner, number, part)


@dataclass(slots=True)
class _Text:
    """The text of the message so far: paragraphs, each under the name its OBX gives it."""

    paragraphs: list[tuple[str, list[str]]] = field(default_factory=list)
    size: int = 0
    count: int = 0
    withdrawn: int = 0

    def add(self, name: str, lines: list[str]) -> None:
        self.size += sum(len(line) + 1 for line in lines)
        if self.size > LONGEST_DOCUMENT:
            self.paragraphs.clear()
        elif self.paragraphs and self.paragraphs[-1][0] == name:
            self.paragraphs[-1][1].extend(lines)
        else:
            self.paragraphs.append((name, lines))

    def joined(self) -> str:
        """The whole text; names are headings where there are several."""
        several = len({name for name, _ in self.paragraphs}) > 1
        parts = [
            "\n".join([name, *lines] if several and name else lines)
            for name, lines in self.paragraphs
        ]
        return tidy(["\n\n".join(parts)])


def documents(orders: list[Order], header: Header) -> Iterator[Found]:
    """The documents of an MDM: one text of all OBX that are no document themselves, and those."""
    frame = _frame(orders, header)
    segments = [each for order in orders for each in order.rest]
    observed = sum(segment.name == "OBX" for _, segment in segments)
    cancelled = header.event == _CANCELLATION or frame.is_deleted
    if cancelled or not observed:
        reason = Reason.CANCELLED if cancelled else Reason.NO_CONTENT
        what = f"{header.name} message"
        yield LeftOut(reason=reason, what=what, where=frame.where, count=max(observed, 1))
        if cancelled and frame.number:
            yield from _taken_back(frame, observed)
        return
    pid = next((order.pid for order in orders if order.pid), None)
    yield from introduced(pid, frame.patient, header, first=True)
    text = _Text()
    embedded_so_far: list[str] = []
    notes_before = 0
    for place, segment in segments:
        if segment.name == "OBX":
            yield from _observed(segment, place, frame, text, embedded_so_far)
        elif segment.name == "NTE" and place:
            text.add(text.paragraphs[-1][0] if text.paragraphs else "", [note(segment)])
        elif segment.name == "NTE":
            notes_before += 1
    yield from _text_document(frame, text)
    if notes_before:
        what = "Note (NTE) outside the text"
        reason = Reason.NOT_SUPPORTED
        yield LeftOut(reason=reason, what=what, where=frame.where, count=notes_before)


def _taken_back(frame: Frame, observed: int) -> Iterator[Found]:
    """Every part that the cancelled document may have had; it is cancelled without them."""
    if frame.patient:
        yield frame.patient
    yield frame.withdrawn(_TEXT)
    for number in range(min(max(observed, 1), _MOST_PARTS)):
        yield frame.withdrawn(_embedded(number))


def _embedded(number: int) -> str:
    return f"embedded {number}"


def _observed(
    segment: Segment, place: int, frame: Frame, text: _Text, embedded_so_far: list[str]
) -> Iterator[Found]:
    fields = segment.fields()
    value_type = fields.component(2).upper()
    test = named(fields, 3)
    name = clipped(test.name) if test else ""

    def left_out(reason: Reason) -> LeftOut:
        what = " ".join(filter(None, ("OBX", name)))
        return LeftOut(reason=reason, what=what, where=f"{frame.where}, OBX {place}")

    withdrawn = status_of(status_letter(fields)) in WITHDRAWN
    if embedded.is_document(value_type, fields):
        content = embedded.content(value_type, fields)
        part = _embedded(len(embedded_so_far))
        if withdrawn:
            embedded_so_far.append("")
            yield frame.withdrawn(part)
        elif isinstance(content, Reason):
            yield left_out(content)
        elif (digest := hashlib.sha256(content.data).hexdigest()) in embedded_so_far:
            yield left_out(Reason.DUPLICATE)
        else:
            embedded_so_far.append(digest)
            yield frame.document(part, content.media_type, content.data)
    elif withdrawn:
        text.withdrawn += 1
        yield left_out(Reason.ENTERED_IN_ERROR)
    elif value_type in _POINTERS:
        yield left_out(Reason.NOT_A_RESULT)
    else:
        text.count += 1
        text.add(name, _lines(value_type, name, fields))


def _lines(value_type: str, name: str, fields: Fields) -> list[str]:
    """An OBX as lines of the text; a value of another type is said with its name."""
    if len(fields.raw(5)) > LONGEST_DOCUMENT or value_type in TEXT_TYPES:
        return text_lines(fields)
    value = read_value(value_type, fields, fields.component(6))
    if value is None:
        return [""]
    said = f"{value.text} {value.unit}".rstrip()
    return [f"{name}: {said}" if name else said]


def _text_document(frame: Frame, text: _Text) -> Iterator[Found]:
    if not text.count:
        if text.withdrawn:
            yield frame.withdrawn(_TEXT)
        return
    joined = text.joined()
    if joined.strip() and text.size <= LONGEST_DOCUMENT:
        yield frame.document(_TEXT, embedded.UTF8_TEXT, joined.encode())
        return
    reason = Reason.TOO_LARGE if text.size > LONGEST_DOCUMENT else Reason.NO_CONTENT
    what = "Text of the document"
    yield LeftOut(reason=reason, what=what, where=frame.where, count=text.count)


def _frame(orders: list[Order], header: Header) -> Frame:
    segments = [segment for order in orders for _, segment in order.rest]
    txa = next((segment for segment in segments if segment.name == "TXA"), None)
    nothing = Fields([], header.encoding)
    fields = txa.fields() if txa else nothing
    request = next((order.request for order in orders if order.request), None)
    asked = request.fields() if request else nothing
    pid = next((order.pid for order in orders if order.pid), None)
    first = next((segment for segment in segments if segment.name == "OBX"), None)
    subject = named(first.fields(), 3) if first else None
    kind = named(fields, 2)
    kind_name = _KINDS.get(kind.name, kind.name) if kind else ""
    code = kind.code if kind else None
    test = named(asked, 4) or subject
    candidates = [
        *(fields.component(number) for number in (4, 6, 7)),
        asked.component(7),
        asked.component(22),
        header.sent,
    ]
    return Frame(
        header=header,
        patient=patient(pid.fields(), header.control_id) if pid else None,
        number=number_of(fields, 12),
        parent=number_of(fields, 13),
        title=clipped(fields.component(25) or (test.name if test else "") or kind_name)
        or "Document",
        kind=clipped(kind_name),
        kind_code=code.code if code and code.system == LOINC else _loinc(subject),
        dated=next((moment for each in candidates if (moment := times.moment(each))), None),
        author=person(fields, 9) or person(fields, 5) or person(fields, 22),
        status=_STATUSES.get(fields.component(17).upper(), ResultStatus.UNKNOWN),
        file_name=clipped(fields.component(16)),
        is_deleted=fields.component(19).upper() == _DELETED,
    )


def _loinc(test: Named | None) -> str:
    return test.code.code if test and test.code.system == LOINC else ""
