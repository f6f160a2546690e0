"""What delegation answers and follows: load, decide, save, announce, reply."""

from datetime import datetime
from typing import Annotated

from faststream.nats import NatsRouter
from uuid_utils.compat import uuid7

from libs.access.gate import AtGate, Gate, NotAllowed
from libs.contracts.activity import Act
from libs.contracts.base import Done, Refused
from libs.contracts.delegation import (
    Access,
    AccessChanged,
    AccessGranted,
    AccessList,
    AccessRevoked,
    ChangeAccess,
    Closed,
    Delegate,
    Delegates,
    DelegationActed,
    LeaveRecord,
    ListAccess,
    ListDelegates,
    Refusal,
    RevokeAccess,
)
from libs.contracts.identity.factors import PROVEN_FOR
from libs.contracts.identity.registration import PatientRegistered
from libs.contracts.identity.sharing import DelegateAccepted
from libs.contracts.records.standing import StandingChanged
from libs.contracts.visa import Capacity, Visa
from libs.runtime import inbox, outbox
from libs.runtime.broker import answers, follows
from libs.runtime.clock import Now
from libs.runtime.context import Context
from libs.runtime.database import Connection, Database, transaction
from libs.runtime.seal import Seal
from services.delegation import domain, store
from services.delegation.domain import Grant

router = NatsRouter()

Signing = Annotated[Seal, Context("seal")]


@answers(router, ListAccess)
async def list_access(
    asked: ListAccess, pool: Database, now: Now, gate: AtGate, seal: Signing
) -> AccessList:
    try:
        passport = gate.passport(asked.passport, now=now)
    except NotAllowed:
        raise Refused(Refusal.NOT_LOGGED_IN) from None
    async with transaction(pool, account=passport.account_id) as db:
        known = await store.list_grants(db, passport.account_id)
    grants = [domain.standing(grant, heard=gate.is_open(grant.patient_id)) for grant in known]
    visas = [
        (grant, domain.visa(grant, passport, now=now)) for grant in domain.holding(grants, now=now)
    ]
    return AccessList(
        records=tuple(
            Access(
                practice_id=grant.practice_id,
                patient_id=grant.patient_id,
                capacity=grant.capacity,
                limits=grant.limits,
                visa=seal.close(visa),
                visa_expires_at=visa.expires_at,
                ends_at=grant.ends_at,
                grant_id=grant.id,
            )
            for grant, visa in visas
        ),
        closed=tuple(
            Closed(practice_id=grant.practice_id, patient_id=grant.patient_id)
            for grant in domain.closed(grants, now=now)
        ),
    )


@follows(router, StandingChanged, by="delegation")
async def standing_changed(heard: StandingChanged, pool: Database) -> None:
    """No visa is signed for a record that is closed; what was granted stays, and holds again."""
    async with transaction(pool, practice=heard.practice_id) as db:
        if await inbox.first_time(db, heard, by="delegation"):
            await store.save_standing(
                db,
                heard.practice_id,
                heard.patient_id,
                active=heard.active,
                change=heard.change,
            )


@follows(router, PatientRegistered, by="delegation")
async def patient_registered(heard: PatientRegistered, pool: Database, now: Now) -> None:
    """Whoever registered as the patient holds their own record from then on."""
    async with transaction(pool, practice=heard.practice_id) as db:
        if await inbox.first_time(db, heard, by="delegation"):
            grant = domain.own(
                id=uuid7(),
                practice_id=heard.practice_id,
                patient_id=heard.patient_id,
                account_id=heard.account_id,
                now=now,
            )
            await store.add_grant(db, grant)


@follows(router, DelegateAccepted, by="delegation")
async def delegate_accepted(heard: DelegateAccepted, pool: Database, now: Now) -> None:
    """Whoever accepted holds what the patient wished, unless that was ended meanwhile."""
    async with transaction(pool, practice=heard.practice_id) as db:
        if not await inbox.first_time(db, heard, by="delegation"):
            return
        await store.hold_invitation(db, heard.invitation_id)
        ended = await store.find_ended(db, heard.practice_id, heard.patient_id, heard.invitation_id)
        if domain.comes_late(heard, ended):
            return
        grant = domain.delegated(heard, id=uuid7(), now=now)
        await store.add_grant(db, grant)
        await outbox.announce(
            db,
            AccessGranted(
                practice_id=grant.practice_id,
                patient_id=grant.patient_id,
                account_id=grant.account_id,
                limits=grant.limits,
                granted_at=grant.granted_at,
                ends_at=grant.ends_at,
            ),
        )


@answers(router, RevokeAccess)
async def revoke_access(asked: RevokeAccess, pool: Database, now: Now, gate: AtGate) -> Done:
    visa = gate.admit(asked.visa, now=now, patient_id=asked.patient_id)
    if visa.capacity not in (Capacity.SELF, Capacity.STAFF):
        raise NotAllowed
    reason = domain.why(asked.reason, visa.capacity)
    async with transaction(pool, practice=visa.practice_id) as db:
        await store.hold_invitation(db, asked.invitation_id)
        known = await store.lock_holding(
            db, visa.practice_id, asked.patient_id, asked.invitation_id, up_to=asked.version
        )
        await store.end_invitation(
            db, visa.practice_id, asked.patient_id, asked.invitation_id, asked.version, now=now
        )
        for grant in known:
            letter = asked.letter and grant.holds(now=now)
            await _end(db, grant, visa, reason, up_to=asked.version, letter=letter, now=now)
        if known:
            await _tell_log(db, known[0], visa, Act.REVOKED_ACCESS, now=now)
    return Done()


