"""What a result means beside its range, which test it is of, and which of two readings stands."""

import hashlib
import json
import re
from decimal import Decimal
from functools import lru_cache

from libs.contracts.records.health import Flag, Status
from services.records.domain.result import ReferenceRange, Result, ResultStatus, ValueKind

SEVERITY = (
    ({"LL", "<"}, Flag.VERY_LOW),
    ({"HH", ">"}, Flag.VERY_HIGH),
    ({"AA", "A*"}, Flag.ABNORMAL),
    ({"L", "LU"}, Flag.LOW),
    ({"H", "HU"}, Flag.HIGH),
    ({"A", "ABN", "*", "POS", "DET", "R"}, Flag.ABNORMAL),
    ({"N", "NEG", "ND", "S", "NR", "NORMAL"}, Flag.NORMAL),
)
"""Interpretation codes (HL7 table 0078, FHIR ObservationInterpretation), most severe first."""
STATUS = {
    ResultStatus.REGISTERED: Status.PRELIMINARY,
    ResultStatus.PRELIMINARY: Status.PRELIMINARY,
    ResultStatus.FINAL: Status.FINAL,
    ResultStatus.AMENDED: Status.CORRECTED,
    ResultStatus.CORRECTED: Status.CORRECTED,
    ResultStatus.CANCELLED: Status.CANCELLED,
    ResultStatus.ENTERED_IN_ERROR: Status.CANCELLED,
    ResultStatus.UNKNOWN: Status.UNKNOWN,
}
RANK = {
    ResultStatus.REGISTERED: 0,
    ResultStatus.PRELIMINARY: 1,
    ResultStatus.UNKNOWN: 2,
    ResultStatus.FINAL: 3,
    ResultStatus.AMENDED: 4,
    ResultStatus.CORRECTED: 4,
    ResultStatus.CANCELLED: 5,
    ResultStatus.ENTERED_IN_ERROR: 6,
}
"""How late in a result's life each status is: an earlier one that comes late changes nothing."""
GONE = RANK[ResultStatus.CANCELLED]
"""From this rank on a result is never the latest."""
WITHDRAWN = RANK[ResultStatus.ENTERED_IN_ERROR]
"""From this rank on it is not shown at all."""


def is_tentative(rank: int) -> bool:
    """The laboratory has not said its last word."""
    return rank <= RANK[ResultStatus.PRELIMINARY]


def is_final(rank: int) -> bool:
    """It has, and has not taken it back."""
    return RANK[ResultStatus.FINAL] <= rank < GONE


def test_key(result: Result) -> str:
    """A test's address: its code in readable form, and a hash over system, code and unit.

    Results with different codes or units never share it.
    """
    return _key(result.code.system, result.code.code, result.value.unit)


@lru_cache(maxsize=4096)
def _key(system: str, code: str, unit: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", code.lower(), flags=re.ASCII).strip("-")[:40].strip("-")
    said = json.dumps([system, code, unit])
    return f"{slug or 'test'}.{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def flag(result: Result) -> Flag:
    """Where a result lies: as the laboratory marked it, else by its own range."""
    codes = {code.strip().upper() for code in result.flags}
    for marks, found in SEVERITY:
        if codes & marks:
            return found
    value = result.value
    if value.kind is not ValueKind.QUANTITY or value.number is None or value.number.is_nan():
        return Flag.UNKNOWN
    band = usable_range(result)
    return _beside(value.number, value.comparator, band) if band else Flag.UNKNOWN


def usable_range(result: Result) -> ReferenceRange | None:
    """The one range that a number can be compared with; None if there are several or it is odd."""
    ranges = [one for one in result.ranges if one.low is not None or one.high is not None]
    if len(ranges) != 1:
        return None
    band = ranges[0]
    if any(end is not None and end.is_nan() for end in (band.low, band.high)):
        return None
    reversed_ = band.low is not None and band.high is not None and band.low > band.high
    return None if reversed_ else band


def _beside(number: Decimal, comparator: str, band: ReferenceRange) -> Flag:
    """A bound such as "<0.1" says low or high only where every value it can mean is."""
    below, above = comparator in ("<", "<="), comparator in (">", ">=")
    if band.low is not None and not above and (number < band.low or (below and number <= band.low)):
        return Flag.LOW
    if (
        band.high is not None
        and not below
        and (number > band.high or (above and number >= band.high))
    ):
        return Flag.HIGH
    if below and band.low is not None:
        return Flag.UNKNOWN
    if above and band.high is not None:
        return Flag.UNKNOWN
    return Flag.NORMAL


def range_text(result: Result) -> str:
    """The ranges as they were written, one after another."""
    written = [one.text or _written(one) for one in result.ranges]
    return "; ".join(dict.fromkeys(text for text in written if text))


def _written(one: ReferenceRange) -> str:
    if one.low is not None and one.high is not None:
        return f"{one.low}–{one.high}"
    if one.low is not None:
        return f"{one.low} or more"
    return f"up to {one.high}" if one.high is not None else ""
