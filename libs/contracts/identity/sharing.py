"""Family and caregivers: a patient invites them, sees who came, and takes an invitation back.

What they may do once they came, and its end, is delegation's to say.
"""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Done, Event, Reply, Request
from libs.contracts.identity.invitations import InvitationState, Resent
from libs.contracts.visa import Limit

LETTERS_A_DAY = 50
"""Invitations that one patient may have sent in a day."""


class InviteDelegate(Request[Resent]):
    """A patient lets somebody into their own record: an invitation goes to that address.

    The same address again is the next letter with what is wanted now; its older link is void.
    """

    subject = "request.identity.invite_delegate"
    visa: str = Field(repr=False)
    key: UUID
    patient_id: UUID
    email: str = Field(repr=False)
    date_of_birth: date | None = Field(repr=False)
    limits: frozenset[Limit] = frozenset(Limit)
    last_day: date | None = None
    """The last day of the access, at the practice; None for no end."""


class ResendDelegateInvitation(Request[Resent]):
    """A new letter to somebody who has not accepted; the link in the one before is void at once."""

    subject = "request.identity.resend_delegate_invitation"
    visa: str = Field(repr=False)
    patient_id: UUID
    invitation_id: UUID


class CancelDelegateInvitation(Request[Done]):
    """The invitation is taken back: its link is void at once. One that ended is as it is."""

    subject = "request.identity.cancel_delegate_invitation"
    visa: str = Field(repr=False)
    patient_id: UUID
    invitation_id: UUID


class DelegateInvitation(Reply):
    """Somebody whom the patient invited."""

    invitation_id: UUID
    version: int
    email: str
    name: str
    """As they gave it when they accepted; "" before."""
    state: InvitationState
    sent_at: datetime
    expires_at: datetime
    limits: frozenset[Limit]
    ends_at: datetime | None
    invited_by: str
    """The name of who invited them."""
    new_link_wanted: bool


class DelegateInvitations(Reply):
    """The newest first."""

    invitations: tuple[DelegateInvitation, ...]


class ListDelegateInvitations(Request[DelegateInvitations]):
    """Everyone whom this patient ever invited; for the patient, and for staff to see."""

    subject = "request.identity.list_delegate_invitations"
    visa: str = Field(repr=False)
    patient_id: UUID


class DelegateAccepted(Event):
    """The invited person has an account and accepted: what they were invited to is theirs."""

    subject = "event.identity.delegate_accepted"
    followers = ("delegation",)
    practice_id: UUID
    patient_id: UUID
    account_id: UUID
    invitation_id: UUID
    version: int
    """Of the invitation; an older acceptance than an end that was told counts for nothing."""
    limits: frozenset[Limit]
    ends_at: datetime | None
    granted_by: UUID
    """The account of who invited them."""
