"""The practice's list of patients."""

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from faststream.nats import NatsRouter
from uuid_utils.compat import uuid7

from libs.access.gate import AtGate, NotAllowed
from libs.contracts.activity import Act
from libs.contracts.base import Done, Refused
from libs.contracts.identity.invitations import InvitationChanged, InvitationState
from libs.contracts.records.patients import (
    AddPatient,
    Contact,
    CorrectEmail,
    DescribeContact,
    ImportPatients,
    InvitationWanted,
    InvitePatient,
    Line,
    LinesRead,
    ListPatients,
    NamePatients,
    Patient,
    PatientAdded,
    PatientList,
    People,
    ShowPatient,
)
from libs.contracts.records.refusals import Refusal
from libs.contracts.visa import Capacity, Visa
from libs.runtime import inbox, once, outbox
from libs.runtime.broker import answers, follows
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from services.records.activity import enter, enter_all
from services.records.domain import patient as rules
from services.records.domain import patient_list
from services.records.domain.activity import Happened, actor_of
from services.records.domain.patient import Entry
from services.records.store import patients as store

router = NatsRouter()


@answers(router, AddPatient)
async def add_patient(asked: AddPatient, pool: Database, now: Now, gate: AtGate) -> PatientAdded:
    visa = gate.admit_staff(asked.visa, now=now, machines=True)
    entry = rules.entry(
        given=asked.given,
        family=asked.family,
        birth_date=asked.birth_date,
        email=asked.email,
        mrn=asked.mrn,
        today=now.date(),
    )
    async with transaction(pool, practice=visa.practice_id) as db:
        if earlier := await once.earlier(db, asked.key, by=visa.account_id, what=AddPatient):
            return earlier
        await store.lock_list(db, visa.practice_id)
        known = await store.list_alike(db, visa.practice_id, [entry])
        if entry.mrn and any(one.mrn == entry.mrn for one in known):
            raise Refused(Refusal.MRN_TAKEN)
        if known and not asked.even_so:
            raise Refused(Refusal.PERHAPS_THERE_ALREADY)
        added = [(uuid7(), entry)]
        await _add(db, visa, added, invite=asked.invite, now=now)
        reply = PatientAdded(patient_id=added[0][0])
        await once.keep(db, asked.key, by=visa.account_id, what=AddPatient, reply=reply)
    return reply


@answers(router, ImportPatients)
async def import_patients(
    asked: ImportPatients, pool: Database, now: Now, gate: AtGate
) -> LinesRead:
    """A line that can't be taken keeps no other from the list."""
    visa = gate.admit_staff(asked.visa, now=now, machines=True)
    listed = [_entry(line, now) for line in patient_list.lines(asked.content)]
    entries = [entry for _, entry in listed if isinstance(entry, Entry)]
    async with transaction(pool, practice=visa.practice_id) as db:
        await store.lock_list(db, visa.practice_id)
        roll = patient_list.Roll(await store.list_alike(db, visa.practice_id, entries))
        met = [
            (line, entry, roll.meet(entry) if isinstance(entry, Entry) else entry)
            for line, entry in listed
        ]
        added = [
            (uuid7(), entry)
            for _, entry, outcome in met
            if isinstance(entry, Entry) and outcome == patient_list.ADDED
        ]
        if added and not asked.preview:
            await _add(db, visa, added, invite=asked.invite, now=now)
    outcomes = [outcome for _, _, outcome in met]
    unchanged = outcomes.count(patient_list.UNCHANGED)
    return LinesRead(
        lines=tuple(
            Line(number=line.number, outcome=outcome, name=line.name) for line, _, outcome in met
        ),
        added=len(added),
        unchanged=unchanged,
        refused=len(met) - len(added) - unchanged,
        preview=asked.preview,
    )


def _entry(line: patient_list.Line, now: datetime) -> tuple[patient_list.Line, Entry | str]:
    """Whom a line is about, or the reason why nobody."""
    try:
        return line, line.entry(now.date())
    except Refused as refused:
        return line, refused.code


async def _add(
    db: Connection,
    visa: Visa,
    added: Sequence[tuple[UUID, Entry]],
    *,
    invite: bool,
    now: datetime,
) -> None:
    await store.add_patients(db, visa.practice_id, added, now=now)
    patients = [patient_id for patient_id, _ in added]
    await enter_all(db, visa.practice_id, _happened(visa, patients, Act.ADDED_PATIENT, now=now))
    if invite:
        await _want(db, visa, [patient_id for patient_id, entry in added if entry.email], now=now)


async def _want(db: Connection, visa: Visa, patients: Sequence[UUID], *, now: datetime) -> None:
    """Invitations are to go to the addresses that these patients have now."""
    if patients:
        practice_id = visa.practice_id
        wanted = await store.want_invitations(db, practice_id, patients)
        events = [
            InvitationWanted(practice_id=practice_id, patient_id=patient_id, version=version)
            for patient_id, version in wanted
        ]
        await outbox.announce(db, *events)
        await enter_all(db, practice_id, _happened(visa, patients, Act.INVITED_PATIENT, now=now))


