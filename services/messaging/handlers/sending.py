"""Sending: a draft becomes a message, in a conversation that waits or no longer does."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from faststream.nats import NatsRouter
from uuid_utils.compat import uuid7

from libs.access.gate import AtGate
from libs.contracts.activity import Act
from libs.contracts.base import Refused
from libs.contracts.messaging.mailbox import MessageReceived, MessageSent
from libs.contracts.messaging.queue import CaseChanged, Step
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.writing import Category, SendDraft, Sent
from libs.contracts.records.sending import CareTeamNoted, DescribeNote
from libs.contracts.visa import Capacity, Visa
from libs.runtime import inbox, outbox
from libs.runtime.broker import Asking, answers, ask, follows
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from libs.vault.vault import Vault
from services.messaging import telling
from services.messaging.domain import conversation as rules
from services.messaging.domain import draft as draft_rules
from services.messaging.domain import words
from services.messaging.domain.conversation import Colleague, Conversation
from services.messaging.domain.draft import Draft
from services.messaging.means import AtKeyRing, admit_to_write, intact, owner, pen_of
from services.messaging.sealing import Head, Pen, blinded
from services.messaging.store import (
    conversations,
    drafts,
    mailboxes,
    messages,
    notes,
    settings,
    standing,
)
from services.messaging.store.messages import Stored
from services.messaging.store.notes import Place
from services.messaging.unsealing import draft_of

ABOUT_RECORD = "About the record that was sent"

router = NatsRouter()


@dataclass(frozen=True, kw_only=True, slots=True)
class Author:
    """Whoever writes."""

    account_id: UUID
    name: str
    by_staff: bool = False
    on_behalf: bool = False

    @classmethod
    def of(cls, visa: Visa) -> "Author":
        """The holder of a visa."""
        return cls(
            account_id=visa.account_id,
            name=visa.actor_name,
            by_staff=visa.capacity is Capacity.STAFF,
            on_behalf=visa.capacity is Capacity.DELEGATE,
        )

    @property
    def colleague(self) -> Colleague:
        return Colleague(account_id=self.account_id, name=self.name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sending:
    """A message on its way from a draft into a conversation."""

    vault: Vault
    pen: Pen
    author: Author
    draft: Draft
    subject: str
    body: str
    message_id: UUID
    now: datetime

    @property
    def db(self) -> Connection:
        return self.vault.db


@answers(router, SendDraft)
async def send_draft(
    asked: SendDraft, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Sent:
    visa = admit_to_write(gate, asked.visa, patient_id=asked.patient_id, now=now)
    practice_id = visa.practice_id
    async with transaction(pool, practice=practice_id) as db:
        mine = owner(visa, asked.patient_id)
        row = await drafts.lock_draft(db, mine, asked.draft_id)
        if row is None:
            raise Refused(Refusal.UNKNOWN_DRAFT)
        if row["sent"]:
            return await _sent_before(db, visa, row["sent"], asked.patient_id)
        if not await standing.is_open(db, practice_id, asked.patient_id):
            raise Refused(Refusal.DEACTIVATED)
        vault = Vault(db, ring, practice_id)
        pen = await pen_of(vault, asked.patient_id)
        with intact(asked.draft_id):
            draft = draft_of(row, pen)
            draft_rules.check_side(
                reply_to=draft.reply_to,
                conversation_id=draft.conversation_id,
                by_staff=visa.capacity is Capacity.STAFF,
            )
            await mailboxes.open_mailbox(db, practice_id, asked.patient_id, now=now)
            known, answered = await _target(db, draft)
            subject = pen.open("subject", known.id, known.subject) if known else ""
        author = Author.of(visa)
        sending = Sending(
            vault=vault,
            pen=pen,
            author=author,
            draft=draft,
            subject=subject if known and not draft.about else words.subject(draft.subject),
            body=words.body(draft.body, from_practice=author.by_staff),
            message_id=uuid7(),
            now=now,
        )
        placed = await _deliver(sending, known, answered, close=asked.close)
        await drafts.save_sent(db, mine, draft.id, sending.message_id)
        place = visa, asked.patient_id
        await telling.tell_log(db, *place, Act.WROTE_MESSAGE, sending.message_id, now=now)
    return Sent(message_id=sending.message_id, conversation_id=placed.id)


@follows(router, CareTeamNoted, by="messaging")
async def care_team_noted(
    heard: CareTeamNoted, pool: Database, now: Now, ring: AtKeyRing, broker: Asking
) -> None:
    """Whoever was sent a record writes to the care team: a message like the patient's own."""
    place = {"practice_id": heard.practice_id, "sending_id": heard.sending_id}
    try:
        note = await ask(broker, DescribeNote(**place))
    except Refused:
        return
    async with transaction(pool, practice=heard.practice_id) as db:
        if not await inbox.first_time(db, heard, by="messaging"):
            return
        vault = Vault(db, ring, heard.practice_id)
        await mailboxes.open_mailbox(db, heard.practice_id, note.patient_id, now=now)
        sending = Sending(
            vault=vault,
            pen=await pen_of(vault, note.patient_id),
            author=Author(
                account_id=heard.sending_id,
                name=f"{note.recipient} (was sent the record)",
                on_behalf=True,
            ),
            draft=Draft(
                practice_id=heard.practice_id,
                account_id=heard.sending_id,
                id=uuid7(),
                patient_id=note.patient_id,
                version=0,
                saved_at=now,
                category=Category.HEALTH,
            ),
            subject=ABOUT_RECORD,
            body=note.note,
            message_id=uuid7(),
            now=now,
        )
        await _deliver(sending, None, None, close=False)


