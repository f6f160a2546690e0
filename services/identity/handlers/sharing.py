"""Family and caregivers: invited by a patient, listed, invited again, and taken back."""

from datetime import datetime, timedelta
from uuid import UUID

from faststream.nats import NatsRouter

from libs.access.gate import AtGate, Gate, NotAllowed
from libs.contracts.activity import Act
from libs.contracts.base import Done, Refused
from libs.contracts.delegation import AccessChanged, AccessRevoked
from libs.contracts.identity.invitations import Resent
from libs.contracts.identity.letters import LetterDue, LetterKind
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.sharing import (
    LETTERS_A_DAY,
    CancelDelegateInvitation,
    DelegateInvitation,
    DelegateInvitations,
    InviteDelegate,
    ListDelegateInvitations,
    ResendDelegateInvitation,
)
from libs.contracts.visa import Capacity, Visa
from libs.runtime import inbox, once, outbox
from libs.runtime.broker import answers, follows
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction, wall
from services.identity.domain import sharing as rules
from services.identity.domain.email import canonical
from services.identity.domain.invitation import Invitation
from services.identity.domain.notices import AccessEnded
from services.identity.means import announce_letter, assure_proven, new_id, tell_log
from services.identity.store import accounts, notices, practices
from services.identity.store import invitations as store

A_DAY = timedelta(days=1)

router = NatsRouter()


