"""A record that was sent, for whoever has the link and the password."""

import asyncio
from datetime import datetime
from uuid import UUID, uuid4

from faststream.nats import NatsRouter

from libs.contracts.activity import Act
from libs.contracts.base import Done, Refused
from libs.contracts.content import CHUNK_SIZE, Chunk
from libs.contracts.identity.practices import ShowPractice
from libs.contracts.records.exports import Counted, Format
from libs.contracts.records.refusals import Refusal
from libs.contracts.records.sending import (
    PASSWORD_AT_MOST,
    TRIES,
    Addressee,
    CareTeamNoted,
    Door,
    Offered,
    ReadSending,
    SendingState,
    SendingTold,
    ShowDoor,
    Unlock,
    Unlocked,
    WriteBack,
)
from libs.contracts.visa import Capacity
from libs.runtime import outbox
from libs.runtime.broker import Asking, answers, ask
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, Pool, transaction
from libs.runtime.keyring import Damaged, KeyRing, seal
from libs.vault.vault import NothingStored
from services.records.activity import enter_all
from services.records.domain import sending as rules
from services.records.domain.activity import Actor, Happened
from services.records.domain.export import MEDIA_TYPES
from services.records.domain.sending import Sending
from services.records.exporting import unspooling
from services.records.handlers.sending import (
    end,
    notes_of,
    secret_of,
    unlocked,
    written_back,
)
from services.records.means import AtKeyRing
from services.records.sending import ticket
from services.records.sending.locking import AtLocks, Locks
from services.records.sending.package import Package
from services.records.store import patients, tries
from services.records.store import sendings as store

router = NatsRouter()


@answers(router, ShowDoor)
async def show_door(
    asked: ShowDoor, pool: Database, now: Now, ring: AtKeyRing, broker: Asking
) -> Door:
    sending, secret = await _found(pool, ring, asked.token)
    practice = await ask(broker, ShowPractice(practice_id=sending.practice_id))
    async with transaction(pool, practice=sending.practice_id) as db:
        unknown = await tries.count_open(db, sending)
    return Door(
        practice=practice,
        state=sending.standing(now=now),
        expires_at=sending.expires_at,
        tries_left=min(sending.tries_left + unknown, TRIES),
        link_key=rules.link_key(sending, secret),
    )


@answers(router, Unlock)
async def unlock(  # noqa: PLR0913
    asked: Unlock, pool: Database, now: Now, ring: AtKeyRing, broker: Asking, locks: AtLocks
) -> Unlocked:
    """A try is counted before the password is looked at, so that no number at once is one more."""
    sending, secret = await _found(pool, ring, asked.token)
    sending.assure_open(now=now)
    practice = await ask(broker, ShowPractice(practice_id=sending.practice_id))
    this = uuid4()
    if asked.key:
        key = ticket.read(sending, secret, asked.key, now=now)
    else:
        key = await _tried(pool, sending, this, asked.password, locks, now=now)
    notes = _with_key(key, sending)
    async with transaction(pool, practice=sending.practice_id) as db:
        if not asked.key:
            if not await tries.settle_try(db, sending, this):
                raise Refused(Refusal.BUSY)
            if not await tries.save_opened(db, sending, now=now):
                raise Refused(Refusal.SENDING_OVER)
            opener = rules.opener(asked.opener) or sending.recipient
            await _enter(db, sending, Act.OPENED_SENT_RECORD, now=now, opener=opener)
        person = await patients.get_person(db, sending.practice_id, sending.patient_id)
        files = await store.list_files(db, sending)
    order = list(Format)
    return Unlocked(
        sending_id=sending.id,
        key=ticket.written(sending, secret, key, now=now),
        patient=f"{person.given} {person.family}",
        birth_date=person.birth_date,
        practice=practice,
        sender=sending.sender,
        notes=notes,
        holds=Counted(
            results=sending.results,
            documents=sending.documents,
            messages=sending.messages,
            size=sending.size,
        ),
        files=tuple(
            Offered(
                format=Format(one["format"]),
                file_name=one["file_name"],
                media_type=MEDIA_TYPES[Format(one["format"])],
                size=one["size"],
            )
            for one in sorted(files, key=lambda one: order.index(Format(one["format"])))
        ),
        expires_at=sending.expires_at,
        noted=sending.noted_at is not None,
    )


