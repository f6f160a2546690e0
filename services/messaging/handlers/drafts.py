"""Drafts: kept as they grow, taken up again anywhere, dropped."""

from datetime import datetime

from faststream.nats import NatsRouter

from libs.access.gate import AtGate
from libs.contracts.base import Done, Refused
from libs.contracts.messaging.mailbox import DraftList, ListDrafts
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.writing import Draft, DropDraft, SaveDraft, ShowDraft
from libs.contracts.visa import Capacity, Visa
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from libs.vault.vault import Vault
from services.messaging.domain import draft as rules
from services.messaging.means import AtKeyRing, admit_to_write, intact, owner, pen_of
from services.messaging.sealing import Pen
from services.messaging.store import conversations, drafts, messages
from services.messaging.store.drafts import LISTED, Owner, Row
from services.messaging.unsealing import draft_of, shown_draft, words_of

router = NatsRouter()


@answers(router, SaveDraft)
async def save_draft(
    asked: SaveDraft, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Draft:
    visa = admit_to_write(gate, asked.visa, patient_id=asked.patient_id, now=now)
    mine = owner(visa, asked.patient_id)
    async with transaction(pool, practice=visa.practice_id) as db:
        await _check_target(db, asked, visa)
        pen = await pen_of(Vault(db, ring, visa.practice_id), asked.patient_id)
        row = await _begun(db, asked, mine, pen, now=now)
        with intact(asked.draft_id):
            known = draft_of(row, pen)
            draft = rules.saved(
                known,
                version=asked.version,
                category=asked.category,
                subject=asked.title,
                body=asked.body,
                now=now,
            )
        if draft is not known:
            await drafts.save_draft(
                db,
                (
                    draft.practice_id,
                    draft.account_id,
                    draft.id,
                    draft.version,
                    draft.saved_at,
                    draft.category,
                    words_of(draft, pen),
                ),
            )
        return await _shown(db, draft, pen)


@answers(router, ShowDraft)
async def show_draft(
    asked: ShowDraft, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Draft:
    visa = admit_to_write(gate, asked.visa, patient_id=asked.patient_id, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        row = await drafts.lock_draft(db, owner(visa, asked.patient_id), asked.draft_id)
        if row is None:
            raise Refused(Refusal.UNKNOWN_DRAFT)
        pen = await pen_of(Vault(db, ring, visa.practice_id), asked.patient_id)
        with intact(asked.draft_id):
            return await _shown(db, draft_of(row, pen), pen)


@answers(router, ListDrafts)
async def list_drafts(
    asked: ListDrafts, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> DraftList:
    visa = admit_to_write(gate, asked.visa, patient_id=asked.patient_id, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        rows = await drafts.list_drafts(db, owner(visa, asked.patient_id))
        if not rows:  # nor is there a key then, for somebody who may be no patient here
            return DraftList(drafts=())
        files = await drafts.list_files(
            db,
            visa.practice_id,
            drafts=[row["id"] for row in rows],
            account_id=visa.account_id,
        )
        pen = await pen_of(Vault(db, ring, visa.practice_id), asked.patient_id)
        with intact(asked.patient_id):
            return DraftList(
                drafts=tuple(
                    shown_draft(
                        draft_of(row, pen),
                        [file for file in files if file.draft_id == row["id"]],
                        pen,
                    )
                    for row in rows
                )
            )


@answers(router, DropDraft)
async def drop_draft(
    asked: DropDraft, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Done:
    visa = admit_to_write(gate, asked.visa, patient_id=asked.patient_id, now=now)
    mine = owner(visa, asked.patient_id)
    async with transaction(pool, practice=visa.practice_id) as db:
        if await drafts.lock_draft(db, mine, asked.draft_id):
            files = await drafts.list_files(
                db, visa.practice_id, drafts=[asked.draft_id], account_id=visa.account_id
            )
            await Vault(db, ring, visa.practice_id).remove([file.id for file in files])
            await drafts.remove_draft(db, mine, asked.draft_id)
    return Done()


async def _begun(db: Connection, asked: SaveDraft, mine: Owner, pen: Pen, *, now: datetime) -> Row:
    """The draft, held; if there was none, there is one now, and it says what is asked."""
    if row := await drafts.lock_draft(db, mine, asked.draft_id):
        return row
    if await drafts.count_drafts(db, mine) >= LISTED:
        raise Refused(Refusal.TOO_MANY)
    first = rules.Draft(
        practice_id=mine.practice_id,
        account_id=mine.account_id,
        id=asked.draft_id,
        patient_id=mine.patient_id,
        version=1,
        saved_at=now,
        category=asked.category,
        subject=asked.title,
        body=asked.body,
    )
    await drafts.add_draft(
        db,
        (
            mine.practice_id,
            mine.account_id,
            asked.draft_id,
            mine.patient_id,
            first.version,
            now,
            asked.reply_to,
            asked.about,
            asked.conversation_id,
            asked.category,
            words_of(first, pen),
        ),
    )
    row = await drafts.lock_draft(db, mine, asked.draft_id)
    if row is None:  # the id is taken in another mailbox
        raise Refused(Refusal.UNKNOWN_DRAFT)
    return row


async def _check_target(db: Connection, asked: SaveDraft, visa: Visa) -> None:
    """What it answers or goes on with is in this mailbox, and for this side to answer."""
    rules.check_side(
        reply_to=asked.reply_to,
        conversation_id=asked.conversation_id,
        by_staff=visa.capacity is Capacity.STAFF,
    )
    if asked.conversation_id:
        await conversations.get_conversation(
            db, visa.practice_id, asked.conversation_id, patient_id=asked.patient_id
        )
    for message_id in (asked.reply_to, asked.about):
        if message_id:
            known = await messages.get_message(
                db, visa.practice_id, message_id, patient_id=asked.patient_id
            )
            if message_id == asked.reply_to and not known.from_practice:
                raise Refused(Refusal.UNKNOWN_MESSAGE)


async def _shown(db: Connection, draft: rules.Draft, pen: Pen) -> Draft:
    files = await drafts.list_files(
        db, draft.practice_id, drafts=[draft.id], account_id=draft.account_id
    )
    return shown_draft(draft, files, pen)
