"""How far a laboratory stands behind a result (HL7 tables 0085 and 0123), and how it flags it."""

from services.records.domain.result import ResultStatus
from services.records.formats.hl7v2.segments import Fields

NO_RESULT = "O"
"""OBX-11 of an order's detail, which says itself that it is no result."""
NOT_ASKED = "N"

_STATUSES = {
    "F": ResultStatus.FINAL,
    "U": ResultStatus.FINAL,
    "V": ResultStatus.FINAL,
    "C": ResultStatus.CORRECTED,
    "A": ResultStatus.AMENDED,
    "B": ResultStatus.AMENDED,
    "P": ResultStatus.PRELIMINARY,
    "R": ResultStatus.PRELIMINARY,
    "S": ResultStatus.PRELIMINARY,
    "I": ResultStatus.REGISTERED,
    "X": ResultStatus.CANCELLED,
    "D": ResultStatus.ENTERED_IN_ERROR,
    "W": ResultStatus.ENTERED_IN_ERROR,
}
_ORDER_STATUSES = {
    "F": ResultStatus.FINAL,
    "C": ResultStatus.CORRECTED,
    "P": ResultStatus.PRELIMINARY,
    "R": ResultStatus.PRELIMINARY,
    "A": ResultStatus.PRELIMINARY,
}
ORDERS_NOT_YET = frozenset("OISPR")
"""OBR-25 of an order whose results are still to come."""
WITHDRAWN = frozenset({ResultStatus.CANCELLED, ResultStatus.ENTERED_IN_ERROR})
NOT_YET = frozenset({ResultStatus.REGISTERED, ResultStatus.PRELIMINARY})
REPLACING = frozenset({ResultStatus.CORRECTED, ResultStatus.AMENDED}) | WITHDRAWN

_CRITICAL_FIRST = ("HH", "LL", "AA", ">", "<", "H", "L", "A")
_LAST = ("N", "NA")


def status_letter(fields: Fields) -> str:
    return fields.component(11).upper()[:1]


def status_of(letter: str, order_letter: str = "") -> ResultStatus:
    """The status of an OBX; where it says nothing, the status of its order."""
    if not letter:
        return _ORDER_STATUSES.get(order_letter, ResultStatus.UNKNOWN)
    return _STATUSES.get(letter, ResultStatus.UNKNOWN)


def flags_of(fields: Fields) -> tuple[str, ...]:
    """The flags as written, most severe first, whatever stands around them (`A^A^HL70078`)."""
    written = [fields.parts(each)[0] for each in fields.repeats(8)]
    flags = [flag.strip() for each in written for flag in each.split(",") if flag.strip()]
    return tuple(sorted(dict.fromkeys(flags), key=_severity))


def _severity(flag: str) -> int:
    if flag in _CRITICAL_FIRST:
        return _CRITICAL_FIRST.index(flag)
    return len(_CRITICAL_FIRST) + (flag in _LAST)
