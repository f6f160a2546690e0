"""A patient's record handed over: a selection of it, counted, made into a file, read in chunks.

Every format holds the same items, and each item has the same id in all of them.
"""

from datetime import date
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Contract, Done, Reply, Request
from libs.contracts.content import Chunk


class Kind(StrEnum):
    """A part of a record that can be chosen."""

    LABS = "labs"
    DOCUMENTS = "documents"
    MESSAGES = "messages"


class Selection(Contract):
    """What is chosen: these kinds, from the first day to the last, both included.

    Days are those of the practice's time zone; what is dated to the month or the year only counts
    from its first day, and what has no date from the day on which it came.
    """

    kinds: frozenset[Kind]
    start: date | None = None
    end: date | None = None


class Format(StrEnum):
    """What a selection is made into."""

    HTML = "html"
    """A page that holds all that it needs, to read and print."""
    PDF = "pdf"
    FHIR = "fhir"
    """A bundle of FHIR R4 resources, with the content of the documents in it."""
    CCDA = "ccda"
    """A Continuity of Care Document (C-CDA R2.1), with the content of the documents in it."""
    ZIP = "zip"
    """All four, with the documents as they were given to us, and their SHA-256 sums."""


class Counted(Reply):
    """How much a selection holds."""

    results: int
    documents: int
    messages: int
    size: int
    """Bytes of the documents."""


class CountSelection(Request[Counted]):
    """What would be in it. The visa has to hold every kind that is chosen."""

    subject = "request.records.count_selection"
    visa: str = Field(repr=False)
    patient_id: UUID
    selection: Selection


class ExportState(StrEnum):
    """How far a file has come."""

    MAKING = "making"
    READY = "ready"
    FAILED = "failed"
    """It could not be finished; nothing of it can be read."""


class Export(Reply):
    """A file, or one that is being made. It is forgotten a day after it was begun."""

    export_id: UUID
    format: Format
    kinds: frozenset[Kind]
    state: ExportState
    done: int
    """Of `total` steps."""
    total: int
    size: int
    """Bytes; known once it is ready."""
    file_name: str = Field(repr=False)
    media_type: str


class MakeExport(Request[Export]):
    """Make a file of a selection; that this was done stands in the activity log.

    The same key again is the same file, unless it failed: then it is begun anew.
    """

    subject = "request.records.make_export"
    visa: str = Field(repr=False)
    patient_id: UUID
    key: UUID
    selection: Selection
    format: Format


class ShowExport(Request[Export]):
    """How far a file of one's own has come."""

    subject = "request.records.show_export"
    visa: str = Field(repr=False)
    patient_id: UUID
    export_id: UUID


class ReadExport(Request[Chunk]):
    """Chunk `number` of a finished file of one's own, counted from 0."""

    subject = "request.records.read_export"
    visa: str = Field(repr=False)
    patient_id: UUID
    export_id: UUID
    number: int


class CancelExport(Request[Done]):
    """A file of one's own is not wanted any more; the work on it stops."""

    subject = "request.records.cancel_export"
    visa: str = Field(repr=False)
    patient_id: UUID
    export_id: UUID
