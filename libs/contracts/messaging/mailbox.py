"""A patient's mailbox: what came, what was sent, and what each person has read of it."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Event, Reply, Request
from libs.contracts.content import Chunk
from libs.contracts.messaging.writing import Attachment, Category, Draft

PAGE = 25
"""Messages of one page of a list."""


class Unread(Reply):
    """How many messages from the practice this person has not read."""

    count: int


class CountUnread(Request[Unread]):
    """The number beside Messages, for the visa's account."""

    subject = "request.messaging.count_unread"
    visa: str = Field(repr=False)
    patient_id: UUID


class Received(Reply):
    """A message from the practice, as the inbox lists it. A damaged one has no words."""

    message_id: UUID
    conversation_id: UUID
    sender: str = Field(repr=False)
    subject: str = Field(repr=False)
    category: Category
    sent_at: datetime
    attachments: int
    unread: bool
    """By this person."""
    replied_at: datetime | None = None


class Inbox(Reply):
    """Newest first; `after` is handed back for the next page, "" at the end."""

    messages: tuple[Received, ...]
    unread: int
    drafts: int
    after: str = ""


class ListInbox(Request[Inbox]):
    """Every message from the practice, or those with all of these words in them."""

    subject = "request.messaging.list_inbox"
    visa: str = Field(repr=False)
    patient_id: UUID
    q: str = Field(default="", max_length=200, repr=False)
    after: str = ""


class SentLine(Reply):
    """A message to the practice, as Sent lists it. A damaged one has no words."""

    message_id: UUID
    conversation_id: UUID
    author: str = Field(repr=False)
    on_behalf: bool
    """Written by someone who acts for the patient."""
    subject: str = Field(repr=False)
    category: Category
    sent_at: datetime
    attachments: int
    seen_at: datetime | None = None
    """When somebody of the care team first opened it."""


class SentList(Reply):
    """Newest first; `after` is handed back for the next page, "" at the end."""

    messages: tuple[SentLine, ...]
    drafts: int
    after: str = ""


class ListSent(Request[SentList]):
    """Every message to the practice, whoever wrote it for this patient."""

    subject = "request.messaging.list_sent"
    visa: str = Field(repr=False)
    patient_id: UUID
    q: str = Field(default="", max_length=200, repr=False)
    after: str = ""


class DraftList(Reply):
    """Newest first, 100 at most."""

    drafts: tuple[Draft, ...]


class ListDrafts(Request[DraftList]):
    """This account's drafts in this mailbox."""

    subject = "request.messaging.list_drafts"
    visa: str = Field(repr=False)
    patient_id: UUID


class Message(Reply):
    """One message of a conversation."""

    message_id: UUID
    from_practice: bool
    author: str = Field(repr=False)
    on_behalf: bool
    sent_at: datetime
    body: str = Field(repr=False)
    """"" where what is stored is damaged; its author and files are left out then."""
    attachments: tuple[Attachment, ...] = ()
    unread: bool = False
    """Received, and not yet read by this person."""
    replied_at: datetime | None = None
    """A received message, answered."""
    seen_at: datetime | None = None
    """A sent message, opened by the care team."""


class Conversation(Reply):
    """A conversation's latest messages, oldest first; `before` leads to earlier ones."""

    conversation_id: UUID
    subject: str = Field(repr=False)
    category: Category
    messages: tuple[Message, ...]
    may_reply_to: UUID | None = None
    """The received message that can be answered: the latest one, if nobody has answered it."""
    draft: Draft | None = None
    """This account's unfinished reply to it."""
    answer_within_hours: int
    before: str = ""


class ShowMessage(Request[Conversation]):
    """The conversation that a message belongs to. Looking marks nothing as read."""

    subject = "request.messaging.show_message"
    visa: str = Field(repr=False)
    patient_id: UUID
    message_id: UUID
    before: str = ""


class MarkRead(Request[Unread]):
    """This person has read these messages; without any named, all of the mailbox."""

    subject = "request.messaging.mark_read"
    visa: str = Field(repr=False)
    patient_id: UUID
    message_ids: tuple[UUID, ...] | None = None


class AttachmentShown(Reply):
    """An attachment of a sent message, with the SHA-256 of its content."""

    attachment: Attachment
    sha256: str


class ShowAttachment(Request[AttachmentShown]):
    """A file of a message, by name and size, without its content."""

    subject = "request.messaging.show_attachment"
    visa: str = Field(repr=False)
    patient_id: UUID
    message_id: UUID
    attachment_id: UUID


class ReadAttachment(Request[Chunk]):
    """Chunk `number` of it, counted from 0."""

    subject = "request.messaging.read_attachment"
    visa: str = Field(repr=False)
    patient_id: UUID
    message_id: UUID
    attachment_id: UUID
    number: int


class Letter(Reply):
    """A message, as it is handed over with the record. A damaged one has no words."""

    message_id: UUID
    conversation_id: UUID
    from_practice: bool
    author: str = Field(repr=False)
    on_behalf: bool
    sent_at: datetime
    subject: str = Field(repr=False)
    category: Category
    body: str = Field(repr=False)
    files: tuple[Attachment, ...] = ()


class Letters(Reply):
    """In the order in which they were sent; `after` is handed back for more, "" at the end."""

    letters: tuple[Letter, ...]
    after: str = ""


class ReadLetters(Request[Letters]):
    """Every message of a record that was sent from then until before then."""

    subject = "request.messaging.read_letters"
    askers = ("records",)
    visa: str = Field(repr=False)
    patient_id: UUID
    start: datetime | None = None
    end: datetime | None = None
    after: str = ""


class ReadLetterFile(Request[Chunk]):
    """Chunk `number` of a file that came with one of these messages, counted from 0.

    Records has been shown a visa before it was told of the file, and may take longer over all of
    them than a visa lasts.
    """

    subject = "request.messaging.read_letter_file"
    askers = ("records",)
    practice_id: UUID
    patient_id: UUID
    message_id: UUID
    attachment_id: UUID
    number: int


class Counted(Reply):
    count: int


class CountLetters(Request[Counted]):
    """How many these are."""

    subject = "request.messaging.count_letters"
    askers = ("records",)
    visa: str = Field(repr=False)
    patient_id: UUID
    start: datetime | None = None
    end: datetime | None = None


class MessageReceived(Event):
    """The practice has written to a patient."""

    subject = "event.messaging.message_received"
    listeners = ("gateway",)
    practice_id: UUID
    patient_id: UUID
    conversation_id: UUID
    message_id: UUID


class MessageSent(Event):
    """A patient, or somebody for them, has written to the practice."""

    subject = "event.messaging.message_sent"
    listeners = ("gateway",)
    practice_id: UUID
    patient_id: UUID
    conversation_id: UUID
    message_id: UUID


class MessagesRead(Event):
    """Somebody has read messages of a mailbox: their count has changed."""

    subject = "event.messaging.messages_read"
    listeners = ("gateway",)
    practice_id: UUID
    patient_id: UUID
    account_id: UUID
