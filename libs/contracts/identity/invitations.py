"""Invitations: looked at, sent again, wanted anew."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Done, Event, Reply, Request


class InvitationState(StrEnum):
    """How far an invitation has come, for whoever invited."""

    NOT_INVITED = "not_invited"
    INVITED = "invited"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    OPENED = "opened"
    REGISTERED = "registered"
    EXPIRED = "expired"
    LOCKED = "locked"
    ENDED = "ended"
    """Of family and caregivers: taken back by the patient, before or after it was accepted."""


class Invitation(Reply):
    """What the registration page may say. The address is there only while the link works."""

    practice_id: UUID
    practice_name: str
    email: str
    expires_at: datetime
    staff: bool
    delegate: bool = False
    """A patient lets them into their own record."""
    has_account: bool
    """An account with this address exists: the person logs in and accepts instead."""


class ShowInvitation(Request[Invitation]):
    """Looking never uses a link up, however often; it is then known as opened."""

    subject = "request.identity.show_invitation"
    token: str = Field(repr=False)
    opened: bool
    """False for a HEAD request."""


class AskForNewLink(Request[Done]):
    """The holder of an expired link asks the practice for another. The answer is always Done."""

    subject = "request.identity.ask_for_new_link"
    token: str = Field(repr=False)
    source: str = Field(repr=False)


class Resent(Reply):
    """A letter that is on its way, and how long its link works."""

    email: str
    expires_at: datetime


class ResendInvitation(Request[Resent]):
    """A new letter to a patient; the link in the one before is void at once."""

    subject = "request.identity.resend_invitation"
    visa: str = Field(repr=False)
    patient_id: UUID


class InvitationChanged(Event):
    """A patient's invitation has a new state. Versions order it; an older one is to be ignored."""

    subject = "event.identity.invitation_changed"
    followers = ("records",)
    practice_id: UUID
    patient_id: UUID
    state: InvitationState
    version: int
    expires_at: datetime | None = None
    new_link_wanted: bool = False
