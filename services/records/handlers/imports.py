"""Imports: started, reported, confirmed, and settled by somebody who knows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from faststream.nats import NatsRouter

from libs.access.gate import AtGate
from libs.contracts.base import Done, Refused
from libs.contracts.content import Chunk
from libs.contracts.records.imports import (
    ConfirmImport,
    Import,
    ImportList,
    ImportStarted,
    ImportState,
    ListImports,
    ReadImport,
    SettleImport,
    ShowImport,
    StartImport,
)
from libs.contracts.records.refusals import Refusal
from libs.contracts.visa import Capacity, Role, Visa
from libs.runtime import once
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from libs.vault import media
from libs.vault.vault import Vault
from services.records import worker
from services.records.domain import importing as rules
from services.records.domain.document import plain
from services.records.means import AtKeyRing, intact
from services.records.store import imports as store
from services.records.store import patients, subjects, uploads
from services.records.unsealing import read_chunk

OPERATOR = UUID(int=0)
"""The account that the operator's visas name."""
LONGEST_REASON = 500

router = NatsRouter()


@answers(router, StartImport)
async def start_import(
    asked: StartImport, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> ImportStarted:
    visa = gate.admit_staff(asked.visa, now=now, machines=True)
    async with transaction(pool, practice=visa.practice_id) as db:
        upload = await uploads.lock_upload(
            db, visa.practice_id, asked.upload_id, account_id=visa.account_id
        )
        if upload.became_id:
            await store.lock_import(db, visa.practice_id, upload.became_id)
            return ImportStarted(import_id=upload.became_id)
        if asked.patient_id:
            await patients.get_person(db, visa.practice_id, asked.patient_id)
        vault = Vault(db, ring, visa.practice_id)
        with intact(upload.id):
            opened = await vault.open(upload.id)
            if not opened.content.size:
                raise Refused(Refusal.EMPTY)
            opened = await vault.finish(opened, look=lambda _: None)
        is_new = await store.add_import(
            db,
            visa.practice_id,
            id=upload.id,
            about_id=asked.patient_id,
            sha256=opened.content.sha256,
            size=opened.content.size,
            file_name=upload.file_name,
            declared_type=media.name_given(asked.declared_type or upload.media_type),
            source=_source(visa),
            started_by=visa.account_id,
            started_by_name=visa.actor_name,
            is_preview=asked.preview,
            now=now,
        )
        import_id = upload.id
        if not is_new:
            import_id = await _again(db, visa, asked, opened.content.sha256, now=now)
            await vault.remove([upload.id])
        await uploads.save_became(db, upload, import_id)
        await worker.ring(db)
    return ImportStarted(import_id=import_id)


def _source(visa: Visa) -> str:
    if visa.capacity is Capacity.STAFF:
        return "staff"
    return "operator" if visa.account_id == OPERATOR else "machine"


async def _again(
    db: Connection, visa: Visa, asked: StartImport, sha256: str, *, now: datetime
) -> UUID:
    """The same content once more: whoever waits in it may be known by now."""
    same = await store.lock_same(db, visa.practice_id, sha256=sha256, about_id=asked.patient_id)
    if same is None:
        raise Refused(Refusal.NOT_READY)  # discarded this very moment
    waits = same["state"] == ImportState.WAITING
    is_wanted = same["state"] == ImportState.PREVIEW and not asked.preview
    if waits or is_wanted:
        await _read_again(db, visa.practice_id, same, all_of_it=is_wanted, now=now)
    elif same["state"] == ImportState.READING and same["is_preview"] and not asked.preview:
        await store.want_filed(db, visa.practice_id, same["id"])
    import_id: UUID = same["id"]
    return import_id


async def _read_again(
    db: Connection, practice_id: UUID, found: Any, *, all_of_it: bool, now: datetime
) -> None:
    """Another reading; what could not be read to its end before is filed from the beginning."""
    run = await store.read_again(db, practice_id, found["id"], now=now)
    if all_of_it or found["problem"]:
        await subjects.file_all(db, practice_id, found["id"], run=run)
    await worker.ring(db)


@answers(router, ConfirmImport)
async def confirm_import(asked: ConfirmImport, pool: Database, now: Now, gate: AtGate) -> Done:
    """The same yes twice is one."""
    visa = gate.admit_staff(asked.visa, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        found = await store.lock_import(db, visa.practice_id, asked.import_id)
        if found["state"] == ImportState.DISCARDED:
            raise Refused(Refusal.SETTLED_ALREADY)
        if found["state"] == ImportState.READING and found["is_preview"]:
            raise Refused(Refusal.NOT_READY)
        if found["state"] == ImportState.PREVIEW:
            await _read_again(db, visa.practice_id, found, all_of_it=True, now=now)
    return Done()


@answers(router, SettleImport)
async def settle_import(asked: SettleImport, pool: Database, now: Now, gate: AtGate) -> Done:
    """Of several who decide at once, the first one has."""
    visa = gate.admit_staff(asked.visa, now=now)
    by, what = visa.account_id, SettleImport
    if (asked.patient_id is None) == (not plain(asked.discard_reason)):
        raise Refused(Refusal.VALUE_NOT_USABLE)
    async with transaction(pool, practice=visa.practice_id) as db:
        if earlier := await once.earlier(db, asked.key, by=by, what=what):
            return earlier
        found = await store.lock_import(db, visa.practice_id, asked.import_id)
        if asked.number is None:
            await _discard(db, visa, found, None, asked.discard_reason, now=now)
        else:
            await _settle_one(db, visa, found, asked, asked.number, now=now)
        await once.keep(db, asked.key, by=by, what=what, reply=Done())
    return Done()


async def _settle_one(  # noqa: PLR0913
    db: Connection,
    visa: Visa,
    found: Any,
    asked: SettleImport,
    number: int,
    *,
    now: datetime,
) -> None:
    subject = await subjects.get_subject(db, visa.practice_id, found["id"], number)
    is_open = subject["settled"] == "" or found["state"] == ImportState.PREVIEW
    if not is_open or subject["settled"] == "discarded":
        raise Refused(Refusal.SETTLED_ALREADY)
    if asked.patient_id is None:
        await _discard(db, visa, found, number, asked.discard_reason, now=now)
        return
    await patients.get_person(db, visa.practice_id, asked.patient_id)
    await subjects.assign_subject(
        db,
        visa.practice_id,
        found["id"],
        number,
        patient_id=asked.patient_id,
        run=found["run"] + 1,
        by=visa.account_id,
        now=now,
    )
    if found["state"] == ImportState.WAITING:
        await _read_again(db, visa.practice_id, found, all_of_it=False, now=now)


async def _discard(  # noqa: PLR0913
    db: Connection,
    visa: Visa,
    found: Any,
    number: int | None,
    reason: str,
    *,
    now: datetime,
) -> None:
    """One subject, or all that waits of the file."""
    if found["state"] in (ImportState.DONE, ImportState.DISCARDED):
        raise Refused(Refusal.SETTLED_ALREADY)
    if not reason:
        raise Refused(Refusal.VALUE_NOT_USABLE)
    place, why = (visa.practice_id, found["id"]), plain(reason, LONGEST_REASON)
    numbers = None if number is None else [number]
    await subjects.discard_subjects(db, *place, numbers, reason=why, by=visa.account_id, now=now)
    waiting, known = await subjects.count_subjects(db, *place)
    is_still_open = found["state"] in (ImportState.READING, ImportState.PREVIEW)
    if number is not None and (waiting or found["problem"] or is_still_open):
        await store.save_waiting(db, *place, max(waiting, bool(found["problem"])))
        return
    await store.save_standing(
        db,
        *place,
        state=rules.state_discarded(known=known, is_preview=found["is_preview"]),
        waiting=0,
        reason=why,
        by=visa.account_id,
        now=now,
    )


@answers(router, ShowImport)
async def show_import(asked: ShowImport, pool: Database, now: Now, gate: AtGate) -> Import:
    """A machine learns what became of what it sent, and not whom else the practice knows."""
    visa = gate.admit_staff(asked.visa, now=now, machines=True)
    place = visa.practice_id, asked.import_id
    async with transaction(pool, practice=visa.practice_id) as db:
        report = await store.get_report(db, *place)
        found = await subjects.list_subjects(db, *place)
        left_out = await store.list_left_out(db, *place)
        known = {}
        if visa.capacity is Capacity.STAFF:
            ids = [one for subject, several in found if not subject.settled for one in several]
            known = await subjects.list_candidates(db, visa.practice_id, ids)
        total = await subjects.count_all_subjects(db, *place)
    about = tuple(
        subject.model_copy(
            update={"candidates": tuple(known[one] for one in several if one in known)}
        )
        for subject, several in found
    )
    return report.model_copy(
        update={
            "subjects": about,
            "subjects_total": total,
            "left_out": left_out,
            "left_out_total": sum(one.count for one in left_out),
        }
    )


@answers(router, ListImports)
async def list_imports(asked: ListImports, pool: Database, now: Now, gate: AtGate) -> ImportList:
    visa = gate.admit_staff(asked.visa, now=now, machines=True)
    async with transaction(pool, practice=visa.practice_id) as db:
        found = await store.list_imports(
            db, visa.practice_id, waiting=asked.waiting, before=_place(asked.after)
        )
        waiting = await store.count_waiting(db, visa.practice_id)
    page = found[: store.PAGE]
    return ImportList(
        imports=tuple(page),
        waiting=waiting,
        after=str(page[-1].import_id) if len(found) > store.PAGE else "",
    )


def _place(text: str) -> UUID | None:
    """Where the page before ended; a place that is none begins at the beginning."""
    try:
        return UUID(text)
    except ValueError:
        return None


@answers(router, ReadImport)
async def read_import(
    asked: ReadImport, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Chunk:
    """The original, for staff whose role includes charts: a machine has it already."""
    visa = gate.admit_staff(asked.visa, now=now, roles={Role.CLINICIAN, Role.ADMINISTRATOR})
    async with transaction(pool, practice=visa.practice_id) as db:
        content_id, sha256 = await store.get_content(db, visa.practice_id, asked.import_id)
        return await read_chunk(
            Vault(db, ring, visa.practice_id),
            content_id,
            asked.number,
            sha256=sha256,
            unknown=Refusal.UNKNOWN_IMPORT,
        )