def _happened(visa: Visa, patients: Sequence[UUID], act: Act, *, now: datetime) -> list[Happened]:
    actor = actor_of(visa)
    return [Happened(patient_id=patient, actor=actor, act=act, at=now) for patient in patients]


@answers(router, NamePatients)
async def name_patients(asked: NamePatients, pool: Database, now: Now, gate: AtGate) -> People:
    visa = gate.admit(asked.visa, now=now)
    if visa.capacity is not Capacity.STAFF and set(asked.patient_ids) != {visa.patient_id}:
        raise NotAllowed
    async with transaction(pool, practice=visa.practice_id) as db:
        people = await store.list_people(db, visa.practice_id, asked.patient_ids)
    return People(people=tuple(people))


@answers(router, CorrectEmail)
async def correct_email(asked: CorrectEmail, pool: Database, now: Now, gate: AtGate) -> Done:
    visa = gate.admit_staff(asked.visa, now=now)
    email = rules.address(asked.email)
    async with transaction(pool, practice=visa.practice_id) as db:
        if earlier := await once.earlier(db, asked.key, by=visa.account_id, what=CorrectEmail):
            return earlier
        patient = await store.lock_patient(db, visa.practice_id, asked.patient_id)
        await store.save_email(db, visa.practice_id, patient, email)
        await enter(db, visa, asked.patient_id, Act.CHANGED_EMAIL, now=now)
        if email and patient.active and patient.state is not InvitationState.REGISTERED:
            await _want(db, visa, [asked.patient_id], now=now)
        await once.keep(db, asked.key, by=visa.account_id, what=CorrectEmail, reply=Done())
    return Done()


@answers(router, InvitePatient)
async def invite_patient(asked: InvitePatient, pool: Database, now: Now, gate: AtGate) -> Done:
    visa = gate.admit_staff(asked.visa, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        if earlier := await once.earlier(db, asked.key, by=visa.account_id, what=InvitePatient):
            return earlier
        patient = await store.lock_patient(db, visa.practice_id, asked.patient_id)
        if not patient.active:
            raise Refused(Refusal.DEACTIVATED)
        if not patient.email:
            raise Refused(Refusal.EMAIL_MISSING)
        if patient.state is InvitationState.NOT_INVITED:
            await _want(db, visa, [asked.patient_id], now=now)
        await once.keep(db, asked.key, by=visa.account_id, what=InvitePatient, reply=Done())
    return Done()


@answers(router, ShowPatient)
async def show_patient(asked: ShowPatient, pool: Database, now: Now, gate: AtGate) -> Patient:
    visa = gate.admit_staff(asked.visa, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        patient = await store.get_patient(db, visa.practice_id, asked.patient_id)
        await enter(db, visa, asked.patient_id, Act.SAW_PATIENT, now=now)
    return patient


@answers(router, ListPatients)
async def list_patients(asked: ListPatients, pool: Database, now: Now, gate: AtGate) -> PatientList:
    visa = gate.admit_staff(asked.visa, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        counts = await store.count_patients(db, visa.practice_id)
        found = await store.list_patients(
            db,
            visa.practice_id,
            words=rules.words(asked.q),
            birth_date=asked.birth_date,
            state=asked.state,
            attention=asked.attention,
            deactivated=asked.deactivated,
            after=_place(asked.after),
        )
    page = found[: store.PAGE]
    return PatientList(
        patients=tuple(patient for patient, _ in page),
        after=_place_text(page[-1][1]) if len(found) > store.PAGE else "",
        total=counts[0],
        registered=counts[1],
        waiting=counts[2],
        attention=counts[3],
    )


def _place_text(place: tuple[str, str, UUID]) -> str:
    return json.dumps([place[0], place[1], str(place[2])])


def _place(text: str) -> tuple[str, str, UUID] | None:
    """Where the page before ended; a place that is none begins at the beginning."""
    try:
        family, given, last = json.loads(text)
        place = str(family), str(given), UUID(last)
    except (ValueError, TypeError, AttributeError):
        return None
    return place if all(rules.is_plain(part) for part in place[:2]) else None


@answers(router, DescribeContact)
async def describe_contact(asked: DescribeContact, pool: Database) -> Contact:
    async with transaction(pool, practice=asked.practice_id) as db:
        return await store.get_contact(db, asked.practice_id, asked.patient_id)


@follows(router, InvitationChanged, by="records")
async def invitation_changed(heard: InvitationChanged, pool: Database, now: Now) -> None:
    """Staff see how far each invitation has come."""
    async with transaction(pool, practice=heard.practice_id) as db:
        if await inbox.first_time(db, heard, by="records"):
            await store.save_state(
                db,
                heard.practice_id,
                heard.patient_id,
                state=heard.state,
                change=heard.version,
                expires_at=heard.expires_at,
                new_link_wanted=heard.new_link_wanted,
                now=now,
            )
