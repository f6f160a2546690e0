"""What a laboratory said, in the one shape that every format is read into.

Nothing here knows FHIR, C-CDA or HL7 v2; nothing here waits, writes, or reads a clock.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

LOINC = "http://loinc.org"


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """A code and the system it belongs to; a system unknown to us stays as it was written.

    LOINC is always `http://loinc.org`, whichever way the source names it. Another OID is
    `urn:oid:<oid>`. A code that came without a system has the system "". A test that came with
    a name and no code has the system "text" and its name as the code.
    """

    system: str
    code: str
    display: str = ""

    @property
    def key(self) -> str:
        """One string per test: `http://loinc.org|718-7`, `text|Sed rate`."""
        return f"{self.system}|{self.code}"


class ValueKind(StrEnum):
    """What sort of thing was measured or said."""

    QUANTITY = "quantity"
    RANGE = "range"
    RATIO = "ratio"
    TEXT = "text"
    CODED = "coded"
    TIME = "time"
    ABSENT = "absent"


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """A result's value. `text` is what is shown, without its unit, just as it was written.

    `number` is there to chart and compare, for a QUANTITY only; with a comparator it is the
    bound ("<0.1" has number 0.1 and comparator "<"). Decimals keep their written zeros.
    An ABSENT value's text is the reason, in the source's words, or "".
    """

    kind: ValueKind
    text: str
    number: Decimal | None = None
    comparator: str = ""
    unit: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceRange:
    """The laboratory's range. Either end may be missing; `text` is how the source wrote it.

    A range whose low is above its high (they exist) keeps both as written and only its text is
    ever shown: it flags nothing and draws nothing.
    """

    low: Decimal | None = None
    high: Decimal | None = None
    text: str = ""


class ResultStatus(StrEnum):
    """How far the laboratory stands behind a result (FHIR ObservationStatus)."""

    REGISTERED = "registered"
    PRELIMINARY = "preliminary"
    FINAL = "final"
    AMENDED = "amended"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"
    UNKNOWN = "unknown"


class Precision(StrEnum):
    """How exactly a time was written: "2019-03" is to the MONTH and is shown as such."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    INSTANT = "instant"


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """A point in time as an aware UTC instant; a partial date counts from its start.

    A time without a zone is read as UTC, and `zoned` is then false.
    """

    at: datetime
    precision: Precision
    zoned: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Before:
    """What a corrected result said."""

    value: str
    unit: str
    corrected_at: datetime


MOST_BEFORE = 100
"""Earlier values of one result that come in with it, the last ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One result of one test of one patient.

    `source_id` tells the same result apart from another when the same message comes twice, and is
    stable over a correction: the source's own identifier where it has one, else one built from
    what the source says (patient, code, time, sub-id), never from the order of processing alone.
    `patient_key` names the `Patient` found in the same reading; "" when the source names nobody.
    """

    source_id: str
    patient_key: str
    code: Code
    name: str
    value: Value
    status: ResultStatus
    collected: Moment | None
    issued: Moment | None = None
    alternates: tuple[Code, ...] = ()
    ranges: tuple[ReferenceRange, ...] = ()
    flags: tuple[str, ...] = ()
    """Interpretation codes as written: H, L, HH, A, N … (HL7 table 0078), most severe first."""
    panel: str = ""
    specimen: str = ""
    method: str = ""
    performer: str = ""
    orderer: str = ""
    comment: str = ""
    before: tuple[Before, ...] = ()
    """What it said where it comes from, before it was corrected; the last one first."""
