"""Members of staff, and their seats at a practice."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Done, Reply, Request
from libs.contracts.identity.invitations import InvitationState, Resent
from libs.contracts.visa import Role


class InviteStaff(Request[Done]):
    """A seat for a member of staff, who gets a registration link by e-mail."""

    subject = "request.identity.invite_staff"
    askers = ("operator",)
    practice_id: UUID
    name: str
    email: str
    date_of_birth: date
    role: Role


class Colleague(Reply):
    """Somebody who works at the practice."""

    account_id: UUID
    name: str
    role: Role


class Colleagues(Reply):
    """By name."""

    colleagues: tuple[Colleague, ...]


class ListColleagues(Request[Colleagues]):
    """Everyone with a seat at the practice that this session's seat is at."""

    subject = "request.identity.list_colleagues"
    session: bytes = Field(repr=False)


class Member(Reply):
    """Somebody who works at the practice, or is invited to."""

    invitation_id: UUID
    account_id: UUID | None
    """None until they have registered."""
    name: str
    email: str
    role: Role
    state: InvitationState
    expires_at: datetime
    """When the link in the letter runs out."""
    factors_reset_at: datetime | None = None
    """When an administrator last took off their two-step verification, and who."""
    factors_reset_by: str = ""


class Team(Reply):
    """By name; whoever was taken off the team is not on it."""

    members: tuple[Member, ...]


class ListTeam(Request[Team]):
    """Everyone who works at the practice or is invited to, for everyone who works there."""

    subject = "request.identity.list_team"
    visa: str = Field(repr=False)


class InviteColleague(Request[Resent]):
    """A seat at the practice, given by an administrator who has just shown who they are."""

    subject = "request.identity.invite_colleague"
    visa: str = Field(repr=False)
    name: str
    email: str
    date_of_birth: date | None
    role: Role


class ResendColleagueInvitation(Request[Resent]):
    """The letter once more; the link in the one before is void."""

    subject = "request.identity.resend_colleague_invitation"
    visa: str = Field(repr=False)
    invitation_id: UUID


class ChangeRole(Request[Done]):
    """Another role, by an administrator. Whoever has it now is logged out, and has the new one from
    their next log-in on. At least one administrator stays."""

    subject = "request.identity.change_role"
    visa: str = Field(repr=False)
    invitation_id: UUID
    role: Role


class RemoveFromTeam(Request[Done]):
    """Off the team at once, or not invited any more, by an administrator. At least one
    administrator stays."""

    subject = "request.identity.remove_from_team"
    visa: str = Field(repr=False)
    invitation_id: UUID


class ResetColleagueFactors(Request[Done]):
    """A colleague lost their codes: they are logged out, told, and let in anew by a letter.

    By another administrator, who has just shown who they are, and only where the account opens
    nothing but its seat at this practice.
    """

    subject = "request.identity.reset_colleague_factors"
    visa: str = Field(repr=False)
    invitation_id: UUID


class Seat(Reply):
    """A member of staff's place at a practice, with the visa that goes with it."""

    practice_id: UUID
    role: Role
    visa: str = Field(repr=False)
