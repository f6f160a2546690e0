"""A message's segments as its orders: whose they are, what was ordered, what was found."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from services.records.domain.found import LeftOut, Patient, Reason
from services.records.formats.hl7v2.codes import Named, named
from services.records.formats.hl7v2.encoding import Encoding
from services.records.formats.hl7v2.framing import Message
from services.records.formats.hl7v2.people import has_unreadable_birth_date, patient, person
from services.records.formats.hl7v2.segments import Fields, Segment, clipped
from services.records.formats.hl7v2.values import coded_text

ON_PATIENT, ON_ORDER = 0, -1
"""What a note is on, if not on the OBX of its place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What an MSH says of its message."""

    number: int
    kind: str
    event: str
    control_id: str
    facility: str
    sent: str
    encoding: Encoding

    @property
    def name(self) -> str:
        return "^".join(filter(None, (self.kind, self.event))) or "of no type"


@dataclass(kw_only=True, slots=True)
class Order:
    """One OBR with what goes with it; observations before any OBR have an order without one."""

    pid: Segment | None = None
    begins_patient: bool = False
    """Whether it is the first of its patient in the message."""
    common: Segment | None = None
    request: Segment | None = None
    rest: list[tuple[int, Segment]] = field(default_factory=list)
    """All but the PID; an OBX comes with its place among the message's, counted from 1."""

    @property
    def has_observations(self) -> bool:
        return any(segment.name == "OBX" for _, segment in self.rest)

    @property
    def is_of_interest(self) -> bool:
        return self.request is not None or self.has_observations


@dataclass(frozen=True, kw_only=True, slots=True)
class Ordered:
    """What every result of an order takes from it."""

    patient: Patient | None
    test: Named | None
    number: str
    """The filler's order number, else the placer's; "" if neither is given."""
    collected: str
    reported: str
    status: str
    orderer: str
    specimen: str
    comment: str
    """Notes on the order or the specimen, for all that was found."""

    @property
    def panel(self) -> str:
        return clipped(self.test.name) if self.test else ""


def header_of(message: Message) -> Header:
    fields = message.segments[0].fields()
    kind, event, structure = [*fields.components(9), "", "", ""][:3]
    return Header(
        number=message.number,
        kind=(kind or structure.partition("_")[0]).upper()[:40],
        event=event.upper()[:40],
        control_id=clipped(fields.component(10)),
        facility=clipped(fields.component(4)),
        sent=fields.component(7),
        encoding=fields.encoding,
    )


def orders_of(message: Message) -> Iterator[Order]:
    """The orders in the message's sequence; a PID or an OBR begins one, an ORC before it too."""
    order = Order()
    observed = 0
    for segment in message.segments[1:]:
        if segment.name == "PID":
            yield order
            order = Order(pid=segment, begins_patient=True)
        elif segment.name == "ORC":
            if order.common or order.request or order.has_observations:
                yield order
                order = Order(pid=order.pid)
            order.common = segment
            order.rest.append((observed, segment))
        elif segment.name == "OBR":
            if order.request or order.has_observations:
                yield order
                order = Order(pid=order.pid)
            order.request = segment
            order.rest.append((observed, segment))
        else:
            observed += segment.name == "OBX"
            order.rest.append((observed, segment))
    yield order


def ordered(order: Order, header: Header) -> Ordered:
    """Read what the order says for all its results."""
    nothing = Fields([], header.encoding)
    request = order.request.fields() if order.request else nothing
    common = order.common.fields() if order.common else nothing
    specimens = [segment.fields() for _, segment in order.rest if segment.name == "SPM"]
    return Ordered(
        patient=patient(order.pid.fields(), header.control_id) if order.pid else None,
        test=named(request, 4),
        number=number_of(request, 3)
        or number_of(common, 3)
        or number_of(request, 2)
        or number_of(common, 2),
        collected=request.component(7),
        reported=request.component(22),
        status=request.component(25).upper()[:1],
        orderer=person(request, 16) or person(common, 12),
        specimen=_specimen(specimens, request),
        comment=tidy([note(segment) for segment in notes_on_the_order(order)]),
    )


def number_of(fields: Fields, number: int) -> str:
    """An order's or a document's number with whoever gave it, as one text."""
    return "^".join(fields.components(number)).rstrip("^")


def introduced(
    pid: Segment | None, patient: Patient | None, header: Header, *, first: bool
) -> Iterator[Patient | LeftOut]:
    """The patient, before anything of theirs."""
    if patient:
        yield patient
    if pid and first and has_unreadable_birth_date(pid.fields()):
        where = f"message {header.number}"
        yield LeftOut(reason=Reason.BAD_TIME, what="Birth date of the patient", where=where)


def _specimen(specimens: list[Fields], request: Fields) -> str:
    texts = [coded_text(specimen.components(4)) for specimen in specimens]
    code, *rest = request.subparts(request.repeats(15)[0], 1)
    return clipped(next(filter(None, [*texts, *rest, code]), ""))


def notes_on_the_order(order: Order) -> list[Segment]:
    """What the laboratory noted on the order or the specimen, so on all that was found."""
    return [segment for owner, segment in notes(order) if owner == ON_ORDER]


def notes(order: Order) -> Iterator[tuple[int, Segment]]:
    """Each NTE with what it is on: the patient, the order, or the OBX of that place."""
    owner = ON_PATIENT
    for place, segment in order.rest:
        if segment.name == "OBX":
            owner = place
        elif segment.name in {"ORC", "OBR", "SPM"}:
            owner = ON_ORDER
        elif segment.name == "NTE":
            yield owner, segment


def note(segment: Segment) -> str:
    """The text of an NTE; each repetition is a line."""
    fields = segment.fields()
    return "\n".join(fields.text(each) for each in fields.repeats(3))


def tidy(lines: list[str]) -> str:
    """Lines as one text, without blanks at their ends and without empty lines around them."""
    return "\n".join(line.rstrip() for text in lines for line in text.split("\n")).strip("\n")
