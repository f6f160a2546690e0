"""What a reader of a clinical file finds in it, one thing after another.

A reader is a generator function `read(source: BinaryIO, …) -> Iterator[Found]` in
`services.records.formats`. It never raises for what a file holds: what cannot be taken is a
`LeftOut` that says what, where and why. It raises `Unreadable` only when nothing of the file can be
understood. It holds one entry at a time, never the whole file's objects, follows no URL and opens
no other file.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from services.records.domain.result import Moment, Result, ResultStatus


class Unreadable(Exception):
    """Nothing of the file can be understood; the message is a plain sentence that says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identifier:
    """A number that some authority gave a patient, such as a medical record number."""

    system: str
    value: str
    kind: str = ""
    """HL7 table 0203, where the source says it: MR, SS, DL …"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Patient:
    """Who the file says it is about. Matching is done elsewhere, and never guesses."""

    key: str
    family: str
    given: str
    birth_date: date | None
    identifiers: tuple[Identifier, ...] = ()
    sex: str = ""
    other_names: tuple[tuple[str, str], ...] = ()
    """Further (family, given) pairs: former, maiden, nickname."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A document with its content. One whose content is elsewhere is `LeftOut` instead."""

    source_id: str
    patient_key: str
    title: str
    media_type: str
    content: bytes
    kind: str = ""
    """What sort of document, in the source's words: "Discharge summary"."""
    kind_code: str = ""
    """Its LOINC code where it has one."""
    dated: Moment | None = None
    author: str = ""
    file_name: str = ""
    replaces: str = ""
    """The `source_id` of the earlier version this one stands in for; "" for none."""
    known_as: str = ""
    """What `replaces` of a later version calls this one, where that isn't its `source_id`."""
    status: ResultStatus = ResultStatus.UNKNOWN
    """How far its author stands behind it; UNKNOWN where the source does not say."""


class Reason(StrEnum):
    """Why something was left out. Staff read these in words; see `gateway` for the sentences."""

    NOT_A_RESULT = "not_a_result"
    """An observation that is no laboratory result: vital sign, social history, status line …"""
    NO_CODE_AND_NO_NAME = "no_code_and_no_name"
    NO_VALUE = "no_value"
    PENDING = "pending"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered_in_error"
    NO_PATIENT = "no_patient"
    NO_TIME = "no_time"
    """Only for information: such a result is still taken, and is never the latest."""
    BAD_TIME = "bad_time"
    """Only for information: such a result is still taken, without its time."""
    CONTENT_ELSEWHERE = "content_elsewhere"
    """A document whose content is only a link, which is never followed."""
    NO_CONTENT = "no_content"
    BAD_CONTENT = "bad_content"
    """Base64 that is not, or an attachment in a shape that cannot be read."""
    DUPLICATE = "duplicate"
    """The same thing once more in the same file."""
    NOT_SUPPORTED = "not_supported"
    """A kind of entry or message the portal does not keep: a claim, an order, an admission …"""
    UNREADABLE_PART = "unreadable_part"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """One thing, or several alike, that were not taken."""

    reason: Reason
    what: str
    """What it is, for staff: "Observation (vital sign)", "OBX 3 Sodium"."""
    where: str
    """How to find it in the file: "entry 12", "message 2, OBX 4", "section Results"."""
    count: int = 1


Found: TypeAlias = Patient | Result | Document | LeftOut
