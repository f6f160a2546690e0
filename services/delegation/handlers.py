"""What delegation answers and follows: load, decide, save, announce, reply."""

from typing import Annotated

from faststream import Context
from faststream.nats import NatsRouter
from uuid_utils.compat import uuid7

from libs.access.gate import AtGate, NotAllowed
from libs.contracts.base import Refused
from libs.contracts.delegation import Access, AccessList, ListAccess, Refusal
from libs.contracts.identity.registration import PatientRegistered
from libs.runtime import inbox
from libs.runtime.broker import answers, follows
from libs.runtime.clock import Now
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
    visas = [domain.visa(grant, passport, now=now) for grant in domain.holding(grants, now=now)]
    return AccessList(
        records=tuple(
            Access(
                practice_id=visa.practice_id,
                patient_id=visa.patient_id,
                capacity=visa.capacity,
                limits=visa.limits,
                visa=seal.close(visa),
                visa_expires_at=visa.expires_at,
            )
            for visa in visas
            if visa.patient_id
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
