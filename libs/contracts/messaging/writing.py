"""Writing: a draft that is kept as it grows, its files, and the message that becomes of it.

Whoever writes, patient or staff, writes a draft and sends it. A draft belongs to the account that
writes it; the page that begins one makes up its id, so that the same form means the same draft.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Done, Reply, Request

SUBJECT_LIMIT = 200
"""Characters of a subject."""
BODY_LIMIT = 3_000
"""Characters of a patient's message."""
STAFF_BODY_LIMIT = 10_000
"""Characters of an answer."""
FILES_AT_MOST = 4
FILE_LIMIT = 6 * 1024 * 1024
"""Bytes of one attachment."""
FILES_LIMIT = 10 * 1024 * 1024
"""Bytes of all attachments of one message."""


class Category(StrEnum):
    """What a conversation is about, and so who gets it first."""

    RX = "rx"
    HEALTH = "health"


class Attachment(Reply):
    """A file that goes with a message. Its type is what its content shows."""

    attachment_id: UUID
    file_name: str = Field(repr=False)
    media_type: str
    size: int
    viewable: bool
    """Every browser shows it, and none runs it."""


class Draft(Reply):
    """What was written so far."""

    draft_id: UUID
    version: int
    saved_at: datetime
    reply_to: UUID | None = None
    """The received message that it answers."""
    about: UUID | None = None
    """The message whose conversation it goes on with."""
    conversation_id: UUID | None = None
    """For staff: the conversation that it answers."""
    category: Category | None = None
    subject: str = Field(default="", repr=False)
    body: str = Field(default="", repr=False)
    attachments: tuple[Attachment, ...] = ()
    sent: UUID | None = None
    """The message that became of it; nothing of the draft is left then."""


class SaveDraft(Request[Draft]):
    """Keep what was written so far. `version` is the one that it grew from, 0 for a new draft.

    Words that are there already change nothing. Others, grown from an older version, are refused
    with STALE_DRAFT: they belong into a draft of their own. Limits are checked as it is sent.
    """

    subject = "request.messaging.save_draft"
    visa: str = Field(repr=False)
    patient_id: UUID
    draft_id: UUID
    version: int = 0
    reply_to: UUID | None = None
    about: UUID | None = None
    conversation_id: UUID | None = None
    category: Category | None = None
    title: str = Field(default="", max_length=10_000, repr=False)
    """The subject."""
    body: str = Field(default="", max_length=20_000, repr=False)


class ShowDraft(Request[Draft]):
    """A draft of one's own."""

    subject = "request.messaging.show_draft"
    visa: str = Field(repr=False)
    patient_id: UUID
    draft_id: UUID


class DropDraft(Request[Done]):
    """The draft and its files are gone. One that is gone already is gone."""

    subject = "request.messaging.drop_draft"
    visa: str = Field(repr=False)
    patient_id: UUID
    draft_id: UUID


class Sent(Reply):
    """Where the message is."""

    message_id: UUID
    conversation_id: UUID


class SendDraft(Request[Sent]):
    """The draft becomes a message, once, however often this is asked."""

    subject = "request.messaging.send_draft"
    visa: str = Field(repr=False)
    patient_id: UUID
    draft_id: UUID
    close: bool = False
    """For staff: the conversation needs nothing more."""


class StartAttachment(Request[Done]):
    """A file is about to come into a draft. The same id again changes nothing."""

    subject = "request.messaging.start_attachment"
    visa: str = Field(repr=False)
    patient_id: UUID
    draft_id: UUID
    attachment_id: UUID
    file_name: str = Field(default="", repr=False)
    media_type: str = ""


class AddAttachmentChunk(Request[Done]):
    """Chunk `number` of it, counted from 0. The same chunk again changes nothing."""

    subject = "request.messaging.add_attachment_chunk"
    visa: str = Field(repr=False)
    patient_id: UUID
    draft_id: UUID
    attachment_id: UUID
    number: int
    data: bytes = Field(repr=False)


class FinishAttachment(Request[Attachment]):
    """All of it has come: what it is. A file that may not be sent is refused, and gone."""

    subject = "request.messaging.finish_attachment"
    visa: str = Field(repr=False)
    patient_id: UUID
    draft_id: UUID
    attachment_id: UUID


class RemoveAttachment(Request[Done]):
    """The file no longer goes with the draft."""

    subject = "request.messaging.remove_attachment"
    visa: str = Field(repr=False)
    patient_id: UUID
    draft_id: UUID
    attachment_id: UUID