@answers(router, InviteDelegate)
async def invite_delegate(asked: InviteDelegate, pool: Database, now: Now, gate: AtGate) -> Resent:
    visa = _patients_own(gate, asked.visa, asked, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        if before := await once.earlier(db, asked.key, by=visa.account_id, what=InviteDelegate):
            return before
        await wall(db, account=visa.account_id)
        await assure_proven(db, visa, now=now)
        inviting = await accounts.get_account(db, visa.account_id)
        practice = await practices.get_practice(db, visa.practice_id)
        wish = rules.wished(
            canonical(asked.email),
            asked.date_of_birth,
            asked.limits,
            rules.end_of(asked.last_day, practice.time_zone),
            own_email=inviting.email,
            invited_by=visa.account_id,
            now=now,
        )
        known = await store.find_of_delegate(db, visa.practice_id, asked.patient_id, wish.email)
        if known is None:
            made = rules.first(
                wish,
                practice_id=visa.practice_id,
                patient_id=asked.patient_id,
                new_id=new_id(),
                now=now,
            )
        else:
            made = rules.again(known, wish, now=now)
        resent = await _send(db, made, visa, now=now)
        await once.keep(db, asked.key, by=visa.account_id, what=InviteDelegate, reply=resent)
    return resent


@answers(router, ResendDelegateInvitation)
async def resend_delegate_invitation(
    asked: ResendDelegateInvitation, pool: Database, now: Now, gate: AtGate
) -> Resent:
    visa = _patients_own(gate, asked.visa, asked, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        known = await store.get_of_delegate(
            db, visa.practice_id, asked.patient_id, asked.invitation_id
        )
        return await _send(db, rules.resent(known, now=now), visa, now=now)


@answers(router, CancelDelegateInvitation)
async def cancel_delegate_invitation(
    asked: CancelDelegateInvitation, pool: Database, now: Now, gate: AtGate
) -> Done:
    visa = _patients_own(gate, asked.visa, asked, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        known = await store.get_of_delegate(
            db, visa.practice_id, asked.patient_id, asked.invitation_id
        )
        if cancelled := rules.cancelled(known):
            await store.save_invitation(db, cancelled)
            act, about = Act.CANCELLED_INVITATION, cancelled.id
            await tell_log(db, cancelled, visa.account_id, act, reference_id=about, now=now)
    return Done()


@answers(router, ListDelegateInvitations)
async def list_delegate_invitations(
    asked: ListDelegateInvitations, pool: Database, now: Now, gate: AtGate
) -> DelegateInvitations:
    visa = gate.admit(asked.visa, now=now, patient_id=asked.patient_id)
    if visa.capacity not in (Capacity.SELF, Capacity.STAFF):
        raise NotAllowed
    async with transaction(pool, practice=visa.practice_id) as db:
        listed = await store.list_of_delegates(db, visa.practice_id, asked.patient_id)
        names = {}
        for account_id in {one.sharing.invited_by for one in listed if one.sharing}:
            await wall(db, account=account_id)
            names[account_id] = (await accounts.get_account(db, account_id)).name
    return DelegateInvitations(
        invitations=tuple(
            DelegateInvitation(
                invitation_id=one.id,
                version=one.version,
                email=one.email,
                name=one.name,
                state=one.state,
                sent_at=one.sent_at,
                expires_at=one.expires_at,
                limits=one.sharing.limits,
                ends_at=one.sharing.ends_at,
                invited_by=names[one.sharing.invited_by],
                new_link_wanted=one.new_link_wanted_at is not None,
            )
            for one in listed
            if one.sharing
        )
    )


@follows(router, AccessRevoked, by="identity")
async def access_revoked(heard: AccessRevoked, pool: Database) -> None:
    """Whose access was revoked may be invited again, and is told where others did it."""
    async with transaction(pool, invitation=heard.invitation_id) as db:
        if not await inbox.first_time(db, heard, by="identity"):
            return
        known = await store.find_invitation(db, heard.invitation_id)
        if known and (ended := rules.ended(known, heard.invitation_version)):
            await store.save_invitation(db, ended)
        if heard.letter:
            await wall(db, account=heard.account_id)
            notice = AccessEnded(
                id=new_id(),
                account_id=heard.account_id,
                practice_id=heard.practice_id,
                patient_id=heard.patient_id,
                invitation_id=heard.invitation_id,
                at=heard.revoked_at,
            )
            await notices.add_access_ended(db, notice)
            await _owe(db, LetterKind.ACCESS_ENDED, notice.id, practice_id=heard.practice_id)


@follows(router, AccessChanged, by="identity")
async def access_changed(heard: AccessChanged, pool: Database) -> None:
    """When they may be invited again is known here too; and whoever it is about is told."""
    async with transaction(pool, invitation=heard.invitation_id) as db:
        if not await inbox.first_time(db, heard, by="identity"):
            return
        known = await store.find_invitation(db, heard.invitation_id)
        if known and (changed := rules.changed(known, heard)):
            await store.save_invitation(db, changed)
            kind, version = LetterKind.ACCESS_CHANGED, changed.change
            await _owe(db, kind, changed.id, version=version, practice_id=changed.practice_id)


async def _owe(
    db: Connection, kind: LetterKind, reference_id: UUID, *, version: int = 1, practice_id: UUID
) -> None:
    """A letter in the practice's name is due."""
    due = LetterDue(kind=kind, reference_id=reference_id, version=version, practice_id=practice_id)
    await outbox.announce(db, due)


def _patients_own(
    gate: Gate,
    sealed: str,
    asked: InviteDelegate | ResendDelegateInvitation | CancelDelegateInvitation,
    *,
    now: datetime,
) -> Visa:
    """Granting stays the patient's own: no delegate and no member of staff may."""
    visa = gate.admit(sealed, now=now, patient_id=asked.patient_id)
    if visa.capacity is not Capacity.SELF:
        raise NotAllowed
    return visa


async def _send(db: Connection, invitation: Invitation, by: Visa, *, now: datetime) -> Resent:
    """Its link works from here on, any older one is void, and a letter with it is due."""
    patient_id = invitation.patient_id
    assert patient_id  # noqa: S101  (it is a patient who lets somebody in)
    sent = await store.count_sent(db, invitation.practice_id, patient_id, since=now - A_DAY)
    if sent >= LETTERS_A_DAY:
        raise Refused(Refusal.TRY_LATER)
    await store.save_invitation(db, invitation)
    await announce_letter(db, invitation)
    act, about = Act.INVITED_PERSON, invitation.id
    await tell_log(db, invitation, by.account_id, act, reference_id=about, now=now)
    return Resent(email=invitation.email, expires_at=invitation.expires_at)
