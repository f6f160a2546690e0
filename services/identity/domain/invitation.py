"""The rules of an invitation: four days, one letter at a time, five wrong dates of birth."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity import InvitationState, Refusal
from libs.contracts.notifier import MailState
from libs.contracts.visa import Role

LINK_LIFETIME = timedelta(days=4)
"""The link works for exactly this long, its last moment excluded."""
PAUSE_BETWEEN_LETTERS = timedelta(minutes=5)
WRONG_DATES = 5
"""Wrong dates of birth at one link after which it is locked."""


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """Somebody is invited: as a patient of a practice, or to its staff."""

    practice_id: UUID
    id: UUID
    patient_id: UUID | None
    role: Role | None
    name: str
    email: str
    date_of_birth: date
    state: InvitationState
    version: int
    change: int
    """How often its state changed; orders what is announced of it."""
    sent_at: datetime
    expires_at: datetime
    wrong_dates: int = 0
    new_link_wanted_at: datetime | None = None
    account_id: UUID | None = None

    @property
    def staff(self) -> bool:
        return self.role is not None


def check_link(invitation: Invitation, version: int, *, now: datetime) -> None:
    """The link works now; else why it does not."""
    if invitation.state is InvitationState.REGISTERED:
        raise Refused(Refusal.LINK_USED)
    if version != invitation.version:
        raise Refused(Refusal.LINK_VOID)
    if invitation.state is InvitationState.LOCKED:
        raise Refused(Refusal.LINK_LOCKED)
    if now >= invitation.expires_at:
        raise Refused(Refusal.LINK_EXPIRED)


def moved(invitation: Invitation, state: InvitationState) -> Invitation:
    """The invitation in another state."""
    return replace(invitation, state=state, change=invitation.change + 1)


def opened(invitation: Invitation) -> Invitation | None:
    """Somebody has looked at the page; None if that says nothing new."""
    before = (InvitationState.INVITED, InvitationState.DELIVERED, InvitationState.BOUNCED)
    return moved(invitation, InvitationState.OPENED) if invitation.state in before else None


def settled(invitation: Invitation, version: int, mail: MailState) -> Invitation | None:
    """What became of its letter; None if that says nothing new of this invitation."""
    if version != invitation.version or invitation.state is not InvitationState.INVITED:
        return None
    states = {
        MailState.SENT: InvitationState.DELIVERED,
        MailState.BOUNCED: InvitationState.BOUNCED,
        MailState.FAILED: InvitationState.BOUNCED,
    }
    return moved(invitation, states[mail]) if mail in states else None


def resent(invitation: Invitation, *, now: datetime) -> Invitation:
    """A new letter starts the four days over, but may not chase the last one."""
    if invitation.state is InvitationState.REGISTERED:
        raise Refused(Refusal.ALREADY_REGISTERED)
    fresh = now < invitation.sent_at + PAUSE_BETWEEN_LETTERS
    if fresh and invitation.state in (InvitationState.INVITED, InvitationState.DELIVERED):
        raise Refused(Refusal.SENT_MOMENTS_AGO)
    return renewed(invitation, now=now)


def renewed(invitation: Invitation, *, now: datetime) -> Invitation:
    """The next version: its link works, and every earlier one is void."""
    return replace(
        moved(invitation, InvitationState.INVITED),
        version=invitation.version + 1,
        sent_at=now,
        expires_at=now + LINK_LIFETIME,
        wrong_dates=0,
        new_link_wanted_at=None,
    )


def wrong_date(invitation: Invitation) -> Invitation:
    """One more wrong date of birth; the fifth locks the link."""
    counted = replace(invitation, wrong_dates=invitation.wrong_dates + 1)
    locked = counted.wrong_dates >= WRONG_DATES
    return moved(counted, InvitationState.LOCKED) if locked else counted


def expired(invitation: Invitation) -> Invitation:
    """Its four days are over."""
    return moved(invitation, InvitationState.EXPIRED)


def accepted(invitation: Invitation, account_id: UUID) -> Invitation:
    """The invited person has an account, and the link is used up."""
    return replace(moved(invitation, InvitationState.REGISTERED), account_id=account_id)


def link_wanted(invitation: Invitation, *, now: datetime) -> Invitation | None:
    """The holder of a dead link asks for another; None if there is nothing to ask for, or again."""
    asked = invitation.new_link_wanted_at
    if invitation.state is InvitationState.REGISTERED or (
        asked and now < asked + timedelta(days=1)
    ):
        return None
    return replace(invitation, new_link_wanted_at=now, change=invitation.change + 1)


def readdressed(
    invitation: Invitation, *, name: str, email: str, date_of_birth: date
) -> Invitation:
    """As the practice has the person now."""
    return replace(invitation, name=name, email=email, date_of_birth=date_of_birth)


def waits(invitation: Invitation) -> bool:
    """Nobody has answered it, and it has not ended either."""
    return invitation.state in (
        InvitationState.INVITED,
        InvitationState.DELIVERED,
        InvitationState.BOUNCED,
        InvitationState.OPENED,
    )
