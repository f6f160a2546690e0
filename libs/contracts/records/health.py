"""Laboratory results: at a glance, one test's whole history, typed in and corrected."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Reply, Request
from libs.contracts.records.documents import DocumentLine
from libs.contracts.records.moments import Precision
from libs.contracts.records.patients import Person


class Range(Reply):
    """The laboratory's range of a result. `drawable` only if both or one end make sense."""

    low: Decimal | None = None
    high: Decimal | None = None
    text: str = ""


class Flag(StrEnum):
    """Where a result lies. None of these is a diagnosis."""

    LOW = "low"
    HIGH = "high"
    VERY_LOW = "very_low"
    VERY_HIGH = "very_high"
    ABNORMAL = "abnormal"
    NORMAL = "normal"
    UNKNOWN = "unknown"
    """No range and no flag came with it."""


class Status(StrEnum):
    """How far the laboratory stands behind a result."""

    PRELIMINARY = "preliminary"
    FINAL = "final"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Earlier(Reply):
    """What a corrected result said before."""

    value: str
    unit: str
    corrected_at: datetime


class Result(Reply):
    """One result of one test."""

    result_id: UUID
    value: str
    """As the laboratory wrote it, without the unit: "3.1", "<0.1", "1:128", "Positive"."""
    number: Decimal | None = None
    """To chart and compare; None for what is no plain number."""
    comparator: str = ""
    unit: str = ""
    kind: str
    """quantity, range, ratio, text, coded, time, absent."""
    range: Range | None = None
    flag: Flag
    status: Status
    collected_at: datetime | None = None
    precision: Precision = Precision.INSTANT
    zoned: bool = True
    new: bool = False
    """It arrived after this person's last visit."""
    earlier: tuple[Earlier, ...] = ()
    """Values that this one corrects, the last one first."""
    comment: str = ""
    performer: str = ""
    orderer: str = ""
    specimen: str = ""


class Test(Reply):
    """One test with one unit: results with different codes or units never share it."""

    key: str
    """Its address: stable, and safe in a URL."""
    name: str
    about: str = ""
    """What it measures, in a few plain words, where we know it."""
    code: str = ""
    system: str = ""
    unit: str = ""
    group: str
    """Blood counts, Liver and kidneys … "Other tests"."""
    latest: Result
    history: tuple[Result, ...]
    """Newest first, the latest included; at most the 30 newest on the Health page."""
    total: int


class Health(Reply):
    """The Health page: the latest of each test with its history, and the newest documents.

    A part that the visa's limits leave out is None.
    """

    person: Person
    tests: tuple[Test, ...] | None
    documents: tuple[DocumentLine, ...] | None
    documents_total: int
    emergency_ends_at: datetime | None = None
    """Until when staff see it whose role does not include it."""


class ShowHealth(Request[Health]):
    """The record at a glance, for its owner or a delegate, or for staff with `patient_id`."""

    subject = "request.records.show_health"
    visa: str = Field(repr=False)
    patient_id: UUID
    since: datetime | None = None
    """The person's previous visit, for what is new."""


class TestHistory(Reply):
    person: Person
    test: Test


class ShowTest(Request[TestHistory]):
    """Every result of one test."""

    subject = "request.records.show_test"
    visa: str = Field(repr=False)
    patient_id: UUID
    test_key: str


class ResultKept(Reply):
    result_id: UUID


class AddResult(Request[ResultKept]):
    """A result typed in by staff."""

    subject = "request.records.add_result"
    visa: str = Field(repr=False)
    key: UUID
    patient_id: UUID
    test_name: str = Field(repr=False)
    loinc: str = ""
    value: str = Field(repr=False)
    unit: str = ""
    range_low: str = ""
    range_high: str = ""
    range_text: str = ""
    collected_at: datetime
    precision: Precision = Precision.INSTANT
    comment: str = Field(default="", repr=False)


class CorrectResult(Request[ResultKept]):
    """Another value for a result: the old one stays to be seen, struck through."""

    subject = "request.records.correct_result"
    visa: str = Field(repr=False)
    key: UUID
    patient_id: UUID
    result_id: UUID
    value: str = Field(repr=False)
    unit: str = ""
    comment: str = Field(default="", repr=False)
