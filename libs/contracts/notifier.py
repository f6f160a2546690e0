"""What the notifier can be asked, what it refuses, and what it announces."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Done, Event, Reply, Request
from libs.contracts.identity.letters import LetterKind


class Refusal(StrEnum):
    """Why the notifier says no."""

    NOT_ALLOWED = "not_allowed"
    UNKNOWN_MAIL = "unknown_mail"
    NOT_RETRIABLE = "not_retriable"
    """It was sent, or what it was about is no longer so."""


class MailState(StrEnum):
    """Where an e-mail stands."""

    QUEUED = "queued"
    RETRYING = "retrying"
    """The other side asked us to come again; the next try has a time."""
    SENT = "sent"
    BOUNCED = "bounced"
    """The other side refused the address for good."""
    FAILED = "failed"
    """Given up after 4 days of tries, or refused for another reason than the address."""
    EXPIRED = "expired"
    """Not sent, because its link was no longer good."""


class Mail(Reply):
    """One e-mail of a practice, as staff see it."""

    mail_id: UUID
    kind: LetterKind
    recipient: str = Field(repr=False)
    """"" until it was first written."""
    state: MailState
    queued_at: datetime
    tries: int
    next_try_at: datetime | None = None
    sent_at: datetime | None = None
    answer: str = ""
    """What the mail server answered last, for a person who looks after mail."""


class MailList(Reply):
    """Newest first; `after` is handed back for the next page, "" at the end."""

    mails: tuple[Mail, ...]
    after: str = ""


class ListMails(Request[MailList]):
    """The practice's e-mails, for its staff."""

    subject = "request.notifier.list_mails"
    visa: str = Field(repr=False)
    state: MailState | None = None
    after: str = ""


class RetryMail(Request[Done]):
    """Try once more, now."""

    subject = "request.notifier.retry_mail"
    visa: str = Field(repr=False)
    mail_id: UUID


class MailSettled(Event):
    """A letter reached the other side's mail server, or was refused by it for good."""

    subject = "event.notifier.mail_settled"
    followers = ("identity",)
    kind: LetterKind
    reference_id: UUID
    version: int
    state: MailState
