"""Uploads and imports, by staff, the ingestion endpoint and the operator."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Done, Reply, Request
from libs.contracts.content import Chunk
from libs.contracts.records.patients import Patient

UPLOAD_LIMIT = 50 * 1024 * 1024
"""The largest document or import file, in bytes."""


class Upload(Reply):
    upload_id: UUID


class StartUpload(Request[Upload]):
    """Content is about to come, in chunks. An upload not finished within a day is forgotten."""

    subject = "request.records.start_upload"
    askers = ("gateway", "operator")
    visa: str = Field(repr=False)
    key: UUID
    file_name: str = Field(default="", repr=False)
    media_type: str = ""


class AddChunk(Request[Done]):
    """Chunk `number`, counted from 0. The same chunk again changes nothing."""

    subject = "request.records.add_chunk"
    askers = ("gateway", "operator")
    visa: str = Field(repr=False)
    upload_id: UUID
    number: int
    data: bytes = Field(repr=False)


class ImportState(StrEnum):
    """Where an import stands."""

    READING = "reading"
    PREVIEW = "preview"
    """Read, and nothing filed yet: someone has to confirm."""
    DONE = "done"
    WAITING = "waiting"
    """Some of it waits for someone: an unknown patient, or a file that can't be read."""
    DISCARDED = "discarded"


class ImportStarted(Reply):
    import_id: UUID


class StartImport(Request[ImportStarted]):
    """A finished upload is read as FHIR R4, C-CDA or HL7 v2.

    The same content again is the same import. With `patient_id`, everything in it must be about
    that patient. A preview files nothing until it is confirmed.
    """

    subject = "request.records.start_import"
    askers = ("gateway", "operator")
    visa: str = Field(repr=False)
    upload_id: UUID
    patient_id: UUID | None = None
    preview: bool = False
    declared_type: str = ""


class ConfirmImport(Request[Done]):
    """File what the preview showed."""

    subject = "request.records.confirm_import"
    visa: str = Field(repr=False)
    import_id: UUID


class LeftOut(Reply):
    """Something of an import that was not taken, and why."""

    reason: str
    """A code of `services.records.domain.found.Reason`; the gateway has the words."""
    what: str
    where: str
    count: int


class Subject(Reply):
    """A patient found in an import, and what there is of them."""

    number: int
    """Its place in the import, to settle it by."""
    name: str = Field(repr=False)
    birth_date: date | None = None
    identifiers: tuple[str, ...] = ()
    patient_id: UUID | None = None
    """Who that is at this practice; None while nobody is sure."""
    why_waiting: str = ""
    """`no_match`, `several_match`, `not_enough_to_match`, `other_patient`, "" when filed."""
    candidates: tuple[Patient, ...] = ()
    settled: str = ""
    """`matched`, `assigned`, `discarded`, "" while it waits."""
    results_found: int = 0
    """What there is of them in the file; for one who waits, what would be filed."""
    documents_found: int = 0
    results_taken: int = 0
    results_unchanged: int = 0
    results_corrected: int = 0
    documents_taken: int = 0
    documents_unchanged: int = 0


class Import(Reply):
    """The report of an import: what was taken, what was not, and why."""

    import_id: UUID
    state: ImportState
    format: str
    """fhir, fhir_ndjson, ccda, hl7v2, unknown."""
    file_name: str
    size: int
    sha256: str
    source: str
    """`staff`, `machine` or `operator`."""
    started_at: datetime
    finished_at: datetime | None = None
    problem: str = ""
    """Why nothing of it could be read, in a sentence; "" otherwise."""
    subjects: tuple[Subject, ...] = ()
    """Those who wait first; at most 200."""
    subjects_total: int = 0
    left_out: tuple[LeftOut, ...] = ()
    """At most 500."""
    left_out_total: int = 0


class ShowImport(Request[Import]):
    """One file that came, and what became of what is in it."""

    subject = "request.records.show_import"
    askers = ("gateway", "operator")
    visa: str = Field(repr=False)
    import_id: UUID


class ImportLine(Reply):
    """An import, as a list shows it."""

    import_id: UUID
    state: ImportState
    format: str
    file_name: str
    source: str
    started_at: datetime
    taken: int
    unchanged: int
    left_out: int
    waiting: int


class ImportList(Reply):
    imports: tuple[ImportLine, ...]
    waiting: int
    after: str


class ListImports(Request[ImportList]):
    """The practice's imports, newest first; with `waiting`, only those that need someone."""

    subject = "request.records.list_imports"
    askers = ("gateway", "operator")
    visa: str = Field(repr=False)
    waiting: bool = False
    after: str = ""


class SettleImport(Request[Done]):
    """Decide about a subject of an import: give it to a patient, or discard it with a reason.

    Without `number`, the whole file (one that couldn't be read) is discarded.
    """

    subject = "request.records.settle_import"
    visa: str = Field(repr=False)
    key: UUID
    import_id: UUID
    number: int | None = None
    patient_id: UUID | None = None
    discard_reason: str = ""


class ReadImport(Request[Chunk]):
    """Chunk `number` of the original file, for staff who look into the queue."""

    subject = "request.records.read_import"
    visa: str = Field(repr=False)
    import_id: UUID
    number: int
