"""What tells a result from every other, and stays when it is sent again or corrected."""

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass, field

from services.records.domain.result import ResultStatus
from services.records.formats.hl7v2 import times
from services.records.formats.hl7v2.observations import Observation
from services.records.formats.hl7v2.orders import Header, Ordered
from services.records.formats.hl7v2.standing import NOT_YET, REPLACING


def source_id(*parts: str) -> str:
    """One short name for what these parts identify, which tells nobody what they are."""
    return "hl7v2:" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def identity_of(header: Header, order: Ordered, found: Observation) -> str:
    """Whose it is, the laboratory's order number, the test, its sub-id, when it was collected.

    The message counts only where neither an order nor a collection is named: it is another one
    each time.
    """
    observed = times.moment(found.time) or times.moment(order.collected)
    parts = [
        header.facility,
        order.patient.key if order.patient else "",
        order.number,
        found.test.identity if found.test else "",
        found.sub_id,
        f"{observed.at.isoformat()} {observed.precision}" if observed else "",
    ]
    if not order.number and not observed:
        parts += [order.reported, header.sent, header.control_id]
    return source_id(*parts)


@dataclass(slots=True)
class Said:
    """What a message has said so far: several results alike, or one result and its correction."""

    last: dict[str, tuple[int, int, ResultStatus]] = field(default_factory=dict)

    def ordinal(self, identity: str, content: Hashable, status: ResultStatus) -> int | None:
        """Which of several alike this is, from 0; None if the one before says the very same."""
        digest = hash(content)
        before = self.last.get(identity)
        if before is None:
            count = 0
        else:
            count, same, earlier = before
            if same == digest:
                return None
            corrects = status in REPLACING or (earlier in NOT_YET and status not in NOT_YET)
            count += not corrects
        self.last[identity] = (count, digest, status)
        return count
