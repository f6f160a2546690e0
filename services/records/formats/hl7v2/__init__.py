"""HL7 v2 messages: ORU, MDM and whatever else carries observations.

A message is read as its own separators, character set and line ends have it. Nothing of it is
dropped silently: an observation becomes a result, a line of one, or a document, or is left out
with the reason.

Which observations are results: those of every message, but for those named in `OTHER_TRADES`,
where an OBX is what somebody knew or asked on the way (height and weight at an admission, an
answer that came with an order, why a vaccine was paid for).
"""

from collections.abc import Iterator
from typing import BinaryIO

from services.records.domain.found import Found, LeftOut, Patient, Reason
from services.records.formats.hl7v2.documents import documents
from services.records.formats.hl7v2.framing import Message, messages
from services.records.formats.hl7v2.identity import Said
from services.records.formats.hl7v2.orders import Header, header_of, orders_of
from services.records.formats.hl7v2.results import results

__all__ = ["read"]

OTHER_TRADES = frozenset(
    {"ADT", "BAR", "DFT", "OMB", "OMD", "OMG", "OMI", "OML", "OMN", "OMP", "OMS", "ORM", "PMU"}
    | {"RAS", "RDE", "RDS", "RGV", "SIU", "SRM", "VXU", "VXR", "VXX"}
)
_DOCUMENT_MESSAGE = "MDM"
MOST_REMEMBERED_PATIENTS = 10_000


def read(source: BinaryIO) -> Iterator[Found]:
    """Everything in a file of messages, one message held at a time."""
    told: set[int] = set()
    for message in messages(source):
        if isinstance(message, LeftOut):
            yield message
            continue
        yield from message.too_large
        for found in _message(message):
            if isinstance(found, Patient):
                if hash(found) in told:
                    continue
                if len(told) >= MOST_REMEMBERED_PATIENTS:
                    told.clear()
                told.add(hash(found))
            yield found


def _message(message: Message) -> Iterator[Found]:
    header = header_of(message)
    orders = list(orders_of(message))
    if header.kind == _DOCUMENT_MESSAGE:
        yield from documents(orders, header)
    elif header.kind in OTHER_TRADES or not any(order.is_of_interest for order in orders):
        yield from _not_supported(message, header)
    else:
        said = Said()
        for order in orders:
            yield from results(order, header, said)


def _not_supported(message: Message, header: Header) -> Iterator[LeftOut]:
    where = f"message {header.number}"
    yield LeftOut(reason=Reason.NOT_SUPPORTED, what=f"{header.name} message", where=where)
    observations = sum(segment.name == "OBX" for segment in message.segments)
    if observations:
        what = f"OBX in a message of kind {header.kind}"
        each = f"{where}, OBX 1" if observations == 1 else f"{where}, OBX 1 to {observations}"
        yield LeftOut(reason=Reason.NOT_A_RESULT, what=what, where=each, count=observations)
