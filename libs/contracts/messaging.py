"""What messaging can be asked, what it refuses, and what it announces.

Messaging owns each patient's mailbox at a practice. Messages themselves come with the next release.
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
    """A patient's mailbox: it is there from the moment they registered."""

    opened_at: datetime


class ShowMailbox(Request[Mailbox]):
    """The mailbox of the visa's patient."""

    subject = "request.messaging.show_mailbox"
    visa: str = Field(repr=False)
