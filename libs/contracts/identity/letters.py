"""Letters: which are due, and what the notifier asks as it writes one."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Event, Reply, Request
from libs.contracts.identity.practices import Practice


class LetterKind(StrEnum):
    """What a letter is about; the name of its folder of templates."""

    INVITATION = "invitation"
    STAFF_INVITATION = "staff_invitation"
    DELEGATE_INVITATION = "delegate_invitation"
    """To family or a caregiver, whom a patient lets in."""
    ACCESS_CHANGED = "access_changed"
    """To the same, once they have accepted: what they may do, or until when, has changed."""
    ACCESS_ENDED = "access_ended"
    """To the same: the patient or the practice has ended it."""
    NEW_LINK_WANTED = "new_link_wanted"
    """To the practice: someone asks for a new registration link."""
    DELEGATE_LINK_WANTED = "delegate_link_wanted"
    """The same to the patient who invited them."""
    PASSWORD_RESET = "password_reset"  # noqa: S105
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    FACTORS_CHANGED = "factors_changed"
    """Two-step verification was turned on or off, or its codes were made anew."""
    EMAIL_CONFIRMATION = "email_confirmation"
    """To the new address."""
    EMAIL_CHANGED = "email_changed"
    """To the old address."""
    MESSAGE_WAITING = "message_waiting"
    """To whoever may read a message, patient or staff, without a word of it."""

    RECORD_SENT = "record_sent"
    """To whom a record was sent: a link, and nothing of whose it is."""
    SENDING_LOCKED = "sending_locked"
    """To whoever sent it: there were too many wrong passwords."""
    SENDING_NOTE = "sending_note"
    """To whoever sent it: the recipient has written back."""

    CHART_OPENED = "chart_opened"
    """To the patient whose chart was opened in an emergency."""
    CHART_OPENED_STAFF = "chart_opened_staff"
    """The same to the practice's administrators."""


class Letter(Reply):
    """What a letter needs. It is asked for as the letter is written, and never kept."""

    email: str = Field(repr=False)
    greeting_name: str = ""
    from_name: str = ""
    """What the patient is called who invites somebody, or did."""
    practice: Practice | None = None
    """None where the letter is about the account itself, whose practices may be several."""
    path: str = Field(default="", repr=False)
    """The path of the link, under the public address; "" for a letter without one."""
    link_expires_at: datetime | None = None
    time_zone: str = "UTC"
    happened_at: datetime | None = None


class DescribeLetter(Request[Letter]):
    """What letter `reference_id` says now. `LINK_VOID` or `LINK_EXPIRED`: do not send it."""

    subject = "request.identity.describe_letter"
    askers = ("notifier",)
    kind: LetterKind
    reference_id: UUID
    """What the letter is about; of a message, or of a record that was sent, the account."""
    version: int
    practice_id: UUID | None = None
    """Whose message waits, or whose record was sent."""
    patient_id: UUID | None = None
    """The record that was sent. Where the account may no longer send it, the patient is told."""
    staff: bool = False
    """Only while the account is on the practice's team."""


class LetterDue(Event):
    """A letter is owed. It carries no link and no address: the notifier asks as it writes."""

    subject = "event.identity.letter_due"
    followers = ("notifier",)
    kind: LetterKind
    reference_id: UUID
    """The invitation, reset or change the letter is about."""
    version: int = 1
    """Which sending of it: a resend is the next version."""
    practice_id: UUID | None = None