async def _deliver(
    sending: Sending, known: Conversation | None, answered: Stored | None, *, close: bool
) -> Conversation:
    """Into its conversation, with all that comes of it."""
    placed = await _placed(sending, known)
    await _add(sending, placed, answered)
    if sending.author.by_staff:
        await _answered(sending, placed, close=close)
        await telling.tell_patient(sending.db, placed, sending.message_id, now=sending.now)
    else:
        await conversations.save_conversation(sending.db, placed)
        await telling.tell_staff(sending.db, placed, sending.message_id, now=sending.now)
    await _announce(sending, placed)
    return placed


async def _sent_before(db: Connection, visa: Visa, message_id: UUID, patient_id: UUID) -> Sent:
    message = await messages.get_message(db, visa.practice_id, message_id, patient_id=patient_id)
    return Sent(message_id=message.id, conversation_id=message.conversation_id)


async def _target(db: Connection, draft: Draft) -> tuple[Conversation | None, Stored | None]:
    """The conversation that it goes into, held; and the message that it answers."""
    answered = None
    conversation_id = draft.conversation_id
    if message_id := draft.reply_to or draft.about:
        named = await messages.get_message(
            db, draft.practice_id, message_id, patient_id=draft.patient_id
        )
        conversation_id = named.conversation_id
        answered = named if draft.reply_to else None
    if conversation_id is None:
        return None, None
    known = await conversations.lock_conversation(
        db, draft.practice_id, conversation_id, patient_id=draft.patient_id
    )
    return known, answered


async def _placed(sending: Sending, known: Conversation | None) -> Conversation:
    """The conversation as it stands with this message in it; a new one is there from now on."""
    draft, now = sending.draft, sending.now
    category = known.category if known else draft.category
    if category is None:
        raise Refused(Refusal.CATEGORY_MISSING)
    route = (await settings.list_routes(sending.db, draft.practice_id))[Category(category)]
    begun = known or _begun(sending, Category(category), route)
    if sending.author.by_staff:
        placed = rules.answered(begun, sending.message_id, sending.author.colleague, now=now)
    else:
        placed = rules.written_to(begun, sending.message_id, route, now=now)
    if known is None:
        await conversations.add_conversation(sending.db, placed)
    return placed


def _begun(sending: Sending, category: Category, route: rules.Route) -> Conversation:
    conversation_id = uuid7()
    return Conversation(
        practice_id=sending.draft.practice_id,
        id=conversation_id,
        patient_id=sending.draft.patient_id,
        category=category,
        team=route.team,
        subject=sending.pen.close("subject", conversation_id, sending.subject),
        opened_at=sending.now,
        last_id=sending.message_id,
        last_at=sending.now,
    )


async def _add(sending: Sending, placed: Conversation, answered: Stored | None) -> None:
    """The message, its files, and the words by which it is found."""
    db, draft, author, pen = sending.db, sending.draft, sending.author, sending.pen
    files = await drafts.list_files(
        db, draft.practice_id, drafts=[draft.id], account_id=draft.account_id
    )
    whole = [file.id for file in files if file.finished]
    head = Head(author=author.name, subject=sending.subject, preview=words.preview(sending.body))
    message = Stored(
        practice_id=draft.practice_id,
        id=sending.message_id,
        patient_id=draft.patient_id,
        conversation_id=placed.id,
        from_practice=author.by_staff,
        account_id=draft.account_id,
        on_behalf=author.on_behalf,
        head=pen.close_head(sending.message_id, head),
        body=pen.close("body", sending.message_id, sending.body),
        attachments=len(whole),
        sent_at=sending.now,
        reply_to=answered.id if answered else None,
    )
    if not await messages.add_message(db, message):
        raise Refused(Refusal.ALREADY_REPLIED)
    if answered:
        await messages.save_replied(db, draft.practice_id, answered.id, now=sending.now)
    await drafts.give_files(db, draft.practice_id, whole, message.id)
    await sending.vault.remove([file.id for file in files if not file.finished])
    text = words.words_of(head.author, head.subject, sending.body)
    beginnings = await blinded(sending.vault, words.beginnings(text))
    await messages.add_beginnings(db, message, beginnings)


async def _answered(sending: Sending, placed: Conversation, *, close: bool) -> None:
    """What an answer does besides: it has been seen, it counts as unread, and perhaps it ends."""
    db, draft, by = sending.db, sending.draft, sending.author.colleague
    place = Place(practice_id=draft.practice_id, conversation_id=placed.id)
    await mailboxes.add_received(db, draft.practice_id, draft.patient_id)
    await messages.mark_seen(db, draft.practice_id, placed.id, now=sending.now)
    steps = [Step.ANSWERED]
    if close:
        placed = rules.closed(placed, by)
        steps.append(Step.CLOSED)
    await conversations.save_conversation(db, placed)
    for step in steps:
        await notes.add_step(db, place, uuid7(), step, by, now=sending.now)


async def _announce(sending: Sending, placed: Conversation) -> None:
    kind = MessageReceived if sending.author.by_staff else MessageSent
    await outbox.announce(
        sending.db,
        kind(
            practice_id=placed.practice_id,
            patient_id=placed.patient_id,
            conversation_id=placed.id,
            message_id=sending.message_id,
        ),
        CaseChanged(
            practice_id=placed.practice_id,
            patient_id=placed.patient_id,
            conversation_id=placed.id,
        ),
    )
