"""From an order to its results, and to what of it is none.

Every OBX is a result, unless it says itself that it is not one (status O), carries a document, or
stands in a message of another trade: see `__init__`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from services.records.domain.found import Document, Found, LeftOut, Reason
from services.records.domain.result import (
    LOINC,
    Moment,
    ReferenceRange,
    Result,
    ResultStatus,
    Value,
    ValueKind,
)
from services.records.formats.hl7v2 import embedded, times
from services.records.formats.hl7v2.codes import Named
from services.records.formats.hl7v2.identity import Said, identity_of, source_id
from services.records.formats.hl7v2.observations import (
    LONGEST_TEXT,
    Observation,
    goes_on,
    join,
    observation,
)
from services.records.formats.hl7v2.orders import (
    ON_ORDER,
    ON_PATIENT,
    Header,
    Order,
    Ordered,
    introduced,
    note,
    notes,
    ordered,
    tidy,
)
from services.records.formats.hl7v2.people import person
from services.records.formats.hl7v2.ranges import reference_range
from services.records.formats.hl7v2.segments import LONGEST_LABEL, clipped
from services.records.formats.hl7v2.standing import (
    NO_RESULT,
    NOT_ASKED,
    NOT_YET,
    ORDERS_NOT_YET,
    WITHDRAWN,
    status_of,
)
from services.records.formats.hl7v2.values import coded_text, plain, read_value

LONGEST_ORDER_COMMENT = 20_000
"""Characters noted on an order, since they are said again with each of its results."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """An observation where it stands, with what it takes from its order and its message."""

    header: Header
    order: Ordered
    found: Observation
    status: ResultStatus
    test: Named | None

    @property
    def where(self) -> str:
        where = f"message {self.header.number}, OBX {self.found.first}"
        return where if self.found.count == 1 else f"{where} to {self.found.last}"

    def left_out(self, reason: Reason, addition: str = "") -> LeftOut:
        name = clipped(self.test.name) if self.test else ""
        what = " ".join(filter(None, ("OBX", name, addition)))
        return LeftOut(reason=reason, what=what, where=self.where, count=self.found.count)

    @property
    def collected(self) -> Moment | None:
        """When it was collected, else reported, else sent."""
        candidates = map(times.moment, self._times)
        return next((moment for moment in candidates if moment), None)

    @property
    def has_bad_time(self) -> bool:
        return any(written and not times.moment(written) for written in self._times)

    @property
    def _times(self) -> tuple[str, ...]:
        return (self.found.time, self.order.collected, self.order.reported, self.header.sent)


def results(order: Order, header: Header, said: Said) -> Iterator[Found]:
    """What one order found, its lines of text put together and its comments where they belong."""
    frame = ordered(order, header)
    if not order.has_observations:
        yield from _nothing_found(order, frame, header)
        return
    yield from introduced(order.pid, frame.patient, header, first=order.begins_patient)
    if len(frame.comment) > LONGEST_ORDER_COMMENT:
        frame = replace(frame, comment="")
        yield _note_left_out(Reason.TOO_LARGE, "the order", header, 1)
    patient_notes = sum(owner == ON_PATIENT for owner, _ in notes(order))
    if patient_notes:
        yield _note_left_out(Reason.NOT_SUPPORTED, "the patient", header, patient_notes)
    for found in _observations(order, frame):
        finding = Finding(
            header=header,
            order=frame,
            found=found,
            status=status_of(found.status, frame.status),
            test=found.test,
        )
        yield from _taken(finding, said)


def _nothing_found(order: Order, frame: Ordered, header: Header) -> Iterator[LeftOut]:
    """Say that an order came without its results; a group of other segments needs no word."""
    if order.request:
        reason = Reason.PENDING if frame.status in ORDERS_NOT_YET else Reason.NO_VALUE
        what = " ".join(filter(None, ("Order", frame.panel, "(without an OBX)")))
        yield LeftOut(reason=reason, what=what, where=f"message {header.number}")


def _note_left_out(reason: Reason, on: str, header: Header, count: int) -> LeftOut:
    where = f"message {header.number}"
    return LeftOut(reason=reason, what=f"Note (NTE) on {on}", where=where, count=count)


def _observations(order: Order, frame: Ordered) -> Iterator[Observation]:
    current: Observation | None = None
    owners = notes(order)
    for place, segment in order.rest:
        if segment.name == "OBX":
            line = observation(segment, place, frame.test)
            if current and goes_on(current, line):
                join(current, line)
                continue
            if current:
                yield current
            current = line
        elif segment.name == "NTE":
            owner, _ = next(owners)
            if current and owner not in {ON_ORDER, ON_PATIENT}:
                current.add_comment(note(segment))
    yield from filter(None, [current])


def _taken(finding: Finding, said: Said) -> Iterator[Found]:
    """The result or the document of an observation, or why there is none."""
    found = finding.found
    test = finding.test
    if _is_too_large(finding):
        yield finding.left_out(Reason.TOO_LARGE)
    elif embedded.is_document(found.value_type, found.fields):
        yield _document(finding, said)
    elif test is None:
        yield finding.left_out(Reason.NO_CODE_AND_NO_NAME)
    elif found.status == NO_RESULT:
        yield finding.left_out(Reason.NOT_A_RESULT, "(order detail)")
    elif found.status == NOT_ASKED:
        yield finding.left_out(Reason.CANCELLED, "(not asked for)")
    else:
        yield from _result(finding, test, said)


def _is_too_large(finding: Finding) -> bool:
    found, test = finding.found, finding.test
    labels = [found.sub_id, found.unit, *found.flags]
    if test:
        codes = (test.code, *test.alternates)
        labels += [test.name, *(part for code in codes for part in (code.code, code.system))]
    return found.too_large or any(len(label) > LONGEST_LABEL for label in labels)


def _result(finding: Finding, test: Named, said: Said) -> Iterator[Found]:
    found, order = finding.found, finding.order
    value = _value(found)
    if value is None and finding.status not in WITHDRAWN:
        reason = Reason.PENDING if finding.status in NOT_YET else Reason.NO_VALUE
        yield finding.left_out(reason, "(with a comment)" if found.comments_size else "")
        return
    result = Result(
        source_id="",
        patient_key=order.patient.key if order.patient else "",
        code=test.code,
        name=test.name,
        value=value or Value(kind=ValueKind.ABSENT, text=""),
        status=finding.status,
        collected=finding.collected,
        issued=times.moment(order.reported),
        alternates=test.alternates,
        ranges=_ranges(found),
        flags=found.flags,
        panel=order.panel,
        specimen=order.specimen,
        method=clipped(coded_text(found.fields.components(17))),
        performer=_performer(found),
        orderer=order.orderer,
        comment=_comment(found, order),
    )
    identity = identity_of(finding.header, order, found)
    ordinal = said.ordinal(identity, result, finding.status)
    if ordinal is None:
        yield finding.left_out(Reason.DUPLICATE)
        return
    yield replace(result, source_id=source_id("result", identity, str(ordinal)))
    if found.comments_size > LONGEST_TEXT:
        yield finding.left_out(Reason.TOO_LARGE, "(only its comment)")
    if result.collected is None:
        yield finding.left_out(Reason.NO_TIME)
    elif finding.has_bad_time:
        yield finding.left_out(Reason.BAD_TIME)


def _document(finding: Finding, said: Said) -> Document | LeftOut:
    """The document of an OBX; one that is taken back comes without its content."""
    found, order, test = finding.found, finding.order, finding.test
    identity = identity_of(finding.header, order, found)
    if finding.status in WITHDRAWN:
        content: embedded.Content | Reason = embedded.Content(media_type="", data=b"")
        status = ResultStatus.ENTERED_IN_ERROR
    else:
        content = embedded.content(found.value_type, found.fields)
        status = finding.status
    if isinstance(content, Reason):
        return finding.left_out(content)
    ordinal = said.ordinal(identity, content.data, status)
    if ordinal is None:
        return finding.left_out(Reason.DUPLICATE)
    return Document(
        source_id=source_id("document", identity, str(ordinal)),
        patient_key=order.patient.key if order.patient else "",
        title=(test.name if test else order.panel) or "Document",
        media_type=content.media_type,
        content=content.data,
        kind=order.panel,
        kind_code=test.code.code if test and test.code.system == LOINC else "",
        dated=finding.collected,
        author=person(found.fields, 16),
        status=status,
    )


def _value(found: Observation) -> Value | None:
    if not found.lines:
        return read_value(found.value_type, found.fields, found.unit)
    text = "\n".join(found.lines).strip("\n").rstrip()
    if not text.strip():
        return None
    if "\n" in text:
        return Value(kind=ValueKind.TEXT, text=text, unit=found.unit)
    return replace(plain(text.strip()), unit=found.unit)


def _ranges(found: Observation) -> tuple[ReferenceRange, ...]:
    read = reference_range(clipped(found.range_text), found.unit)
    return (read,) if read else ()


def _performer(found: Observation) -> str:
    return clipped(found.fields.component(23) or coded_text(found.fields.components(15)))


def _comment(found: Observation, order: Ordered) -> str:
    own = "" if found.comments_size > LONGEST_TEXT else tidy(found.comments)
    return "\n".join(filter(None, (own, order.comment)))
