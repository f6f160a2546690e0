"""From an invitation to an account, or to one more place for an account."""

from datetime import date
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Event, Reply, Request
from libs.contracts.identity.passwords import PasswordSet


class CompleteRegistration(Request[PasswordSet]):
    """An account from an invitation: the link, the date of birth, a password, the terms."""

    subject = "request.identity.complete_registration"
    askers = ("gateway", "operator")
    token: str = Field(repr=False)
    date_of_birth: date | None = Field(repr=False)
    password: str = Field(repr=False)
    confirm_password: str = Field(repr=False)
    terms_version: str
    """The version accepted; "" when the box was not ticked."""
    name: str = ""
    """Of family and caregivers, whose name nobody has told yet."""
    source: str = Field(repr=False)
    """Where the request came from, for throttling: an address, /64 for IPv6."""


class Accepted(Reply):
    """The invitation is theirs."""

    enrolment: str = Field(default="", repr=False)
    """For staff who had no one-time code yet: the otpauth URI, as for a registration."""


class AcceptInvitation(Request[Accepted]):
    """Someone who is logged in takes the invitation to their own address."""

    subject = "request.identity.accept_invitation"
    token: str = Field(repr=False)
    session: bytes = Field(repr=False)
    date_of_birth: date | None = Field(repr=False)
    terms_version: str


class PatientRegistered(Event):
    """The invited person has an account now: access to their own record is theirs."""

    subject = "event.identity.patient_registered"
    followers = ("delegation", "messaging")
    practice_id: UUID
    patient_id: UUID
    account_id: UUID
    invitation_id: UUID
