"""The rules of letting family and caregivers in: who may be invited, again, and until when."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.contracts.base import Refused
from libs.contracts.delegation import AccessChanged
from libs.contracts.identity.invitations import InvitationState
from libs.contracts.identity.refusals import Refusal
from libs.contracts.visa import Limit
from services.identity.domain import invitation as rules
from services.identity.domain.invitation import Invitation, Sharing


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Whom a patient wants to let in, and how far."""

    email: str
    date_of_birth: date
    limits: frozenset[Limit]
    ends_at: datetime | None
    invited_by: UUID

    @property
    def sharing(self) -> Sharing:
        return Sharing(invited_by=self.invited_by, limits=self.limits, ends_at=self.ends_at)


def wished(  # noqa: PLR0913
    email: str | None,
    date_of_birth: date | None,
    limits: frozenset[Limit],
    ends_at: datetime | None,
    *,
    own_email: str,
    invited_by: UUID,
    now: datetime,
) -> Wish:
    """What a form asks for, if it can be; the first thing that is wrong with it, if it can't."""
    if email is None:
        raise Refused(Refusal.EMAIL_NOT_USABLE)
    if email == own_email:
        raise Refused(Refusal.OWN_EMAIL)
    if date_of_birth is None or date_of_birth > now.date():
        raise Refused(Refusal.WRONG_DATE_OF_BIRTH)
    if not limits:
        raise Refused(Refusal.NOTHING_SHARED)
    if ends_at and ends_at <= now:
        raise Refused(Refusal.END_IS_PAST)
    return Wish(
        email=email,
        date_of_birth=date_of_birth,
        limits=limits,
        ends_at=ends_at,
        invited_by=invited_by,
    )


def end_of(last_day: date | None, zone: str) -> datetime | None:
    """The moment at which a last day is over, at the practice."""
    if last_day is None:
        return None
    return datetime.combine(last_day + timedelta(days=1), time(), tzinfo=ZoneInfo(zone))


def first(
    wish: Wish, *, practice_id: UUID, patient_id: UUID, new_id: UUID, now: datetime
) -> Invitation:
    """The first invitation to this address."""
    return Invitation(
        practice_id=practice_id,
        id=new_id,
        patient_id=patient_id,
        role=None,
        name="",
        email=wish.email,
        date_of_birth=wish.date_of_birth,
        state=InvitationState.INVITED,
        version=1,
        change=1,
        sent_at=now,
        expires_at=now + rules.LINK_LIFETIME,
        sharing=wish.sharing,
    )


def again(invitation: Invitation, wish: Wish, *, now: datetime) -> Invitation:
    """The next one to the same address; refused while they have access."""
    if invitation.state is InvitationState.REGISTERED and not over(invitation, now=now):
        raise Refused(Refusal.ALREADY_REGISTERED)
    if rules.just_sent(invitation, now=now):
        raise Refused(Refusal.SENT_MOMENTS_AGO)
    return replace(
        rules.renewed(invitation, now=now),
        name="",
        date_of_birth=wish.date_of_birth,
        sharing=wish.sharing,
        account_id=None,
    )


def resent(invitation: Invitation, *, now: datetime) -> Invitation:
    """The next letter to somebody who has not accepted yet."""
    if invitation.state is InvitationState.ENDED:
        raise Refused(Refusal.INVITATION_ENDED)
    if over(invitation, now=now):
        raise Refused(Refusal.END_IS_PAST)
    return rules.resent(invitation, now=now)


def over(invitation: Invitation, *, now: datetime) -> bool:
    """The last day that was wished is past, whether somebody came or not."""
    ends_at = invitation.sharing.ends_at if invitation.sharing else None
    return ends_at is not None and now >= ends_at


def cancelled(invitation: Invitation) -> Invitation | None:
    """Taken back before anybody accepted; None if it has ended already."""
    if invitation.state is InvitationState.REGISTERED:
        raise Refused(Refusal.ALREADY_REGISTERED)
    if invitation.state is InvitationState.ENDED:
        return None
    return rules.moved(invitation, InvitationState.ENDED)


def ended(invitation: Invitation, version: int) -> Invitation | None:
    """The access that came of this version was revoked; None if there is a newer one."""
    if invitation.state is not InvitationState.REGISTERED or invitation.version > version:
        return None
    return rules.moved(invitation, InvitationState.ENDED)


def changed(invitation: Invitation, heard: AccessChanged) -> Invitation | None:
    """What is shared now with who accepted this version; None if something newer is known."""
    sharing = invitation.sharing
    is_its = invitation.version == heard.invitation_version
    if not sharing or not is_its or heard.revision <= sharing.revision:
        return None
    shared = replace(sharing, limits=heard.limits, ends_at=heard.ends_at, revision=heard.revision)
    return replace(invitation, sharing=shared, change=invitation.change + 1)
