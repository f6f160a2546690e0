"""A patient's documents: filed, listed, shown, and read a chunk at a time."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

from faststream.nats import NatsRouter

from libs.access.gate import AtGate
from libs.contracts.activity import Act
from libs.contracts.base import Refused
from libs.contracts.content import Chunk
from libs.contracts.identity.practices import ShowPractice
from libs.contracts.records.documents import (
    Document,
    DocumentFiled,
    DocumentList,
    FileDocument,
    ListDocuments,
    Opening,
    Page,
    ReadDocument,
    RenderDocument,
    ShowDocument,
)
from libs.contracts.records.refusals import Refusal
from libs.contracts.visa import Visa
from libs.runtime import once
from libs.runtime.broker import Asking, answers, ask
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, Pool, transaction
from libs.runtime.keyring import KeyRing
from libs.vault import media
from libs.vault.content import chunks_of
from libs.vault.media import CDA, Examination, Media, Sort
from libs.vault.vault import Vault
from services.records import document_filing
from services.records.activity import enter
from services.records.domain import document as rules
from services.records.domain.found import Unreadable
from services.records.means import AtKeyRing, AtReaders, admit_to_documents, assure_chart, intact
from services.records.reading.apart import CameToGrief, Readers
from services.records.store import activity as activity_store
from services.records.store import documents as store
from services.records.store import patients, uploads
from services.records.store.documents import Filter
from services.records.unsealing import read_chunk, unsealed

OPENINGS = {Opening.VIEW: Act.SAW_DOCUMENT, Opening.DOWNLOAD: Act.DOWNLOADED_DOCUMENT}
OPEN_FOR = timedelta(hours=1)
"""For so long another part of a file belongs to the same opening."""
READABLE_FOR = timedelta(hours=12)
"""As long as a session lasts."""
LARGEST_PAGE = 900_000
"""Bytes of a page's reply; NATS carries no more than 1 MiB at once."""

router = NatsRouter()


@answers(router, FileDocument)
async def file_document(  # noqa: PLR0913
    asked: FileDocument,
    pool: Database,
    now: Now,
    gate: AtGate,
    ring: AtKeyRing,
    readers: AtReaders,
) -> DocumentFiled:
    """What it is is found out first, since that takes a while; then it is filed in one step."""
    visa = gate.admit_staff(asked.visa, now=now)
    by, what = visa.account_id, FileDocument
    kind = await _examined(asked, pool, visa, ring, readers)
    async with transaction(pool, practice=visa.practice_id) as db:
        if earlier := await once.earlier(db, asked.key, by=by, what=what):
            return earlier
        await patients.get_person(db, visa.practice_id, asked.patient_id)
        upload = await uploads.lock_upload(
            db, visa.practice_id, asked.upload_id, account_id=visa.account_id
        )
        if upload.became_id or kind is None:
            raise Refused(Refusal.UNKNOWN_UPLOAD)
        vault = Vault(db, ring, visa.practice_id)
        with intact(upload.id):
            opened = await vault.open(upload.id)
        title = rules.plain(asked.title) or rules.plain(upload.file_name) or "Document"
        document = rules.Document(
            practice_id=visa.practice_id,
            patient_id=asked.patient_id,
            id=upload.id,
            content_id=upload.id,
            title=title,
            kind=rules.plain(asked.kind),
            author=rules.plain(visa.actor_name),
            media_type=kind.media_type,
            viewable=kind.viewable,
            file_name=media.file_name(upload.file_name, title=title, media_type=kind.media_type),
            size=opened.content.size,
            sha256=opened.content.sha256,
            dated=asked.dated,
            added_at=now,
            added_by=visa.account_id,
        )
        filing = await document_filing.planned(db, document)
        reply = DocumentFiled(document_id=filing.same or document.id)
        await uploads.save_became(db, upload, reply.document_id)
        if filing.same:
            await vault.remove([upload.id])
        else:
            with intact(upload.id):
                await vault.give(opened, owner_id=asked.patient_id)
            await document_filing.add(db, filing)
        await once.keep(db, asked.key, by=by, what=what, reply=reply)
        patient_id, document_id = asked.patient_id, reply.document_id
        await enter(db, visa, patient_id, Act.ADDED_DOCUMENT, document_id, now=now)
    return reply


async def _examined(
    asked: FileDocument, pool: Pool, visa: Visa, ring: KeyRing, readers: Readers
) -> Media | None:
    """What was uploaded, now that all of it is there; None if it was used before."""
    async with transaction(pool, practice=visa.practice_id) as db:
        await patients.get_person(db, visa.practice_id, asked.patient_id)
        upload = await uploads.lock_upload(
            db, visa.practice_id, asked.upload_id, account_id=visa.account_id
        )
        if upload.became_id:
            return None
        vault = Vault(db, ring, visa.practice_id)
        examination = Examination(file_name=upload.file_name, declared=upload.media_type)
        with intact(upload.id):
            opened = await vault.open(upload.id)
            if not opened.content.size:
                raise Refused(Refusal.EMPTY)
            await vault.finish(opened, look=examination.add)
    kind = examination.media()
    if kind.sort is not Sort.DOCUMENT:
        raise Refused(Refusal.TYPE_NOT_TAKEN)
    if kind.media_type == CDA:
        html = await _page(pool, visa.practice_id, upload.id, ring, readers)
        return replace(kind, viewable=bool(html))
    return kind


