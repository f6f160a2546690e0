"""Send Record: locked and sent, listed, and taken back."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from faststream.nats import NatsRouter
from uuid_utils.compat import uuid7

from libs.access.gate import AtGate, Gate, NotAllowed
from libs.contracts.activity import Act
from libs.contracts.base import Done, Refused
from libs.contracts.identity.factors import PROVEN_FOR
from libs.contracts.identity.practices import ShowPractice
from libs.contracts.records.exports import Counted
from libs.contracts.records.refusals import Refusal
from libs.contracts.records.sending import (
    OPEN_AT_ONCE,
    Addressee,
    DescribeNote,
    DescribeSender,
    DescribeSending,
    ListSendings,
    NoteBack,
    RevokeSending,
    Sender,
    SendingEnded,
    SendingLetter,
    Sendings,
    SendingState,
    SendRecord,
    SentOff,
)
from libs.contracts.records.sending import Sending as Shown
from libs.contracts.visa import Capacity, Limit, Visa
from libs.runtime import outbox
from libs.runtime.broker import Asking, answers, ask
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from libs.runtime.keyring import Damaged, KeyRing, new_data_key, seal, unseal
from libs.vault.vault import Vault
from services.records.activity import enter
from services.records.domain import sending as rules
from services.records.domain.activity import actor_of
from services.records.domain.chart import may_choose
from services.records.domain.sending import Cost, Sending
from services.records.exporting import loading
from services.records.means import AtKeyRing
from services.records.sending.locking import AtLocks
from services.records.sending.packing import AtPackers, Packer, forget
from services.records.store import packages, patients
from services.records.store import sendings as store

SALT = 16

router = NatsRouter()


@answers(router, SendRecord)
async def send_record(  # noqa: PLR0913
    asked: SendRecord,
    pool: Database,
    now: Now,
    gate: AtGate,
    ring: AtKeyRing,
    broker: Asking,
    locks: AtLocks,
    packers: AtPackers,
) -> SentOff:
    visa = _admit(gate, asked.visa, asked.patient_id, now=now)
    if not may_choose(visa, asked.selection.kinds):
        raise NotAllowed
    _assure_proven(gate, asked, visa, now=now)
    to, notes = rules.recipient(asked.recipient), rules.notes(asked.notes)
    practice = await ask(broker, ShowPractice(practice_id=visa.practice_id))
    async with transaction(pool, practice=visa.practice_id) as db:
        person = await patients.get_person(db, visa.practice_id, asked.patient_id)
    name = f"{person.given} {person.family}"
    password = rules.password(asked.password, (to, name, visa.actor_name, practice.name))
    place = asked.patient_id, asked.selection
    letters = await loading.read_letters(broker, asked.visa, practice, *place)
    salt, cost, key, sending_id = secrets.token_bytes(SALT), Cost(), new_data_key(), uuid7()
    lock = await locks.key(password, salt, cost)
    async with transaction(pool, practice=visa.practice_id) as db:
        holds = await loading.count(db, practice, *place, letters=len(letters))
        await Vault(db, ring, visa.practice_id).key_of(asked.patient_id)  # its link hangs on it
        sender = visa.actor_name
        if visa.capacity is Capacity.DELEGATE:
            sender = f"{visa.actor_name} for {name}"
        wanted = Sending(
            practice_id=visa.practice_id,
            id=sending_id,
            patient_id=asked.patient_id,
            account_id=visa.account_id,
            sender=sender,
            key=asked.key,
            recipient=to,
            kinds=asked.selection.kinds,
            start_day=asked.selection.start,
            end_day=asked.selection.end,
            results=holds.results,
            documents=holds.documents,
            messages=holds.messages,
            size=holds.size,
            salt=salt,
            cost=cost,
            wrapped=seal(lock, key, belongs_to=_lock(visa.practice_id, sending_id)),
            notes=seal(key, notes.encode(), belongs_to=_notes(visa.practice_id, sending_id)),
            state=SendingState.PACKING,
            sent_at=now,
            heard_at=now,
            expires_at=now + timedelta(days=asked.days),
        )
        await store.lock_sendings(db, visa.practice_id, asked.patient_id)
        sending = await store.add_sending(db, wanted)
        kept = await store.count_kept(db, visa.practice_id, asked.patient_id, now=now)
        if sending.id == wanted.id and kept > OPEN_AT_ONCE:
            raise Refused(Refusal.TOO_MANY_SENDINGS)
    if sending.id == wanted.id:
        packers.begin(
            Packer(
                pool=pool,
                sending=sending,
                practice=practice,
                chosen=asked.selection,
                letters=letters,
                fetch=loading.letter_files(broker, visa.practice_id, asked.patient_id),
                key=key,
                actor=actor_of(visa),
            )
        )
    return SentOff(sending_id=sending.id)


@answers(router, ListSendings)
async def list_sendings(
    asked: ListSendings, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Sendings:
    visa = _admit(gate, asked.visa, asked.patient_id, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        found = await store.list_sendings(db, visa.practice_id, asked.patient_id)
        under_way = [one.id for one in found if one.state is SendingState.PACKING]
        packed = await packages.list_packed(db, visa.practice_id, under_way) if under_way else {}
        vault = Vault(db, ring, visa.practice_id)
        key = (await vault.keys_of([asked.patient_id])).get(asked.patient_id)
    return Sendings(
        sendings=tuple(_shown(one, key, packed.get(one.id, 0), now=now) for one in found)
    )


@answers(router, RevokeSending)
async def revoke_sending(asked: RevokeSending, pool: Database, now: Now, gate: AtGate) -> Done:
    visa = _admit(gate, asked.visa, asked.patient_id, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        sending = await store.get_sending(
            db, visa.practice_id, asked.sending_id, patient_id=asked.patient_id
        )
        if await forget(db, sending, SendingState.REVOKED):
            act = Act.REVOKED_SENT_RECORD
            await enter(db, visa, asked.patient_id, act, sending.recipient, now=now)
            await end(db, sending)
    return Done()


@answers(router, DescribeSending)
async def describe_sending(
    asked: DescribeSending, pool: Database, now: Now, ring: AtKeyRing, broker: Asking
) -> SendingLetter:
    practice = await ask(broker, ShowPractice(practice_id=asked.practice_id))
    async with transaction(pool, practice=asked.practice_id) as db:
        sending = await store.get_sending(db, asked.practice_id, asked.sending_id)
        sending.assure_open(now=now)
        secret = await secret_of(db, ring, sending)
    return SendingLetter(
        email=sending.recipient,
        practice=practice,
        path=f"/shared/{rules.token(sending, secret)}",
        expires_at=sending.expires_at,
    )


@answers(router, DescribeSender)
async def describe_sender(asked: DescribeSender, pool: Database) -> Sender:
    async with transaction(pool, practice=asked.practice_id) as db:
        sending = await store.get_sending(db, asked.practice_id, asked.sending_id)
    return Sender(
        account_id=sending.account_id,
        patient_id=sending.patient_id,
        path=f"/p/{sending.patient_id}/health/send#sent",
    )


@answers(router, DescribeNote)
async def describe_note(asked: DescribeNote, pool: Database, ring: AtKeyRing) -> NoteBack:
    async with transaction(pool, practice=asked.practice_id) as db:
        sending = await store.get_sending(db, asked.practice_id, asked.sending_id)
        secret = await secret_of(db, ring, sending)
    note = _note(sending, secret)
    if not note or sending.note_to is not Addressee.CARE_TEAM:
        raise Refused(Refusal.UNKNOWN_SENDING)
    return NoteBack(patient_id=sending.patient_id, recipient=sending.recipient, note=note)


async def end(db: Connection, sending: Sending) -> None:
    """What is still under way to the recipient's browser is cut off."""
    place = {"practice_id": sending.practice_id, "sending_id": sending.id}
    await outbox.announce(db, SendingEnded(**place))


