"""What records can be asked, what it refuses, and what it announces.

Records owns patients, laboratory results, documents and imports. Every request carries a sealed
visa; the patient of a patient's visa is the one in the visa, and staff name the patient besides.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Done, Event, Reply, Request
from libs.contracts.content import Chunk
from libs.contracts.identity.invitations import InvitationState

UPLOAD_LIMIT = 50 * 1024 * 1024
"""The largest document or import file, in bytes."""
CSV_LIMIT = 1024 * 1024
"""The largest list of patients, in bytes of UTF-8; at most 5,000 lines."""


class Refusal(StrEnum):
    """Why records says no."""

    NOT_ALLOWED = "not_allowed"
    UNKNOWN_PATIENT = "unknown_patient"
    UNKNOWN_DOCUMENT = "unknown_document"
    UNKNOWN_RESULT = "unknown_result"
    UNKNOWN_IMPORT = "unknown_import"
    UNKNOWN_UPLOAD = "unknown_upload"
    UNKNOWN_TEST = "unknown_test"
    MRN_TAKEN = "mrn_taken"
    """Another patient of the practice has this record number."""
    PERHAPS_THERE_ALREADY = "perhaps_there_already"
    """A patient with the same name and birth date exists; say `even_so` to add another."""
    NAME_MISSING = "name_missing"
    NAME_NOT_USABLE = "name_not_usable"
    """Longer than 200 characters, or with control characters."""
    MRN_NOT_USABLE = "mrn_not_usable"
    BIRTH_DATE_IMPOSSIBLE = "birth_date_impossible"
    BIRTH_DATE_AMBIGUOUS = "birth_date_ambiguous"
    """In a list: 4/5/1961 may be in April or in May."""
    EMAIL_NOT_USABLE = "email_not_usable"
    EMAIL_MISSING = "email_missing"
    VALUE_NOT_USABLE = "value_not_usable"
    TIME_IMPOSSIBLE = "time_impossible"
    """It lies in the future."""
    TOO_LARGE = "too_large"
    EMPTY = "empty"
    TYPE_NOT_TAKEN = "type_not_taken"
    """A kind of file that the portal does not keep: programs, scripts, archives of them."""
    CHUNK_OUT_OF_ORDER = "chunk_out_of_order"
    DAMAGED = "damaged"
    """What is stored no longer fits its checksum. It is not shown, and the operator is told."""
    NOT_READY = "not_ready"
    SETTLED_ALREADY = "settled_already"
    LIST_NOT_READABLE = "list_not_readable"
    NOT_VIEWABLE = "not_viewable"


# Patients of a practice (staff)


class Patient(Reply):
    """A patient of a practice, as its staff see them."""

    patient_id: UUID
    given: str
    family: str
    birth_date: date
    email: str = Field(repr=False)
    """"" for none on file."""
    mrn: str
    state: InvitationState
    state_since: datetime
    invitation_expires_at: datetime | None = None
    new_link_wanted: bool = False
    active: bool = True
    added_at: datetime


class PatientList(Reply):
    """In order of family name; `after` is handed back for the next page, "" at the end."""

    patients: tuple[Patient, ...]
    after: str
    total: int
    """Patients of the practice."""
    registered: int
    waiting: int
    """Invited, not registered yet."""
    attention: int
    """Bounced, expired, locked, or asking for a new link."""


class ListPatients(Request[PatientList]):
    """The practice's patients, by a part of name, e-mail or record number."""

    subject = "request.records.list_patients"
    visa: str = Field(repr=False)
    q: str = ""
    birth_date: date | None = None
    state: InvitationState | None = None
    attention: bool = False
    """Only those that need someone to look."""
    after: str = ""


class ShowPatient(Request[Patient]):
    """One patient of the practice, for its staff."""

    subject = "request.records.show_patient"
    visa: str = Field(repr=False)
    patient_id: UUID


class PatientAdded(Reply):
    patient_id: UUID


class AddPatient(Request[PatientAdded]):
    """A new patient; with `invite` and an address, the registration letter follows."""

    subject = "request.records.add_patient"
    askers = ("gateway", "operator")
    visa: str = Field(repr=False)
    key: UUID
    """The form's idempotency key: the same form again answers the same."""
    given: str = Field(repr=False)
    family: str = Field(repr=False)
    birth_date: date = Field(repr=False)
    email: str = Field(default="", repr=False)
    mrn: str = Field(default="", repr=False)
    invite: bool = True
    even_so: bool = False


class Line(Reply):
    """What became of one line of a list of patients."""

    number: int
    outcome: str
    """`added`, `unchanged`, or a code of `Refusal`."""
    name: str = Field(default="", repr=False)


class LinesRead(Reply):
    lines: tuple[Line, ...]
    added: int
    unchanged: int
    refused: int
    preview: bool


