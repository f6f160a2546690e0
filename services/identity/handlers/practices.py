"""Practices: what they say of themselves, and the operator's way in."""

from uuid import UUID

from faststream.nats import NatsRouter

from libs.access.gate import AtGate
from libs.contracts.base import Done, Refused
from libs.contracts.identity.practices import (
    AddPractice,
    AdmitOperator,
    ListPractices,
    Practice,
    PracticeAccess,
    PracticeAdded,
    Practices,
    PracticeSettings,
    SavePractice,
    ShowPractice,
    ShowPracticeSettings,
)
from libs.contracts.identity.refusals import Refusal
from libs.contracts.visa import Capacity, Role
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Database, transaction
from services.identity.domain import import_key
from services.identity.domain.email import canonical
from services.identity.domain.practice import Words, checked
from services.identity.means import AtSeal, new_id, practice_visa
from services.identity.store import import_keys
from services.identity.store import practices as store

OPERATOR = UUID(int=0)
"""Who acts when the operator does, from the command line."""

router = NatsRouter()


@answers(router, ShowPractice)
async def show_practice(asked: ShowPractice, pool: Database) -> Practice:
    async with transaction(pool) as db:
        return await store.get_practice(db, asked.practice_id)


@answers(router, ShowPracticeSettings)
async def show_practice_settings(
    asked: ShowPracticeSettings, pool: Database, now: Now, gate: AtGate
) -> PracticeSettings:
    visa = gate.admit_staff(asked.visa, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        return PracticeSettings(
            practice=await store.get_practice(db, visa.practice_id),
            contact_email=await store.get_contact_email(db, visa.practice_id),
        )


@answers(router, SavePractice)
async def save_practice(asked: SavePractice, pool: Database, now: Now, gate: AtGate) -> Done:
    visa = gate.admit_staff(asked.visa, now=now, roles=(Role.ADMINISTRATOR,))
    words = checked(Words(**{name: getattr(asked, name) for name in Words.__annotations__}))
    async with transaction(pool, practice=visa.practice_id) as db:
        await store.save_practice(db, visa.practice_id, words)
    return Done()


@answers(router, ListPractices)
async def list_practices(_: ListPractices, pool: Database) -> Practices:
    async with transaction(pool) as db:
        return Practices(practices=await store.list_practices(db))


@answers(router, AddPractice)
async def add_practice(asked: AddPractice, pool: Database, now: Now) -> PracticeAdded:
    if canonical(asked.contact_email) is None:
        raise Refused(Refusal.EMAIL_NOT_USABLE)
    async with transaction(pool, practice=asked.practice_id) as db:
        key = ""
        if await store.add_practice(db, asked):
            key = import_key.new_key()
            digest = import_key.digest(key)
            await import_keys.add_key(db, asked.practice_id, new_id(), digest, by="", now=now)
    return PracticeAdded(practice_id=asked.practice_id, import_key=key)


@answers(router, AdmitOperator)
async def admit_operator(
    asked: AdmitOperator, pool: Database, now: Now, seal: AtSeal
) -> PracticeAccess:
    async with transaction(pool) as db:
        practice = await store.get_practice(db, asked.practice_id)
    visa = practice_visa(seal, Capacity.MACHINE, practice.practice_id, account_id=OPERATOR, now=now)
    return PracticeAccess(practice_id=practice.practice_id, visa=visa)
