"""A patient's documents: filed, listed, shown, and read a chunk at a time."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Reply, Request
from libs.contracts.content import Chunk
from libs.contracts.records.moments import Precision
from libs.contracts.records.patients import Person


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
    """A record's documents, by kind, the practice's calendar days (both included) and text.

    One without a date has the day on which it came.
    """

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


class Opening(StrEnum):
    """What somebody opens a document for, as the activity log has it."""

    VIEW = "view"
    DOWNLOAD = "download"


class ShowDocument(Request[Document]):
    """One document, without its content. Whoever wants that as well says what for."""

    subject = "request.records.show_document"
    visa: str = Field(repr=False)
    patient_id: UUID
    document_id: UUID
    opening: Opening | None = None
    goes_on: bool = False
    """Another part of what was opened within the last hour, which is no second opening."""


class ReadDocument(Request[Chunk]):
    """Chunk `number`, counted from 0, of a document that the same person has opened."""

    subject = "request.records.read_document"
    visa: str = Field(repr=False)
    patient_id: UUID
    document_id: UUID
    number: int


class Page(Reply):
    """A document as a safe page of HTML; one that fits no message is only to be downloaded."""

    html: str = Field(repr=False)


class RenderDocument(Request[Page]):
    """A C-CDA document that the same person has opened, made readable."""

    subject = "request.records.render_document"
    visa: str = Field(repr=False)
    patient_id: UUID
    document_id: UUID


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
