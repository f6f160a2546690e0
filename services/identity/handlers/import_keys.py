"""A practice's import keys: made, replaced, and shown to whom they let in."""

from datetime import datetime
from uuid import UUID

from faststream.nats import NatsRouter

from libs.access.gate import AtGate
from libs.contracts.base import Refused
from libs.contracts.identity.import_keys import (
    GiveImportKey,
    ImportKeyMade,
    ImportKeys,
    ListImportKeys,
    RenewImportKey,
)
from libs.contracts.identity.practices import AdmitMachine, PracticeAccess
from libs.contracts.identity.refusals import Refusal
from libs.contracts.visa import Capacity, Role
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction, wall
from services.identity.domain import import_key as rules
from services.identity.means import AtSeal, assure_proven, new_id, practice_visa
from services.identity.store import import_keys as store
from services.identity.store import practices

ADMINISTRATORS = (Role.ADMINISTRATOR,)

router = NatsRouter()


@answers(router, AdmitMachine)
async def admit_machine(
    asked: AdmitMachine, pool: Database, now: Now, seal: AtSeal
) -> PracticeAccess:
    async with transaction(pool, key=asked.key_hash.hex()) as db:
        found = await store.find_working(db, asked.key_hash, now=now)
        if found is None:
            raise Refused(Refusal.UNKNOWN_KEY)
        practice_id, key_id = found
        await wall(db, practice=practice_id)
        await store.save_used(db, practice_id, key_id, now=now)
    visa = practice_visa(seal, Capacity.MACHINE, practice_id, account_id=key_id, now=now)
    return PracticeAccess(practice_id=practice_id, visa=visa)


@answers(router, ListImportKeys)
async def list_import_keys(
    asked: ListImportKeys, pool: Database, now: Now, gate: AtGate
) -> ImportKeys:
    visa = gate.admit_staff(asked.visa, now=now, roles=ADMINISTRATORS)
    async with transaction(pool, practice=visa.practice_id) as db:
        return ImportKeys(keys=tuple(await store.list_keys(db, visa.practice_id)))


@answers(router, RenewImportKey)
async def renew_import_key(
    asked: RenewImportKey, pool: Database, now: Now, gate: AtGate
) -> ImportKeyMade:
    visa = gate.admit_staff(asked.visa, now=now, roles=ADMINISTRATORS)
    async with transaction(pool, practice=visa.practice_id, account=visa.account_id) as db:
        await assure_proven(db, visa, now=now)
        return await _renew(
            db, visa.practice_id, by=visa.actor_name, at_once=asked.at_once, now=now
        )


@answers(router, GiveImportKey)
async def give_import_key(asked: GiveImportKey, pool: Database, now: Now) -> ImportKeyMade:
    async with transaction(pool, practice=asked.practice_id) as db:
        await practices.get_practice(db, asked.practice_id)
        return await _renew(db, asked.practice_id, by="", at_once=asked.at_once, now=now)


async def _renew(
    db: Connection, practice_id: UUID, *, by: str, at_once: bool, now: datetime
) -> ImportKeyMade:
    """A key that works from now on; the older ones work until then."""
    key, end = rules.new_key(), rules.older_end(at_once=at_once, now=now)
    await store.lock_keys(db, practice_id)
    await store.end_keys(db, practice_id, at=end)
    await store.add_key(db, practice_id, new_id(), rules.digest(key), by=by, now=now)
    return ImportKeyMade(import_key=key, older_end_at=end)
