"""A patient's mailbox: lists, conversations, and what each person has read."""

from uuid import UUID

from faststream.nats import NatsRouter

from libs.access.gate import AtGate
from libs.contracts.activity import Act
from libs.contracts.base import Refused
from libs.contracts.messaging.mailbox import (
    PAGE,
    Conversation,
    CountUnread,
    Inbox,
    ListInbox,
    ListSent,
    MarkRead,
    MessagesRead,
    Received,
    SentLine,
    SentList,
    ShowMessage,
    Unread,
)
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.writing import Draft
from libs.contracts.visa import Visa
from libs.runtime import outbox
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from libs.vault.vault import Vault
from services.messaging import telling
from services.messaging.finding import found
from services.messaging.means import AtKeyRing, admit_to_mailbox, intact, opened, owner, pen_of
from services.messaging.sealing import Pen
from services.messaging.store import (
    announcements,
    conversations,
    drafts,
    mailboxes,
    messages,
    settings,
)
from services.messaging.store.messages import AT_ONCE, Listed, Stored
from services.messaging.unsealing import draft_of, shown_draft, shown_messages

router = NatsRouter()


@answers(router, CountUnread)
async def count_unread(asked: CountUnread, pool: Database, now: Now, gate: AtGate) -> Unread:
    visa = admit_to_mailbox(gate, asked.visa, patient_id=asked.patient_id, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        return await _unread(db, visa, asked.patient_id)


@answers(router, ListInbox)
async def list_inbox(
    asked: ListInbox, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Inbox:
    visa = admit_to_mailbox(gate, asked.visa, patient_id=asked.patient_id, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        vault = Vault(db, ring, visa.practice_id)
        listed = await _box(vault, asked, visa, from_practice=True)
        pen = await pen_of(vault, asked.patient_id)
        return Inbox(
            messages=tuple(_received(one, pen) for one in listed[:PAGE]),
            unread=(await _unread(db, visa, asked.patient_id)).count,
            drafts=await drafts.count_drafts(db, owner(visa, asked.patient_id)),
            after=_after(listed),
        )


@answers(router, ListSent)
async def list_sent(
    asked: ListSent, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> SentList:
    visa = admit_to_mailbox(gate, asked.visa, patient_id=asked.patient_id, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        vault = Vault(db, ring, visa.practice_id)
        listed = await _box(vault, asked, visa, from_practice=False)
        pen = await pen_of(vault, asked.patient_id)
        return SentList(
            messages=tuple(_sent(one, pen) for one in listed[:PAGE]),
            drafts=await drafts.count_drafts(db, owner(visa, asked.patient_id)),
            after=_after(listed),
        )


@answers(router, ShowMessage)
async def show_message(
    asked: ShowMessage, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Conversation:
    visa = admit_to_mailbox(gate, asked.visa, patient_id=asked.patient_id, now=now)
    practice_id = visa.practice_id
    async with transaction(pool, practice=practice_id) as db:
        wanted = await messages.get_message(
            db, practice_id, asked.message_id, patient_id=asked.patient_id
        )
        known = await conversations.get_conversation(db, practice_id, wanted.conversation_id)
        listed = await messages.list_conversation(
            db,
            practice_id,
            known.id,
            account_id=visa.account_id,
            before=UUID(asked.before) if asked.before else None,
        )
        if not listed:
            raise Refused(Refusal.UNKNOWN_MESSAGE)
        page = listed[:AT_ONCE]
        files = await drafts.list_files(db, practice_id, messages=[one.message.id for one in page])
        route = (await settings.list_routes(db, practice_id))[known.category]
        pen = await pen_of(Vault(db, ring, practice_id), asked.patient_id)
        await telling.tell_log(db, visa, asked.patient_id, Act.SAW_MESSAGE, wanted.id, now=now)
        with intact(known.id):
            reply_to = _answerable(wanted, page)
            return Conversation(
                conversation_id=known.id,
                subject=opened(known.id, lambda: pen.open("subject", known.id, known.subject))
                or "",
                category=known.category,
                messages=shown_messages(page, files, pen),
                may_reply_to=reply_to,
                draft=await _reply_begun(db, visa, asked.patient_id, reply_to, pen),
                answer_within_hours=route.answer_within_hours,
                before=str(page[-1].message.id) if len(listed) > AT_ONCE else "",
            )


@answers(router, MarkRead)
async def mark_read(asked: MarkRead, pool: Database, now: Now, gate: AtGate) -> Unread:
    visa = admit_to_mailbox(gate, asked.visa, patient_id=asked.patient_id, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        await announcements.forget_read(
            db,
            visa.practice_id,
            asked.patient_id,
            account_id=visa.account_id,
            message_ids=asked.message_ids,
        )
        count = await mailboxes.mark_read(
            db,
            visa.practice_id,
            asked.patient_id,
            account_id=visa.account_id,
            message_ids=asked.message_ids,
            now=now,
        )
        if count:
            await mailboxes.add_read(
                db,
                visa.practice_id,
                asked.patient_id,
                account_id=visa.account_id,
                count=count,
            )
            await outbox.announce(
                db,
                MessagesRead(
                    practice_id=visa.practice_id,
                    patient_id=asked.patient_id,
                    account_id=visa.account_id,
                ),
            )
        return await _unread(db, visa, asked.patient_id)


async def _unread(db: Connection, visa: Visa, patient_id: UUID) -> Unread:
    count = await mailboxes.count_unread(
        db, visa.practice_id, patient_id, account_id=visa.account_id
    )
    return Unread(count=count)


async def _box(
    vault: Vault, asked: ListInbox | ListSent, visa: Visa, *, from_practice: bool
) -> list[Listed]:
    before = UUID(asked.after) if asked.after else None
    within = None
    if asked.q.strip():
        fitting = await found(
            vault,
            asked.q,
            enough=PAGE + 1,
            patient_id=asked.patient_id,
            from_practice=from_practice,
            before=before,
        )
        within = [one.id for one in fitting]
    return await messages.list_box(
        vault.db,
        visa.practice_id,
        asked.patient_id,
        account_id=visa.account_id,
        from_practice=from_practice,
        before=before,
        within=within,
    )


def _after(listed: list[Listed]) -> str:
    return str(listed[PAGE - 1].message.id) if len(listed) > PAGE else ""


def _received(one: Listed, pen: Pen) -> Received:
    message = one.message
    head = opened(message.id, lambda: pen.open_head(message.id, message.head))
    return Received(
        message_id=message.id,
        conversation_id=message.conversation_id,
        sender=head.author if head else "",
        subject=head.subject if head else "",
        category=one.category,
        sent_at=message.sent_at,
        attachments=message.attachments,
        unread=not one.read,
        replied_at=message.replied_at,
    )


def _sent(one: Listed, pen: Pen) -> SentLine:
    message = one.message
    head = opened(message.id, lambda: pen.open_head(message.id, message.head))
    return SentLine(
        message_id=message.id,
        conversation_id=message.conversation_id,
        author=head.author if head else "",
        on_behalf=message.on_behalf,
        subject=head.subject if head else "",
        category=one.category,
        sent_at=message.sent_at,
        attachments=message.attachments,
        seen_at=message.seen_at,
    )


def _answerable(wanted: Stored, page: list[Listed]) -> UUID | None:
    """The message that was asked for, if it can be answered; else the latest that came."""
    latest = next((one.message for one in page if one.message.from_practice), None)
    for one in (wanted, latest):
        if one and one.from_practice and one.replied_at is None:
            return one.id
    return None


async def _reply_begun(
    db: Connection, visa: Visa, patient_id: UUID, reply_to: UUID | None, pen: Pen
) -> Draft | None:
    if reply_to is None:
        return None
    rows = await drafts.list_drafts(db, owner(visa, patient_id), reply_to=reply_to)
    if not rows:
        return None
    draft = draft_of(rows[0], pen)
    files = await drafts.list_files(
        db, visa.practice_id, drafts=[draft.id], account_id=visa.account_id
    )
    return shown_draft(draft, files, pen)
