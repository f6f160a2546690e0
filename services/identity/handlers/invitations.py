"""Invitations: issued, sent again, delivered, bounced, wanted anew."""

from dataclasses import replace
from datetime import datetime

from faststream.nats import NatsRouter

from libs.access.gate import AtGate
from libs.contracts.base import Done, Refused
from libs.contracts.identity.invitations import (
    AskForNewLink,
    InvitationState,
    ResendInvitation,
    Resent,
)
from libs.contracts.identity.letters import LetterDue, LetterKind
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.staff import InviteStaff
from libs.contracts.notifier import MailSettled
from libs.contracts.records.patients import Contact, DescribeContact, InvitationWanted
from libs.runtime import inbox, outbox
from libs.runtime.broker import Asking, answers, ask, follows
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from services.identity.domain import invitation as rules
from services.identity.domain.email import canonical
from services.identity.domain.invitation import Invitation, Person
from services.identity.domain.link import Purpose
from services.identity.means import AtLinks, announce_letter, announce_state, new_id
from services.identity.store import invitations as store
from services.identity.store import practices, standing

INVITATIONS = {
    LetterKind.INVITATION,
    LetterKind.DELEGATE_INVITATION,
    LetterKind.STAFF_INVITATION,
}

router = NatsRouter()


@follows(router, InvitationWanted, by="identity")
async def invitation_wanted(
    heard: InvitationWanted, pool: Database, now: Now, asking: Asking
) -> None:
    """A patient is to be invited, at the address that records has now."""
    try:
        contact = await ask(
            asking, DescribeContact(practice_id=heard.practice_id, patient_id=heard.patient_id)
        )
    except Refused:  # records knows of nobody whom to invite
        return
    async with transaction(pool, practice=heard.practice_id) as db:
        if not await inbox.first_time(db, heard, by="identity"):
            return
        if not await standing.is_open(db, heard.practice_id, heard.patient_id):
            return
        known = await store.find_of_patient(db, heard.practice_id, heard.patient_id)
        if invitation := _wanted(known, heard, contact, now=now):
            await _issue(db, invitation)


@answers(router, ResendInvitation)
async def resend_invitation(
    asked: ResendInvitation, pool: Database, now: Now, gate: AtGate
) -> Resent:
    visa = gate.admit_staff(asked.visa, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        known = await store.find_of_patient(db, visa.practice_id, asked.patient_id)
        if known is None:
            raise Refused(Refusal.UNKNOWN_PATIENT)
        resent = rules.resent(known, now=now)
        await _issue(db, resent)
    return Resent(email=resent.email, expires_at=resent.expires_at)


@answers(router, InviteStaff)
async def invite_staff(asked: InviteStaff, pool: Database, now: Now) -> Done:
    email = canonical(asked.email)
    if email is None:
        raise Refused(Refusal.EMAIL_NOT_USABLE)
    person = Person(
        name=asked.name, email=email, date_of_birth=asked.date_of_birth, role=asked.role
    )
    async with transaction(pool, practice=asked.practice_id) as db:
        await practices.get_practice(db, asked.practice_id)
        known = await store.find_of_staff(db, asked.practice_id, email)
        if known and known.state is InvitationState.REGISTERED:
            raise Refused(Refusal.ALREADY_REGISTERED)
        first = rules.first(
            person, practice_id=asked.practice_id, patient_id=None, new_id=new_id(), now=now
        )
        await _issue(db, rules.again(known, person, now=now) if known else first)
    return Done()


@follows(router, MailSettled, by="identity")
async def mail_settled(heard: MailSettled, pool: Database) -> None:
    """Whoever invited sees whether the letter arrived."""
    if heard.kind not in INVITATIONS:
        return
    async with transaction(pool, invitation=heard.reference_id) as db:
        if not await inbox.first_time(db, heard, by="identity"):
            return
        known = await store.find_invitation(db, heard.reference_id)
        if known and (settled := rules.settled(known, heard.version, heard.state)):
            await store.save_invitation(db, settled)
            await announce_state(db, settled)


@answers(router, AskForNewLink)
async def ask_for_new_link(asked: AskForNewLink, pool: Database, now: Now, links: AtLinks) -> Done:
    """Whoever invited hears of it; the answer is the same for any link."""
    target = links.read(Purpose.INVITATION, asked.token)
    if target is None:
        return Done()
    async with transaction(pool, invitation=target.id) as db:
        known = await store.find_invitation(db, target.id)
        if known and (wanted := rules.link_wanted(known, now=now)):
            await store.save_invitation(db, wanted)
            await announce_state(db, wanted)
            await outbox.announce(
                db,
                LetterDue(
                    kind=LetterKind.DELEGATE_LINK_WANTED
                    if wanted.sharing
                    else LetterKind.NEW_LINK_WANTED,
                    reference_id=wanted.id,
                    version=wanted.change,
                    practice_id=wanted.practice_id,
                ),
            )
    return Done()


def _wanted(
    known: Invitation | None, heard: InvitationWanted, contact: Contact, *, now: datetime
) -> Invitation | None:
    """The patient's first invitation, or the next version.

    None once they have registered, and for a wish that a later one has overtaken.
    """
    if known and (known.state is InvitationState.REGISTERED or heard.version <= known.wanted):
        return None
    email = canonical(contact.email)
    person = Person(
        name=f"{contact.given} {contact.family}".strip(),
        email=email or contact.email,
        date_of_birth=contact.birth_date,
    )
    invitation = (
        rules.again(known, person, now=now)
        if known
        else rules.first(
            person,
            practice_id=heard.practice_id,
            patient_id=heard.patient_id,
            new_id=new_id(),
            now=now,
        )
    )
    invitation = replace(invitation, wanted=heard.version)
    return invitation if email else rules.undeliverable(invitation)


async def _issue(db: Connection, invitation: Invitation) -> None:
    """Its link works from here on, any older one is void, and a letter with it is due."""
    await store.save_invitation(db, invitation)
    await announce_state(db, invitation)
    if invitation.state is InvitationState.INVITED:
        await announce_letter(db, invitation)
