"""The rules of an invitation: four days, one letter at a time, five wrong dates of birth."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity.invitations import InvitationState
from libs.contracts.identity.refusals import Refusal
from libs.contracts.notifier import MailState
from libs.contracts.visa import Limit, Role

LINK_LIFETIME = timedelta(days=4)
"""The link works for exactly this long, its last moment excluded."""
PAUSE_BETWEEN_LETTERS = timedelta(minutes=5)
PAUSE_BETWEEN_WISHES = timedelta(days=1)
"""Between two times that the practice hears that a new link is wanted."""
WRONG_DATES = 5
"""Wrong dates of birth at one link after which it is locked."""
WAITING = (
    InvitationState.INVITED,
    InvitationState.DELIVERED,
    InvitationState.BOUNCED,
    InvitationState.OPENED,
)
"""Nobody has answered, and it has not ended either."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Whom a practice invites, as the practice knows them."""

    name: str
    email: str
    date_of_birth: date
    role: Role | None = None
    """None for a patient."""


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """What a patient lets somebody into, and who let them."""

    invited_by: UUID
    limits: frozenset[Limit]
    ends_at: datetime | None
    revision: int = 0
    """How often the patient has changed it since it was accepted."""


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """Somebody is invited: as a patient of a practice, by a patient, or to the staff."""

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
    wanted: int = 0
    """The latest wish of the practice that it answers; an older one comes too late."""
    account_id: UUID | None = None
    sharing: Sharing | None = None
    """None for the patient's own, and for staff's."""

    @property
    def staff(self) -> bool:
        return self.role is not None


def first(
    person: Person, *, practice_id: UUID, patient_id: UUID | None, new_id: UUID, now: datetime
) -> Invitation:
    """A person's first invitation."""
    return Invitation(
        practice_id=practice_id,
        id=new_id,
        patient_id=patient_id,
        role=person.role,
        name=person.name,
        email=person.email,
        date_of_birth=person.date_of_birth,
        state=InvitationState.INVITED,
        version=1,
        change=1,
        sent_at=now,
        expires_at=now + LINK_LIFETIME,
    )


def again(invitation: Invitation, person: Person, *, now: datetime) -> Invitation:
    """The next letter to the same person, as the practice knows them now."""
    return replace(
        renewed(invitation, now=now),
        name=person.name,
        email=person.email,
        date_of_birth=person.date_of_birth,
        role=person.role,
    )


def check_link(invitation: Invitation, version: int, *, now: datetime) -> None:
    """The link works now; else why it does not."""
    if invitation.state is InvitationState.REGISTERED:
        raise Refused(Refusal.LINK_USED)
    if invitation.state is InvitationState.ENDED:
        raise Refused(Refusal.INVITATION_ENDED)
    if version != invitation.version:
        raise Refused(Refusal.LINK_VOID)
    if invitation.state is InvitationState.LOCKED:
        raise Refused(Refusal.LINK_LOCKED)
    ends_at = invitation.sharing.ends_at if invitation.sharing else None
    if now >= invitation.expires_at or (ends_at and now >= ends_at):
        raise Refused(Refusal.LINK_EXPIRED)


def moved(invitation: Invitation, state: InvitationState) -> Invitation:
    """The invitation in another state."""
    return replace(invitation, state=state, change=invitation.change + 1)


def opened(invitation: Invitation) -> Invitation | None:
    """Somebody has looked at the page; None if that says nothing new."""
    new = invitation.state in WAITING and invitation.state is not InvitationState.OPENED
    return moved(invitation, InvitationState.OPENED) if new else None


def settled(invitation: Invitation, version: int, mail: MailState) -> Invitation | None:
    """What became of its letter; None if that says nothing new of this invitation.

    A letter can come back after it was taken, so a delivered one may still bounce.
    """
    sent = mail is MailState.SENT
    before = {InvitationState.INVITED} if sent else {*WAITING[:2]}
    if version != invitation.version or invitation.state not in before:
        return None
    if sent:
        return moved(invitation, InvitationState.DELIVERED)
    came_back = mail in (MailState.BOUNCED, MailState.FAILED)
    return moved(invitation, InvitationState.BOUNCED) if came_back else None


def undeliverable(invitation: Invitation) -> Invitation:
    """There is no such address, so that no letter needs to go for staff to see it come back."""
    return moved(invitation, InvitationState.BOUNCED)


def resent(invitation: Invitation, *, now: datetime) -> Invitation:
    """A new letter starts the four days over, but may not chase the last one."""
    if invitation.state is InvitationState.REGISTERED:
        raise Refused(Refusal.ALREADY_REGISTERED)
    if invitation.state is InvitationState.ENDED:
        raise Refused(Refusal.INVITATION_ENDED)
    if just_sent(invitation, now=now):
        raise Refused(Refusal.SENT_MOMENTS_AGO)
    return renewed(invitation, now=now)


def just_sent(invitation: Invitation, *, now: datetime) -> bool:
    """A letter went moments ago, and may still arrive."""
    fresh = now < invitation.sent_at + PAUSE_BETWEEN_LETTERS
    return fresh and invitation.state in (InvitationState.INVITED, InvitationState.DELIVERED)


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


def expired(invitation: Invitation, *, now: datetime) -> Invitation | None:
    """Its four days are over; None if they are not, or if it has ended otherwise."""
    over = invitation.state in WAITING and now >= invitation.expires_at
    return moved(invitation, InvitationState.EXPIRED) if over else None


def closed(invitation: Invitation) -> Invitation | None:
    """The record that it leads to is closed: its link is void. None for one that is over."""
    if invitation.state in (InvitationState.REGISTERED, InvitationState.ENDED):
        return None
    return moved(invitation, InvitationState.ENDED)


def reopened(invitation: Invitation, *, now: datetime) -> Invitation | None:
    """A patient's own, whose record is open again: its old link has run out, another may go.

    None for one that did not end with the record; what a patient wished for others stays ended.
    """
    if invitation.state is not InvitationState.ENDED or invitation.sharing:
        return None
    over = max(min(invitation.expires_at, now), invitation.sent_at + timedelta(microseconds=1))
    return replace(moved(invitation, InvitationState.EXPIRED), expires_at=over)


def is_for(invitation: Invitation, account_id: UUID, email: str) -> bool:
    """Whoever has the invited address; never the patient who lets somebody in."""
    by = invitation.sharing.invited_by if invitation.sharing else None
    return email == invitation.email and account_id != by


def accepted(invitation: Invitation, account_id: UUID) -> Invitation:
    """The invited person has an account, and the link is used up."""
    return replace(moved(invitation, InvitationState.REGISTERED), account_id=account_id)


def link_wanted(invitation: Invitation, *, now: datetime) -> Invitation | None:
    """The holder of a dead link asks for another; None if there is nothing to ask for, or again."""
    asked = invitation.new_link_wanted_at
    if invitation.state in (InvitationState.REGISTERED, InvitationState.ENDED):
        return None
    if asked and now < asked + PAUSE_BETWEEN_WISHES:
        return None
    return replace(invitation, new_link_wanted_at=now, change=invitation.change + 1)