@answers(router, ChangeAccess)
async def change_access(asked: ChangeAccess, pool: Database, now: Now, gate: AtGate) -> Done:
    visa = gate.admit(asked.visa, now=now, patient_id=asked.patient_id)
    if visa.capacity is not Capacity.SELF:
        raise NotAllowed
    _assure_proven(gate, asked.passport, visa, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        known = await store.get_holding(
            db, visa.practice_id, asked.patient_id, asked.invitation_id, asked.version
        )
        changed = domain.changed(known, asked.limits, asked.ends_at, seen=asked.revision, now=now)
        if changed is None:
            return Done()
        await store.save_changed(db, changed)
        await outbox.announce(
            db,
            AccessChanged(
                practice_id=changed.practice_id,
                patient_id=changed.patient_id,
                account_id=changed.account_id,
                grant_id=changed.id,
                revision=changed.revision,
                limits=changed.limits,
                ends_at=changed.ends_at,
                narrower=domain.narrower(known, changed),
                changed_at=now,
                invitation_id=asked.invitation_id,
                invitation_version=asked.version,
            ),
        )
        await _tell_log(db, changed, visa, Act.CHANGED_ACCESS, now=now)
    return Done()


@answers(router, LeaveRecord)
async def leave_record(asked: LeaveRecord, pool: Database, now: Now, gate: AtGate) -> Done:
    visa = gate.admit(asked.visa, now=now, patient_id=asked.patient_id)
    if visa.capacity is not Capacity.DELEGATE:
        raise NotAllowed
    async with transaction(pool, practice=visa.practice_id) as db:
        grant = await store.find_of_account(
            db, visa.practice_id, asked.patient_id, visa.account_id, asked.grant_id
        )
        if grant and grant.version:
            await _end(db, grant, visa, "", up_to=grant.version, letter=False, now=now)
            await _tell_log(db, grant, visa, Act.REVOKED_ACCESS, now=now)
    return Done()


@answers(router, ListDelegates)
async def list_delegates(asked: ListDelegates, pool: Database, now: Now, gate: AtGate) -> Delegates:
    visa = gate.admit(asked.visa, now=now, patient_id=asked.patient_id)
    if visa.capacity not in (Capacity.SELF, Capacity.STAFF):
        raise NotAllowed
    async with transaction(pool, practice=visa.practice_id) as db:
        grants = await store.list_delegates(db, visa.practice_id, asked.patient_id)
    return Delegates(
        delegates=tuple(
            Delegate(
                invitation_id=grant.invitation_id,
                version=grant.version,
                account_id=grant.account_id,
                limits=grant.limits,
                granted_at=grant.granted_at,
                ends_at=grant.ends_at,
                revoked_at=grant.revoked_at,
                by_practice=grant.by_practice,
                reason=grant.reason,
                revision=grant.revision,
                left=grant.left,
            )
            for grant in grants
            if grant.invitation_id and grant.version
        )
    )


def _assure_proven(gate: Gate, sealed: str, visa: Visa, *, now: datetime) -> None:
    """Identity says that the same person has shown who they are within the last minutes."""
    passport = gate.passport(sealed, now=now)
    if passport.account_id != visa.account_id:
        raise NotAllowed
    if passport.proven_at is None or now >= passport.proven_at + PROVEN_FOR:
        raise Refused(Refusal.PROOF_NEEDED)


async def _end(  # noqa: PLR0913
    db: Connection,
    grant: Grant,
    by: Visa,
    reason: str,
    *,
    up_to: int,
    letter: bool,
    now: datetime,
) -> None:
    """The grant holds no longer, and everyone hears of it."""
    assert grant.invitation_id  # noqa: S101  (one's own grant comes of none and is never ended)
    await store.save_revoked(db, domain.revoked(grant, by, reason, now=now))
    await outbox.announce(
        db,
        AccessRevoked(
            practice_id=grant.practice_id,
            patient_id=grant.patient_id,
            account_id=grant.account_id,
            at=now + domain.LATEST_READ,
            revoked_at=now,
            invitation_id=grant.invitation_id,
            invitation_version=up_to,
            grant_id=grant.id,
            letter=letter,
        ),
    )


async def _tell_log(db: Connection, grant: Grant, by: Visa, act: Act, *, now: datetime) -> None:
    """This is to stand in the activity log of the record."""
    await outbox.announce(
        db,
        DelegationActed(
            practice_id=grant.practice_id,
            patient_id=grant.patient_id,
            account_id=by.account_id,
            capacity=by.capacity,
            act=act,
            reference_id=grant.invitation_id,
            at=now,
        ),
    )