class ImportPatients(Request[LinesRead]):
    """A CSV list: given name, family name, birth date, e-mail, MRN, in any order of columns.

    A preview reads and checks every line, and adds nobody.
    """

    subject = "request.records.import_patients"
    askers = ("gateway", "operator")
    visa: str = Field(repr=False)
    content: bytes = Field(repr=False)
    invite: bool = True
    preview: bool = False


class CorrectEmail(Request[Done]):
    """Another address for a patient; one not registered yet is invited there."""

    subject = "request.records.correct_email"
    visa: str = Field(repr=False)
    key: UUID
    patient_id: UUID
    email: str = Field(repr=False)


class InvitePatient(Request[Done]):
    """The first registration letter to a patient who was added without one."""

    subject = "request.records.invite_patient"
    visa: str = Field(repr=False)
    key: UUID
    patient_id: UUID


class Contact(Reply):
    """What identity needs to invite someone."""

    given: str = Field(repr=False)
    family: str = Field(repr=False)
    birth_date: date = Field(repr=False)
    email: str = Field(repr=False)


class DescribeContact(Request[Contact]):
    """How to reach a patient, for the invitation that is due."""

    subject = "request.records.describe_contact"
    askers = ("identity",)
    practice_id: UUID
    patient_id: UUID


class InvitationWanted(Event):
    """A patient is to be invited, at the address that records holds now."""

    subject = "event.records.invitation_wanted"
    followers = ("identity",)
    practice_id: UUID
    patient_id: UUID
    version: int


# Laboratory results


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


class Precision(StrEnum):
    """How exactly a time was written."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    INSTANT = "instant"


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


class DocumentLine(Reply):
    """A document, as a list shows it."""

    document_id: UUID
    title: str
    kind: str
    author: str
    media_type: str
    file_name: str
    size: int
    dated: date | None = None
    precision: Precision = Precision.DAY
    """How exactly `dated` was written; an instant is shown as its day."""
    added_at: datetime
    new: bool = False
    replaced: bool = False
    """A newer version of it exists."""


class Person(Reply):
    """Whose record it is."""

    patient_id: UUID
    practice_id: UUID
    given: str
    family: str
    birth_date: date
    mrn: str = ""


class People(Reply):
    """Whoever of them is a patient here."""

    people: tuple[Person, ...]


class NamePatients(Request[People]):
    """Who these patients are, for pages that are about something else of theirs: 100 at most.

    Staff may ask for any of their practice; anybody else for the visa's own patient.
    """

    subject = "request.records.name_patients"
    visa: str = Field(repr=False)
    patient_ids: tuple[UUID, ...] = Field(max_length=100)


class Health(Reply):
    """The Health page: the latest of each test with its history, and the newest documents.

    A part that the visa's limits leave out is None.
    """

    person: Person
    tests: tuple[Test, ...] | None
    documents: tuple[DocumentLine, ...] | None
    documents_total: int


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


# Documents


class DocumentList(Reply):
    """Newest first; `after` is handed back for the next page, "" at the end."""

    person: Person
    documents: tuple[DocumentLine, ...]
    kinds: tuple[str, ...]
    """Every kind this record has, for the filter."""
    total: int
    """Documents that fit the filter."""
    after: str


class ListDocuments(Request[DocumentList]):
    """A record's documents, by kind, dates (both included) and text."""

    subject = "request.records.list_documents"
    visa: str = Field(repr=False)
    patient_id: UUID
    kind: str = ""
    start: date | None = None
    end: date | None = None
    q: str = Field(default="", repr=False)
    after: str = ""


class Document(Reply):
    person: Person
    document: DocumentLine
    viewable: bool
    """The browser can show it: PDF, image, text, or a C-CDA made readable."""
    sha256: str
    chunks: int


class ShowDocument(Request[Document]):
    """One document, without its content."""

    subject = "request.records.show_document"
    visa: str = Field(repr=False)
    patient_id: UUID
    document_id: UUID


class ReadDocument(Request[Chunk]):
    """Chunk `number` of a document, counted from 0."""

    subject = "request.records.read_document"
    visa: str = Field(repr=False)
    patient_id: UUID
    document_id: UUID
    number: int


class Page(Reply):
    """A document as a safe page of HTML; one that fits no message is only to be downloaded."""

    html: str = Field(repr=False)


class RenderDocument(Request[Page]):
    """A C-CDA document made readable."""

    subject = "request.records.render_document"
    visa: str = Field(repr=False)
    patient_id: UUID
    document_id: UUID


# Uploads and imports (staff, the ingestion endpoint, the operator)


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


class DocumentFiled(Reply):
    document_id: UUID


class FileDocument(Request[DocumentFiled]):
    """A finished upload becomes a document of a patient."""

    subject = "request.records.file_document"
    visa: str = Field(repr=False)
    key: UUID
    upload_id: UUID
    patient_id: UUID
    title: str = Field(repr=False)
    kind: str = ""
    dated: date | None = None


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
