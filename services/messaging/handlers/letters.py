"""The messages of a record, for records, which hands them over with all the rest of it."""

from uuid import UUID

from faststream.nats import NatsRouter

from libs.access.gate import AtGate
from libs.contracts.content import Chunk
from libs.contracts.messaging.mailbox import (
    Counted,
    CountLetters,
    Letter,
    Letters,
    Message,
    ReadLetterFile,
    ReadLetters,
)
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Database, transaction
from libs.vault.vault import Vault
from services.messaging.means import AtKeyRing, admit_to_mailbox, opened, pen_of
from services.messaging.reading import read_file
from services.messaging.sealing import Pen
from services.messaging.store import drafts, messages
from services.messaging.store.messages import AT_ONCE, Listed
from services.messaging.unsealing import shown_messages

router = NatsRouter()


@answers(router, CountLetters)
async def count_letters(asked: CountLetters, pool: Database, now: Now, gate: AtGate) -> Counted:
    visa = admit_to_mailbox(gate, asked.visa, patient_id=asked.patient_id, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        place = visa.practice_id, asked.patient_id
        count = await messages.count_letters(db, *place, start=asked.start, end=asked.end)
    return Counted(count=count)


@answers(router, ReadLetters)
async def read_letters(
    asked: ReadLetters, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Letters:
    visa = admit_to_mailbox(gate, asked.visa, patient_id=asked.patient_id, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        listed = await messages.list_letters(
            db,
            visa.practice_id,
            asked.patient_id,
            start=asked.start,
            end=asked.end,
            after=UUID(asked.after) if asked.after else None,
        )
        page = listed[:AT_ONCE]
        if not page:
            return Letters(letters=())
        ids = [one.message.id for one in page]
        files = await drafts.list_files(db, visa.practice_id, messages=ids)
        pen = await pen_of(Vault(db, ring, visa.practice_id), asked.patient_id)
    shown = {one.message_id: one for one in shown_messages(page, files, pen)}
    return Letters(
        letters=tuple(_letter(one, shown[one.message.id], pen) for one in page),
        after=str(ids[-1]) if len(listed) > AT_ONCE else "",
    )


@answers(router, ReadLetterFile)
async def read_letter_file(asked: ReadLetterFile, pool: Database, ring: AtKeyRing) -> Chunk:
    async with transaction(pool, practice=asked.practice_id) as db:
        return await read_file(Vault(db, ring, asked.practice_id), asked)


def _letter(listed: Listed, shown: Message, pen: Pen) -> Letter:
    message = listed.message
    head = opened(message.id, lambda: pen.open_head(message.id, message.head))
    return Letter(
        message_id=shown.message_id,
        conversation_id=message.conversation_id,
        from_practice=shown.from_practice,
        author=shown.author,
        on_behalf=shown.on_behalf,
        sent_at=shown.sent_at,
        subject=head.subject if head else "",
        category=listed.category,
        body=shown.body,
        files=shown.attachments,
    )
