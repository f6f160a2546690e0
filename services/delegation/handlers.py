"""What delegation answers and follows: load, decide, save, announce, reply."""

from typing import Annotated

from faststream.nats import NatsRouter
from uuid_utils.compat import uuid7

from libs.access.gate import AtGate, NotAllowed
from libs.contracts.activity import Act
from libs.contracts.base import Done, Refused
from libs.contracts.delegation import (
    Access,
    AccessGranted,
    AccessList,
    AccessRevoked,
    Delegate,
    Delegates,
    DelegationActed,
    ListAccess,
    ListDelegates,
    Refusal,
    RevokeAccess,
)
from libs.contracts.identity.registration import PatientRegistered
from libs.contracts.identity.sharing import DelegateAccepted
from libs.contracts.visa import Capacity
from libs.runtime import inbox, outbox
from libs.runtime.broker import answers, follows
from libs.runtime.clock import Now
from libs.runtime.context import Context
from libs.runtime.database import Database, transaction
from libs.runtime.seal import Seal
from services.delegation import domain, store

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
        grants = await store.list_grants(db, passport.account_id)
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
            )
            for grant, visa in visas
        )
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
            await store.save_revoked(db, domain.revoked(grant, visa, reason, now=now))
            await outbox.announce(
                db,
                AccessRevoked(
                    practice_id=grant.practice_id,
                    patient_id=grant.patient_id,
                    account_id=grant.account_id,
                    at=now + domain.LATEST_READ,
                    revoked_at=now,
                    invitation_id=asked.invitation_id,
                    invitation_version=asked.version,
                ),
            )
        if known:
            await outbox.announce(
                db,
                DelegationActed(
                    practice_id=visa.practice_id,
                    patient_id=asked.patient_id,
                    account_id=visa.account_id,
                    capacity=visa.capacity,
                    act=Act.REVOKED_ACCESS,
                    reference_id=asked.invitation_id,
                    at=now,
                ),
            )
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
            )
            for grant in grants
            if grant.invitation_id and grant.version
        )
    )
