"""What messaging can be asked, what it refuses, and what it announces.

Messaging owns each patient's mailbox at a practice.
"""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from libs.contracts.base import Reply, Request


class Refusal(StrEnum):
    """Why messaging says no."""

    NOT_ALLOWED = "not_allowed"
    NO_MAILBOX = "no_mailbox"
    """The patient has not registered yet, or only this moment."""


class Mailbox(Reply):
    """A patient's mailbox."""

    opened_at: datetime
    unread: int


class ShowMailbox(Request[Mailbox]):
    """The patient's mailbox, with what this person has not read yet."""

    subject = "request.messaging.show_mailbox"
    visa: str = Field(repr=False)