@answers(router, ReadSending)
async def read_sending(asked: ReadSending, pool: Database, now: Now, ring: AtKeyRing) -> Chunk:
    sending, secret = await _found(pool, ring, asked.token)
    sending.assure_open(now=now)
    key = ticket.read(sending, secret, asked.key, now=now)
    async with transaction(pool, practice=sending.practice_id) as db:
        files = await store.list_files(db, sending)
        size = next((one["size"] for one in files if one["format"] == asked.format), 0)
        begin, stop = asked.number * CHUNK_SIZE, min((asked.number + 1) * CHUNK_SIZE, size)
        if not 0 <= begin < stop:
            raise Refused(Refusal.UNKNOWN_SENDING)
        segments = await store.list_segments(db, sending, asked.format, begin=begin, stop=stop)
        package = Package(db, sending.practice_id, sending.id, key)
        try:
            data = await unspooling.read(package, segments, begin=begin, stop=stop)
        except NothingStored:
            raise Refused(Refusal.SENDING_OVER) from None
    return Chunk(data=data, last=stop == size)


@answers(router, WriteBack)
async def write_back(asked: WriteBack, pool: Database, now: Now, ring: AtKeyRing) -> Done:
    sending, secret = await _found(pool, ring, asked.token)
    sending.assure_open(now=now)
    ticket.read(sending, secret, asked.key, now=now)
    if not (note := rules.notes(asked.note)):
        raise Refused(Refusal.NOTES_NOT_USABLE)
    async with transaction(pool, practice=sending.practice_id) as db:
        belongs_to = written_back(sending.practice_id, sending.id)
        sealed = seal(secret, note.encode(), belongs_to=belongs_to)
        if not await store.save_note(db, sending, sealed, to=asked.to, now=now):
            raise Refused(Refusal.WRITTEN_ALREADY)
        await _enter(db, sending, Act.ANSWERED_SENT_RECORD, now=now)
        await _tell(db, sending, SendingState.OPENED)
        if asked.to is Addressee.CARE_TEAM:
            place = {"practice_id": sending.practice_id, "sending_id": sending.id}
            await outbox.announce(db, CareTeamNoted(**place))
    return Done()


async def _found(pool: Pool, ring: KeyRing, token: str) -> tuple[Sending, bytes]:
    """What a link leads to, if it is one of ours; and the secret that such links are made with."""
    sending_id = rules.id_of(token)
    async with transaction(pool, worker="sendings") as db:
        practice_id = await store.find_practice(db, sending_id)
    if practice_id is None:
        raise Refused(Refusal.UNKNOWN_SENDING)
    async with transaction(pool, practice=practice_id) as db:
        sending = await store.get_sending(db, practice_id, sending_id)
        secret = await secret_of(db, ring, sending)
    rules.assure_sealed(token, sending, secret)
    return sending, secret


async def _tried(  # noqa: PLR0913
    pool: Pool, sending: Sending, this: UUID, password: str, locks: Locks, *, now: Now
) -> bytes:
    async with transaction(pool, practice=sending.practice_id) as db:
        if not await tries.begin_try(db, sending, this, now=now):
            is_over = not await tries.count_open(db, sending)
            raise Refused(Refusal.SENDING_LOCKED if is_over else Refusal.BUSY)
    try:
        lock = await locks.key(password[: PASSWORD_AT_MOST + 1], sending.salt, sending.cost)
    except BaseException:  # nobody has looked at it
        await asyncio.shield(_give_back(pool, sending, this))
        raise
    try:
        return unlocked(lock, sending)
    except Damaged:
        async with transaction(pool, practice=sending.practice_id) as db:
            if not await tries.settle_try(db, sending, this):
                raise Refused(Refusal.BUSY) from None
            if await tries.save_locked(db, sending):
                await _enter(db, sending, Act.LOCKED_SENT_RECORD, now=now)
                await _tell(db, sending, SendingState.LOCKED)
                await end(db, sending)
        raise Refused(Refusal.WRONG_PASSWORD) from None


async def _give_back(pool: Pool, sending: Sending, this: UUID) -> None:
    async with transaction(pool, practice=sending.practice_id) as db:
        await tries.give_back_try(db, sending, this)


def _with_key(key: bytes, sending: Sending) -> str:
    """The sender's notes, which only the right key opens."""
    try:
        return notes_of(key, sending)
    except Damaged:
        raise Refused(Refusal.WRONG_PASSWORD) from None


async def _enter(
    db: Connection, sending: Sending, act: Act, *, now: datetime, opener: str = ""
) -> None:
    """In the log by the recipient, who has no account: under the id of what was sent."""
    actor = Actor(id=sending.id, name=sending.recipient, capacity=Capacity.RECIPIENT)
    happened = Happened(
        patient_id=sending.patient_id,
        actor=actor,
        act=act,
        subject=opener or sending.recipient,
        at=now,
    )
    await enter_all(db, sending.practice_id, [happened])


async def _tell(db: Connection, sending: Sending, state: SendingState) -> None:
    await outbox.announce(
        db,
        SendingTold(
            practice_id=sending.practice_id,
            sending_id=sending.id,
            state=state,
        ),
    )