@answers(router, ListDocuments)
async def list_documents(
    asked: ListDocuments, pool: Database, now: Now, gate: AtGate, broker: Asking
) -> DocumentList:
    visa = admit_to_documents(gate, asked.visa, patient_id=asked.patient_id, now=now)
    place = visa.practice_id, asked.patient_id
    wanted = Filter(kind=asked.kind, q=asked.q)
    if asked.start or asked.end:
        practice = await ask(broker, ShowPractice(practice_id=visa.practice_id))
        wanted = replace(wanted, start=asked.start, end=asked.end, zone=practice.time_zone)
    async with transaction(pool, practice=visa.practice_id) as db:
        person = await patients.get_person(db, *place)
        await assure_chart(db, visa, asked.patient_id, now=now)
        found = await store.list_documents(
            db, *place, wanted=wanted, after=_place(asked.after), limit=store.PAGE + 1
        )
        total = await store.count_documents(db, *place, wanted=wanted)
        kinds = await store.list_kinds(db, *place)
        await enter(db, visa, asked.patient_id, Act.SAW_DOCUMENTS, now=now)
    page, is_more = found[: store.PAGE], len(found) > store.PAGE
    return DocumentList(
        person=person,
        documents=tuple(rules.line(document) for document in page),
        kinds=kinds,
        total=total,
        after=f"{page[-1].day}/{page[-1].id}" if is_more else "",
    )


def _place(text: str) -> tuple[date, UUID] | None:
    """Where the page before ended; a place that is none begins at the beginning."""
    day, _, last = text.partition("/")
    try:
        return date.fromisoformat(day), UUID(last)
    except ValueError:
        return None


@answers(router, ShowDocument)
async def show_document(asked: ShowDocument, pool: Database, now: Now, gate: AtGate) -> Document:
    visa = admit_to_documents(gate, asked.visa, patient_id=asked.patient_id, now=now)
    place = visa.practice_id, asked.patient_id
    async with transaction(pool, practice=visa.practice_id) as db:
        found = await store.get_document(db, *place, asked.document_id)
        await assure_chart(db, visa, asked.patient_id, now=now)
        person = await patients.get_person(db, *place)
        if asked.opening:
            await _opened(db, visa, asked, OPENINGS[asked.opening], now=now)
    return Document(
        person=person,
        document=rules.line(found),
        viewable=found.viewable,
        sha256=found.sha256,
        chunks=chunks_of(found.size),
    )


@answers(router, ReadDocument)
async def read_document(
    asked: ReadDocument, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Chunk:
    visa = admit_to_documents(gate, asked.visa, patient_id=asked.patient_id, now=now)
    place = visa.practice_id, asked.patient_id
    async with transaction(pool, practice=visa.practice_id) as db:
        found = await store.get_document(db, *place, asked.document_id)
        await assure_chart(db, visa, asked.patient_id, now=now)
        await _assure_opened(db, visa, asked, now=now)
        return await read_chunk(
            Vault(db, ring, visa.practice_id),
            found.content_id,
            asked.number,
            sha256=found.sha256,
            unknown=Refusal.UNKNOWN_DOCUMENT,
        )


@answers(router, RenderDocument)
async def render_document(  # noqa: PLR0913
    asked: RenderDocument,
    pool: Database,
    now: Now,
    gate: AtGate,
    ring: AtKeyRing,
    readers: AtReaders,
) -> Page:
    visa = admit_to_documents(gate, asked.visa, patient_id=asked.patient_id, now=now)
    place = visa.practice_id, asked.patient_id
    async with transaction(pool, practice=visa.practice_id) as db:
        found = await store.get_document(db, *place, asked.document_id)
        await assure_chart(db, visa, asked.patient_id, now=now)
        await _assure_opened(db, visa, asked, now=now)
    html = ""
    if found.viewable and found.media_type == CDA:
        html = await _page(pool, visa.practice_id, found.content_id, ring, readers)
    if not html:
        raise Refused(Refusal.NOT_VIEWABLE)
    return Page(html=html)


async def _page(
    pool: Pool, practice_id: UUID, content_id: UUID, ring: KeyRing, readers: Readers
) -> str:
    """A clinical document made readable; "" for one that can't be."""
    async with unsealed(pool, ring, practice_id, content_id) as (source, content):
        try:
            html = await readers.page(source, size=content.size)
        except (Unreadable, CameToGrief):
            return ""
    return html if len(Page(html=html).model_dump_json()) <= LARGEST_PAGE else ""


async def _opened(
    db: Connection, visa: Visa, asked: ShowDocument, act: Act, *, now: datetime
) -> None:
    """It stands in the log, once for all the parts that a browser asks for one after another."""
    if asked.goes_on and await _has_opened(db, visa, asked, act, since=now - OPEN_FOR):
        return
    await enter(db, visa, asked.patient_id, act, asked.document_id, now=now)


async def _has_opened(
    db: Connection,
    visa: Visa,
    asked: ShowDocument | ReadDocument | RenderDocument,
    *acts: Act,
    since: datetime,
) -> bool:
    return await activity_store.has_entry(
        db,
        visa.practice_id,
        asked.patient_id,
        actor_id=visa.account_id,
        acts=acts,
        subject=str(asked.document_id),
        since=since,
    )


async def _assure_opened(
    db: Connection, visa: Visa, asked: ReadDocument | RenderDocument, *, now: datetime
) -> None:
    """Nobody gets content without an entry in the log."""
    since = now - READABLE_FOR
    if not await _has_opened(db, visa, asked, *OPENINGS.values(), since=since):
        raise Refused(Refusal.NOT_OPENED)
