"""Invitations: issued, sent again, delivered, bounced."""

from datetime import datetime

from faststream.nats import NatsRouter

from libs.access.gate import AtGate
from libs.contracts.base import Done, Refused
from libs.contracts.identity import (
    InvitationState,
    InviteStaff,
    LetterKind,
    Refusal,
    ResendInvitation,
    Resent,
)
from libs.contracts.notifier import MailSettled
from libs.contracts.records import Contact, DescribeContact, InvitationWanted
from libs.runtime import inbox
from libs.runtime.broker import Asking, answers, ask, follows
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from services.identity.domain import invitation as rules
from services.identity.domain.email import canonical
from services.identity.domain.invitation import LINK_LIFETIME, Invitation
from services.identity.means import announce_letter, announce_state, new_id
from services.identity.store import invitations as store
from services.identity.store import practices

router = NatsRouter()


@follows(router, InvitationWanted, by="identity")
async def invitation_wanted(
    heard: InvitationWanted, pool: Database, now: Now, asking: Asking
) -> None:
    """A patient is to be invited, at the address that records has now."""
    contact = await ask(
        asking, DescribeContact(practice_id=heard.practice_id, patient_id=heard.patient_id)
    )
    async with transaction(pool, practice=heard.practice_id) as db:
        if not await inbox.first_time(db, heard, by="identity"):
            return
        invitation = await _wanted(db, heard, contact, now=now)
        if invitation:
            await store.save_invitation(db, invitation)
            await announce_state(db, invitation)
            await announce_letter(db, invitation)


async def _wanted(
    db: Connection, heard: InvitationWanted, contact: Contact, *, now: datetime
) -> Invitation | None:
    """The patient's first invitation, or the next version; None once they have registered."""
    email = canonical(contact.email) or contact.email
    name = f"{contact.given} {contact.family}".strip()
    known = await store.find_of_patient(db, heard.practice_id, heard.patient_id)
    if known is None:
        return Invitation(
            practice_id=heard.practice_id,
            id=new_id(),
            patient_id=heard.patient_id,
            role=None,
            name=name,
            email=email,
            date_of_birth=contact.birth_date,
            state=InvitationState.INVITED,
            version=1,
            change=1,
            sent_at=now,
            expires_at=now + LINK_LIFETIME,
        )
    if known.state is InvitationState.REGISTERED:
        return None
    return rules.readdressed(
        rules.renewed(known, now=now), name=name, email=email, date_of_birth=contact.birth_date
    )


@follows(router, MailSettled, by="identity")
async def mail_settled(heard: MailSettled, pool: Database) -> None:
    """Whoever invited sees whether the letter arrived."""
    if heard.kind is not LetterKind.INVITATION:
        return
    async with transaction(pool, invitation=heard.reference_id) as db:
        if not await inbox.first_time(db, heard, by="identity"):
            return
        invitation = await store.lock_invitation(db, heard.reference_id)
        if settled := rules.settled(invitation, heard.version, heard.state):
            await store.save_invitation(db, settled)
            await announce_state(db, settled)


@answers(router, ResendInvitation)
async def resend_invitation(
    asked: ResendInvitation, pool: Database, now: Now, gate: AtGate
) -> Resent:
    visa = gate.admit_staff(asked.visa, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        known = await store.find_of_patient(db, visa.practice_id, asked.patient_id)
        if known is None:
            raise Refused(Refusal.UNKNOWN_PATIENT)
        invitation = rules.resent(known, now=now)
        await store.save_invitation(db, invitation)
        await announce_state(db, invitation)
        await announce_letter(db, invitation)
    return Resent(email=invitation.email, expires_at=invitation.expires_at)


@answers(router, InviteStaff)
async def invite_staff(asked: InviteStaff, pool: Database, now: Now) -> Done:
    email = canonical(asked.email)
    if email is None:
        raise Refused(Refusal.EMAIL_NOT_USABLE)
    async with transaction(pool, practice=asked.practice_id) as db:
        await practices.get_practice(db, asked.practice_id)
        known = await store.find_of_staff(db, asked.practice_id, email)
        if known and known.state is InvitationState.REGISTERED:
            raise Refused(Refusal.ALREADY_REGISTERED)
        invitation = (
            rules.renewed(known, now=now)
            if known
            else Invitation(
                practice_id=asked.practice_id,
                id=new_id(),
                patient_id=None,
                role=asked.role,
                name=asked.name,
                email=email,
                date_of_birth=asked.date_of_birth,
                state=InvitationState.INVITED,
                version=1,
                change=1,
                sent_at=now,
                expires_at=now + LINK_LIFETIME,
            )
        )
        await store.save_invitation(db, invitation)
        await announce_letter(db, invitation)
    return Done()
