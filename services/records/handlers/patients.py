"""The practice's list of patients."""

import json
from datetime import datetime
from uuid import UUID

from faststream.nats import NatsRouter
from uuid_utils.compat import uuid7

from libs.access.gate import AtGate
from libs.contracts.base import Done, Refused
from libs.contracts.identity import InvitationChanged, InvitationState
from libs.contracts.records import (
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
    Patient,
    PatientAdded,
    PatientList,
    Refusal,
    ShowPatient,
)
from libs.runtime import inbox, once, outbox
from libs.runtime.broker import answers, follows
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, Pool, transaction
from services.records.domain import patient as rules
from services.records.domain import patient_list
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
        if not asked.even_so and await store.find_alike(db, visa.practice_id, entry):
            raise Refused(Refusal.PERHAPS_THERE_ALREADY)
        patient_id = await _add(db, visa.practice_id, entry, invite=asked.invite, now=now)
        reply = PatientAdded(patient_id=patient_id)
        await once.keep(db, asked.key, by=visa.account_id, what=AddPatient, reply=reply)
    return reply


@answers(router, ImportPatients)
async def import_patients(
    asked: ImportPatients, pool: Database, now: Now, gate: AtGate
) -> LinesRead:
    """Line by line, each on its own: one that can't be taken keeps no other from the list."""
    visa = gate.admit_staff(asked.visa, now=now, machines=True)
    read = [
        await _line(pool, visa.practice_id, line, asked, now=now)
        for line in patient_list.lines(asked.content)
    ]
    added = sum(line.outcome == "added" for line in read)
    unchanged = sum(line.outcome == "unchanged" for line in read)
    return LinesRead(
        lines=tuple(read),
        added=added,
        unchanged=unchanged,
        refused=len(read) - added - unchanged,
        preview=asked.preview,
    )


async def _line(
    pool: Pool,
    practice_id: UUID,
    line: patient_list.Line,
    asked: ImportPatients,
    *,
    now: datetime,
) -> Line:
    name = f"{line.given} {line.family}".strip()
    try:
        if line.born is None:
            raise Refused(Refusal.BIRTH_DATE_IMPOSSIBLE)
        entry = rules.entry(
            given=line.given,
            family=line.family,
            birth_date=line.born,
            email=line.email,
            mrn=line.mrn,
            today=now.date(),
        )
        async with transaction(pool, practice=practice_id) as db:
            known = await store.find_alike(db, practice_id, entry)
            if known and (not entry.mrn or known.mrn in ("", entry.mrn)):
                return Line(number=line.number, outcome="unchanged", name=name)
            if await store.has_mrn(db, practice_id, entry.mrn):
                raise Refused(Refusal.MRN_TAKEN)
            if not asked.preview:
                await _add(db, practice_id, entry, invite=asked.invite, now=now)
    except Refused as refused:
        return Line(number=line.number, outcome=refused.code, name=name)
    return Line(number=line.number, outcome="added", name=name)


async def _add(
    db: Connection, practice_id: UUID, entry: Entry, *, invite: bool, now: datetime
) -> UUID:
    patient_id = uuid7()
    await store.add_patient(db, practice_id, patient_id, entry, now=now)
    if invite and entry.email:
        await _want(db, practice_id, patient_id)
    return patient_id


async def _want(db: Connection, practice_id: UUID, patient_id: UUID) -> None:
    """An invitation is to go to the address that the patient has now."""
    wanted = await store.want_invitation(db, practice_id, patient_id)
    await outbox.announce(
        db, InvitationWanted(practice_id=practice_id, patient_id=patient_id, version=wanted)
    )


@answers(router, CorrectEmail)
async def correct_email(asked: CorrectEmail, pool: Database, now: Now, gate: AtGate) -> Done:
    visa = gate.admit_staff(asked.visa, now=now)
    email = rules.address(asked.email)
    async with transaction(pool, practice=visa.practice_id) as db:
        if earlier := await once.earlier(db, asked.key, by=visa.account_id, what=CorrectEmail):
            return earlier
        patient = await store.lock_patient(db, visa.practice_id, asked.patient_id)
        await store.save_email(db, visa.practice_id, patient, email)
        if email and patient.state is not InvitationState.REGISTERED:
            await _want(db, visa.practice_id, asked.patient_id)
        await once.keep(db, asked.key, by=visa.account_id, what=CorrectEmail, reply=Done())
    return Done()


@answers(router, InvitePatient)
async def invite_patient(asked: InvitePatient, pool: Database, now: Now, gate: AtGate) -> Done:
    visa = gate.admit_staff(asked.visa, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        if earlier := await once.earlier(db, asked.key, by=visa.account_id, what=InvitePatient):
            return earlier
        patient = await store.lock_patient(db, visa.practice_id, asked.patient_id)
        if not patient.email:
            raise Refused(Refusal.EMAIL_MISSING)
        if patient.state is InvitationState.NOT_INVITED:
            await _want(db, visa.practice_id, asked.patient_id)
        await once.keep(db, asked.key, by=visa.account_id, what=InvitePatient, reply=Done())
    return Done()


@answers(router, ShowPatient)
async def show_patient(asked: ShowPatient, pool: Database, now: Now, gate: AtGate) -> Patient:
    visa = gate.admit_staff(asked.visa, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        return await store.get_patient(db, visa.practice_id, asked.patient_id)


@answers(router, ListPatients)
async def list_patients(asked: ListPatients, pool: Database, now: Now, gate: AtGate) -> PatientList:
    visa = gate.admit_staff(asked.visa, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        counts = await store.count_patients(db, visa.practice_id)
        found = await store.list_patients(
            db,
            visa.practice_id,
            words=rules.folded(asked.q).split(),
            birth_date=asked.birth_date,
            state=asked.state,
            attention=asked.attention,
            after=_place(asked.after),
        )
    page, total = found[: store.PAGE], counts
    return PatientList(
        patients=tuple(patient for patient, _ in page),
        after=_place_text(page[-1][1]) if len(found) > store.PAGE else "",
        total=total[0],
        registered=total[1],
        waiting=total[2],
        attention=total[3],
    )


def _place_text(place: tuple[str, str, UUID]) -> str:
    return json.dumps([place[0], place[1], str(place[2])])


def _place(text: str) -> tuple[str, str, UUID] | None:
    """Where the page before ended; a place that is none begins at the beginning."""
    try:
        family, given, last = json.loads(text)
        return str(family), str(given), UUID(last)
    except (ValueError, TypeError, AttributeError):
        return None


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
