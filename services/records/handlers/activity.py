"""The activity log: shown to the patient, handed over whole, and fed by what others announce."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from faststream.nats import NatsBroker, NatsRouter

from libs.access.gate import AtGate, Gate, NotAllowed
from libs.contracts.activity import Acted
from libs.contracts.delegation import DelegationActed
from libs.contracts.identity.acts import DescribeActor, IdentityActed
from libs.contracts.messaging.acts import MessagingActed
from libs.contracts.records.activity import (
    ActivityPage,
    ActivityPart,
    Actor,
    Entry,
    ListActivity,
    ReadActivity,
)
from libs.contracts.visa import Capacity, Visa
from libs.runtime import inbox
from libs.runtime.broker import Asking, answers, ask, follows
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, Pool, transaction
from services.records.activity import enter_all
from services.records.domain import activity as rules
from services.records.store import activity as store
from services.records.store import patients

router = NatsRouter()


@answers(router, ListActivity)
async def list_activity(
    asked: ListActivity, pool: Database, now: Now, gate: AtGate
) -> ActivityPage:
    visa = _patients_own(gate, asked, now=now)
    place = visa.practice_id, asked.patient_id
    async with transaction(pool, practice=visa.practice_id) as db:
        await patients.get_person(db, *place)
        found = await store.list_newest(
            db,
            *place,
            actor_id=asked.actor_id,
            acts=sorted(asked.acts),
            start=asked.start,
            end=asked.end,
            before=asked.after,
        )
        page = found[: store.PAGE]
        names = await _names(db, *place, page)
        actors = await store.list_actors(db, *place)
    return ActivityPage(
        entries=tuple(_entry(entry, names) for entry in page),
        actors=tuple(
            Actor(
                actor_id=row["actor_id"],
                name=row["actor_name"],
                capacity=Capacity(row["capacity"]),
            )
            for row in sorted(actors, key=lambda row: row["actor_name"].casefold())
        ),
        after=page[-1].number if len(found) > store.PAGE else 0,
    )


@answers(router, ReadActivity)
async def read_activity(
    asked: ReadActivity, pool: Database, now: Now, gate: AtGate
) -> ActivityPart:
    visa = _patients_own(gate, asked, now=now)
    place = visa.practice_id, asked.patient_id
    async with transaction(pool, practice=visa.practice_id) as db:
        await patients.get_person(db, *place)
        head = await store.get_head(db, *place)
        found = await store.list_from(db, *place, after=asked.number)
        names = await _names(db, *place, found)
    return ActivityPart(
        practice_id=visa.practice_id,
        entries=tuple(_entry(entry, names) for entry in found),
        last_number=head.number,
        last_hash=head.hash.hex(),
    )


def _patients_own(gate: Gate, asked: ListActivity | ReadActivity, *, now: datetime) -> Visa:
    """Whoever else acts on the record stands in the log, and does not see it."""
    visa = gate.admit(asked.visa, now=now, patient_id=asked.patient_id)
    if visa.capacity is not Capacity.SELF:
        raise NotAllowed
    return visa


async def _names(
    db: Connection, practice_id: UUID, patient_id: UUID, entries: Sequence[rules.Entry]
) -> dict[str, str]:
    """What the documents, results and tests of these entries are called."""
    ids: set[UUID] = set()
    subjects = {entry.subject for entry in entries if entry.subject}
    for subject in subjects:
        with suppress(ValueError):
            ids.add(UUID(subject))
    return await store.list_names(db, practice_id, patient_id, list(ids), list(subjects))


def _entry(entry: rules.Entry, names: dict[str, str]) -> Entry:
    return Entry(
        number=entry.number,
        at=entry.at,
        actor_id=entry.actor_id,
        actor_name=entry.actor_name,
        capacity=Capacity(entry.capacity),
        act=entry.act,
        subject=entry.subject,
        reason=entry.reason,
        previous=entry.previous.hex(),
        hash=entry.hash.hex(),
        what=names.get(entry.subject, ""),
    )


@follows(router, IdentityActed, by="records")
async def identity_acted(heard: IdentityActed, pool: Database, broker: Asking) -> None:
    await _enter(heard, pool, broker)


@follows(router, MessagingActed, by="records")
async def messaging_acted(heard: MessagingActed, pool: Database, broker: Asking) -> None:
    await _enter(heard, pool, broker)


@follows(router, DelegationActed, by="records")
async def delegation_acted(heard: DelegationActed, pool: Database, broker: Asking) -> None:
    await _enter(heard, pool, broker)


async def _enter(heard: Acted, pool: Pool, broker: NatsBroker) -> None:
    """Once; and while nobody says what the person is called, it comes again later."""
    named = await ask(broker, DescribeActor(account_id=heard.account_id))
    async with transaction(pool, practice=heard.practice_id) as db:
        if await inbox.first_time(db, heard, by="records"):
            happened = rules.Happened(
                patient_id=heard.patient_id,
                actor=rules.Actor(id=heard.account_id, name=named.name, capacity=heard.capacity),
                act=heard.act,
                subject=str(heard.reference_id or ""),
                at=heard.at,
            )
            await enter_all(db, heard.practice_id, [happened])
