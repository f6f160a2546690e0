"""Files: into a draft a chunk at a time, and out of a message again."""

from uuid import UUID

from faststream.nats import NatsRouter

from libs.access.gate import AtGate
from libs.contracts.activity import Act
from libs.contracts.base import Done, Refused
from libs.contracts.content import Chunk
from libs.contracts.messaging.mailbox import AttachmentShown, ReadAttachment, ShowAttachment
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.writing import (
    AddAttachmentChunk,
    Attachment,
    FinishAttachment,
    RemoveAttachment,
    StartAttachment,
)
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from libs.vault import media
from libs.vault.media import Examination
from libs.vault.vault import Vault
from services.messaging import telling
from services.messaging.domain import files as rules
from services.messaging.means import AtKeyRing, admit_to_write, intact, owner, pen_of
from services.messaging.reading import read_file
from services.messaging.store import drafts
from services.messaging.store.drafts import File, Owner
from services.messaging.unsealing import shown_file

router = NatsRouter()


@answers(router, StartAttachment)
async def start_attachment(
    asked: StartAttachment, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Done:
    visa = admit_to_write(gate, asked.visa, patient_id=asked.patient_id, now=now)
    mine, attachment_id = owner(visa, asked.patient_id), asked.attachment_id
    async with transaction(pool, practice=visa.practice_id) as db:
        files = await _files(db, mine, asked)
        if any(file.id == attachment_id for file in files):
            return Done()
        rules.one_more(len(_others(files, attachment_id)))
        vault = Vault(db, ring, visa.practice_id)
        await vault.remove(rules.given_up([file.id for file in files if not file.finished]))
        pen = await pen_of(vault, asked.patient_id)
        await vault.begin(attachment_id, owner_id=asked.patient_id)
        name = media.name_given(asked.file_name)
        await drafts.add_file(
            db,
            mine,
            asked.draft_id,
            attachment_id,
            position=max((file.position for file in files), default=0) + 1,
            file_name=pen.close("file name", attachment_id, name),
            media_type=media.name_given(asked.media_type),
        )
    return Done()


@answers(router, AddAttachmentChunk)
async def add_attachment_chunk(
    asked: AddAttachmentChunk, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Done:
    visa = admit_to_write(gate, asked.visa, patient_id=asked.patient_id, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        files = await _files(db, owner(visa, asked.patient_id), asked)
        file = _one(files, asked)
        vault = Vault(db, ring, visa.practice_id)
        with intact(file.id):
            opened = await vault.open(file.id)
            others = _others(files, file.id)
            is_next = rules.next_chunk(opened.content.size, asked.number, asked.data, others=others)
            if is_next and not file.finished:
                await vault.append(opened, asked.data)
            elif is_next or await vault.read(opened, asked.number) != asked.data:
                raise Refused(Refusal.FILE_CHANGED)
    return Done()


@answers(router, FinishAttachment)
async def finish_attachment(
    asked: FinishAttachment, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Attachment:
    visa = admit_to_write(gate, asked.visa, patient_id=asked.patient_id, now=now)
    refused: Refused | None = None
    async with transaction(pool, practice=visa.practice_id) as db:
        files = await _files(db, owner(visa, asked.patient_id), asked)
        file = _one(files, asked)
        vault = Vault(db, ring, visa.practice_id)
        pen = await pen_of(vault, asked.patient_id)
        with intact(file.id):
            if file.finished:
                return shown_file(file, pen)
            name = pen.open("file name", file.id, file.file_name)
            examined = Examination(file_name=name, declared=file.media_type)
            opened = await vault.finish(await vault.open(file.id), look=examined.add)
        found = examined.media()
        try:
            rules.sendable(found, opened.content.size, others=_others(files, file.id))
        except Refused as said:
            refused = said
            await vault.remove([file.id])
        name = media.file_name(name, title="", media_type=found.media_type)
        await drafts.save_finished(
            db,
            visa.practice_id,
            file.id,
            file_name=pen.close("file name", file.id, name),
            media_type=found.media_type,
            viewable=found.viewable,
        )
    if refused:
        raise refused
    return Attachment(
        attachment_id=file.id,
        file_name=name,
        media_type=found.media_type,
        size=opened.content.size,
        viewable=found.viewable,
    )


@answers(router, RemoveAttachment)
async def remove_attachment(
    asked: RemoveAttachment, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Done:
    visa = admit_to_write(gate, asked.visa, patient_id=asked.patient_id, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        files = await _files(db, owner(visa, asked.patient_id), asked)
        mine = [file.id for file in files if file.id == asked.attachment_id]
        await Vault(db, ring, visa.practice_id).remove(mine)
    return Done()


@answers(router, ShowAttachment)
async def show_attachment(
    asked: ShowAttachment, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> AttachmentShown:
    visa = admit_to_write(gate, asked.visa, patient_id=asked.patient_id, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        file = await drafts.get_file(
            db,
            visa.practice_id,
            asked.attachment_id,
            message_id=asked.message_id,
            patient_id=asked.patient_id,
        )
        pen = await pen_of(Vault(db, ring, visa.practice_id), asked.patient_id)
        with intact(file.id):
            return AttachmentShown(attachment=shown_file(file, pen), sha256=file.sha256 or "")


@answers(router, ReadAttachment)
async def read_attachment(
    asked: ReadAttachment, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Chunk:
    visa = admit_to_write(gate, asked.visa, patient_id=asked.patient_id, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        chunk = await read_file(Vault(db, ring, visa.practice_id), asked)
        if asked.number == 0:
            await telling.tell_log(
                db, visa, asked.patient_id, Act.DOWNLOADED_FILE, asked.attachment_id, now=now
            )
    return chunk


async def _files(
    db: Connection,
    mine: Owner,
    asked: StartAttachment | AddAttachmentChunk | FinishAttachment | RemoveAttachment,
) -> list[File]:
    """The files of a draft that is held, and was not sent."""
    row = await drafts.lock_draft(db, mine, asked.draft_id)
    if row is None:
        raise Refused(Refusal.UNKNOWN_DRAFT)
    if row["sent"]:
        raise Refused(Refusal.DRAFT_SENT)
    return await drafts.list_files(
        db, mine.practice_id, drafts=[asked.draft_id], account_id=mine.account_id
    )


def _others(files: list[File], attachment_id: UUID) -> list[int]:
    """The sizes of the other files that have come whole."""
    return [file.size for file in files if file.finished and file.id != attachment_id]


def _one(files: list[File], asked: AddAttachmentChunk | FinishAttachment) -> File:
    for file in files:
        if file.id == asked.attachment_id:
            return file
    raise Refused(Refusal.UNKNOWN_FILE)