async def secret_of(db: Connection, ring: KeyRing, sending: Sending) -> bytes:
    """What links to this patient's record are sealed with: nothing of it is in any table."""
    keys = await Vault(db, ring, sending.practice_id).keys_of([sending.patient_id])
    if sending.patient_id not in keys:
        raise Refused(Refusal.SENDING_OVER)
    return keys[sending.patient_id]


def unlocked(lock: bytes, sending: Sending) -> bytes:
    """The key of what is in it, with what the password made; `Damaged` for a wrong one."""
    if sending.wrapped is None:
        raise Refused(Refusal.SENDING_OVER)
    return unseal(lock, sending.wrapped, belongs_to=_lock(sending.practice_id, sending.id))


def notes_of(key: bytes, sending: Sending) -> str:
    """What the sender wrote beside it; `Damaged` where this is not its key."""
    belongs_to = _notes(sending.practice_id, sending.id)
    return unseal(key, sending.notes, belongs_to=belongs_to).decode()


def written_back(practice_id: UUID, sending_id: UUID) -> str:
    """What a recipient's note belongs to."""
    return f"sent note back|{practice_id}|{sending_id}"


def _lock(practice_id: UUID, sending_id: UUID) -> str:
    return f"sent key|{practice_id}|{sending_id}"


def _notes(practice_id: UUID, sending_id: UUID) -> str:
    return f"sent notes|{practice_id}|{sending_id}"


def _admit(gate: Gate, sealed: str, patient_id: UUID, *, now: datetime) -> Visa:
    """The patient, or a delegate who may send."""
    visa = gate.admit(sealed, now=now, patient_id=patient_id, limit=Limit.SENDING)
    if visa.capacity not in (Capacity.SELF, Capacity.DELEGATE):
        raise NotAllowed
    return visa


def _assure_proven(gate: Gate, asked: SendRecord, visa: Visa, *, now: datetime) -> None:
    """Identity says that the same person has shown who they are within the last minutes."""
    passport = gate.passport(asked.passport, now=now)
    if passport.account_id != visa.account_id:
        raise NotAllowed
    if passport.proven_at is None or now >= passport.proven_at + PROVEN_FOR:
        raise Refused(Refusal.PROOF_NEEDED)


def _note(one: Sending, key: bytes | None) -> str:
    """What the recipient wrote back; "" for nothing, or what does not open any more."""
    if not one.note or not key:
        return ""
    try:
        return unseal(key, one.note, belongs_to=written_back(one.practice_id, one.id)).decode()
    except Damaged:
        return ""


def _shown(one: Sending, key: bytes | None, packed: int, *, now: datetime) -> Shown:
    standing = one.standing(now=now)
    opens = standing in (SendingState.SENT, SendingState.OPENED)
    return Shown(
        sending_id=one.id,
        recipient=one.recipient,
        sender=one.sender,
        sender_id=one.account_id,
        kinds=one.kinds,
        start=one.start_day,
        end=one.end_day,
        holds=Counted(
            results=one.results, documents=one.documents, messages=one.messages, size=one.size
        ),
        state=standing,
        sent_at=one.sent_at,
        expires_at=one.expires_at,
        opened_at=one.opened_at,
        note=_note(one, key),
        note_to=one.note_to,
        noted_at=one.noted_at,
        token=rules.token(one, key) if opens and key else "",
        link_key=rules.link_key(one, key) if opens and key else b"",
        packed=min(packed, one.size),
    )
