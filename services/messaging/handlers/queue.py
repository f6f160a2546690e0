"""The practice's queue: who waits, whose each conversation is, and what staff say of it."""

from datetime import datetime
from uuid import UUID

from faststream.nats import NatsRouter
from uuid_utils.compat import uuid7

from libs.access.gate import AtGate
from libs.contracts.activity import Act
from libs.contracts.base import Done, Refused
from libs.contracts.messaging.queue import (
    AddNote,
    Case,
    CaseChanged,
    CaseFile,
    Claim,
    Close,
    CountWaiting,
    Entry,
    HandOver,
    ListQueue,
    MarkSeen,
    Note,
    Queue,
    Release,
    Reopen,
    ShowCase,
    Step,
    Waiting,
)
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.settings import FIRST_TEAM
from libs.contracts.messaging.writing import Draft
from libs.contracts.visa import Visa
from libs.runtime import once, outbox
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from libs.runtime.keyring import KeyRing
from libs.vault.vault import Vault
from services.messaging import telling
from services.messaging.domain import conversation as rules
from services.messaging.domain import words
from services.messaging.domain.conversation import Colleague, Conversation, Position
from services.messaging.finding import LOOKED_AT, found
from services.messaging.means import AtKeyRing, colleague, intact, opened, owner, pen_of
from services.messaging.sealing import Pen, pens_of
from services.messaging.store import (
    announcements,
    conversations,
    drafts,
    messages,
    notes,
    settings,
)
from services.messaging.store.conversations import PAGE
from services.messaging.store.messages import AT_ONCE, Stored
from services.messaging.store.notes import Place
from services.messaging.unsealing import draft_of, shown_draft, shown_messages

router = NatsRouter()


@answers(router, CountWaiting)
async def count_waiting(asked: CountWaiting, pool: Database, now: Now, gate: AtGate) -> Waiting:
    visa = gate.admit_staff(asked.visa, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        return await conversations.count_waiting(
            db, visa.practice_id, account_id=visa.account_id, now=now
        )


@answers(router, ListQueue)
async def list_queue(
    asked: ListQueue, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Queue:
    visa = gate.admit_staff(asked.visa, now=now)
    practice_id = visa.practice_id
    async with transaction(pool, practice=practice_id) as db:
        vault = Vault(db, ring, practice_id)
        within = None
        if asked.q.strip():
            fitting = await found(vault, asked.q, enough=LOOKED_AT, patient_id=asked.patient_id)
            within = {one.conversation_id for one in fitting}
        listed = await conversations.list_queue(
            db,
            practice_id,
            account_id=visa.account_id,
            shown=asked.shown,
            category=asked.category,
            team=asked.team,
            patient_id=asked.patient_id,
            within=within,
            after=Position.parse(asked.after),
        )
        return Queue(
            cases=await _cases(vault, listed[:PAGE]),
            counts=await conversations.count_waiting(
                db, practice_id, account_id=visa.account_id, now=now
            ),
            teams=await _teams(db, practice_id),
            after=str(Position.of(listed[PAGE - 1])) if len(listed) > PAGE else "",
        )


@answers(router, ShowCase)
async def show_case(
    asked: ShowCase, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> CaseFile:
    visa = gate.admit_staff(asked.visa, now=now)
    practice_id = visa.practice_id
    place = Place(practice_id=practice_id, conversation_id=asked.conversation_id)
    async with transaction(pool, practice=practice_id) as db:
        known = await conversations.get_conversation(db, practice_id, asked.conversation_id)
        listed = await messages.list_conversation(
            db,
            practice_id,
            known.id,
            account_id=visa.account_id,
            before=UUID(asked.before) if asked.before else None,
        )
        page = listed[:AT_ONCE]
        files = await drafts.list_files(db, practice_id, messages=[one.message.id for one in page])
        vault = Vault(db, ring, practice_id)
        pen = (await pens_of(vault, [known.patient_id])).get(known.patient_id)
        newest = page[0].message.id if page else known.id
        await telling.tell_log(db, visa, known.patient_id, Act.SAW_MESSAGE, newest, now=now)
        with intact(known.id):
            return CaseFile(
                case=(await _cases(vault, [known]))[0],
                messages=shown_messages(page, files, pen),
                notes=tuple(
                    Note(
                        note_id=row["id"],
                        author=row["author"],
                        written_at=row["written_at"],
                        text=pen.open("note", row["id"], row["words"]),
                    )
                    for row in await notes.list_notes(db, place)
                    if pen
                ),
                history=tuple(
                    Entry(step=Step(row["step"]), by=row["name"], to=row["given_to"], at=row["at"])
                    for row in await notes.list_steps(db, place)
                ),
                draft=await _answer_begun(db, visa, known, pen) if pen else None,
                teams=await _teams(db, practice_id),
                before=str(page[-1].message.id) if len(listed) > AT_ONCE else "",
            )


@answers(router, MarkSeen)
async def mark_seen(asked: MarkSeen, pool: Database, now: Now, gate: AtGate) -> Done:
    visa = gate.admit_staff(asked.visa, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        known = await conversations.get_conversation(db, visa.practice_id, asked.conversation_id)
        if await messages.mark_seen(db, visa.practice_id, known.id, now=now):
            await _announce(db, known)
    return Done()


@answers(router, Claim)
async def claim(asked: Claim, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing) -> Case:
    visa = gate.admit_staff(asked.visa, now=now)
    by = colleague(visa)
    async with transaction(pool, practice=visa.practice_id) as db:
        known = await conversations.lock_conversation(db, visa.practice_id, asked.conversation_id)
        held = rules.claimed(known, by)
        return await _step(db, ring, known, held, Step.CLAIMED, by, now=now)


@answers(router, Release)
async def release(asked: Release, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing) -> Case:
    visa = gate.admit_staff(asked.visa, now=now)
    by = colleague(visa)
    async with transaction(pool, practice=visa.practice_id) as db:
        known = await conversations.lock_conversation(db, visa.practice_id, asked.conversation_id)
        held = rules.released(known, by)
        return await _step(db, ring, known, held, Step.RELEASED, by, now=now)


@answers(router, HandOver)
async def hand_over(
    asked: HandOver, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Case:
    visa = gate.admit_staff(asked.visa, now=now)
    by = colleague(visa)
    to = Colleague(account_id=asked.account_id, name=asked.name) if asked.account_id else None
    async with transaction(pool, practice=visa.practice_id) as db:
        if asked.team and asked.team not in await _teams(db, visa.practice_id):
            raise Refused(Refusal.TEAM_UNKNOWN)
        known = await conversations.lock_conversation(db, visa.practice_id, asked.conversation_id)
        held = rules.handed_over(known, by, to=to, team=asked.team)
        given_to = to.name if to else held.team
        return await _step(db, ring, known, held, Step.HANDED_OVER, by, given_to=given_to, now=now)


@answers(router, Close)
async def close(asked: Close, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing) -> Case:
    visa = gate.admit_staff(asked.visa, now=now)
    by = colleague(visa)
    async with transaction(pool, practice=visa.practice_id) as db:
        known = await conversations.lock_conversation(db, visa.practice_id, asked.conversation_id)
        ended = rules.closed(known, by) if known.open else known
        await announcements.forget_answered(db, visa.practice_id, known.id)
        return await _step(db, ring, known, ended, Step.CLOSED, by, now=now)


@answers(router, Reopen)
async def reopen(asked: Reopen, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing) -> Case:
    visa = gate.admit_staff(asked.visa, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        known = await conversations.lock_conversation(db, visa.practice_id, asked.conversation_id)
        again = rules.reopened(
            known,
            (await settings.list_routes(db, visa.practice_id))[known.category],
            waiting_since=await messages.find_waiting_since(db, visa.practice_id, known.id),
        )
        return await _step(db, ring, known, again, Step.REOPENED, colleague(visa), now=now)


@answers(router, AddNote)
async def add_note(asked: AddNote, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing) -> Note:
    visa = gate.admit_staff(asked.visa, now=now)
    by, text = colleague(visa), words.note(asked.text)
    async with transaction(pool, practice=visa.practice_id) as db:
        if earlier := await once.earlier(db, asked.key, by=visa.account_id, what=AddNote):
            return earlier
        known = await conversations.get_conversation(db, visa.practice_id, asked.conversation_id)
        pen = await pen_of(Vault(db, ring, visa.practice_id), known.patient_id)
        note = Note(note_id=uuid7(), author=by.name, written_at=now, text=text)
        place = Place(practice_id=visa.practice_id, conversation_id=known.id)
        sealed = pen.close("note", note.note_id, text)
        await notes.add_note(db, place, note.note_id, by, words=sealed, now=now)
        # The answer to the same form again is not kept with the note's words in it.
        kept = note.model_copy(update={"text": ""})
        await once.keep(db, asked.key, by=visa.account_id, what=AddNote, reply=kept)
        await _announce(db, known)
    return note


async def _step(  # noqa: PLR0913
    db: Connection,
    ring: KeyRing,
    known: Conversation,
    changed: Conversation,
    step: Step,
    by: Colleague,
    *,
    given_to: str = "",
    now: datetime,
) -> Case:
    """The conversation as it is now; if that is new, it is written down who did it."""
    if changed != known:
        place = Place(practice_id=known.practice_id, conversation_id=known.id)
        await conversations.save_conversation(db, changed)
        await notes.add_step(db, place, uuid7(), step, by, given_to=given_to, now=now)
        await _announce(db, changed)
    return (await _cases(Vault(db, ring, known.practice_id), [changed]))[0]


async def _announce(db: Connection, known: Conversation) -> None:
    await outbox.announce(
        db,
        CaseChanged(
            practice_id=known.practice_id,
            patient_id=known.patient_id,
            conversation_id=known.id,
        ),
    )


async def _teams(db: Connection, practice_id: UUID) -> tuple[str, ...]:
    return tuple(await settings.list_teams(db, practice_id)) or (FIRST_TEAM,)


async def _cases(vault: Vault, listed: list[Conversation]) -> tuple[Case, ...]:
    """As the queue shows them; of whose key was destroyed, no words are left."""
    pens = await pens_of(vault, (one.patient_id for one in listed))
    latest = await messages.list_latest(
        vault.db, vault.practice_id, [one.last_id for one in listed]
    )
    return tuple(_case(one, latest.get(one.id), pens.get(one.patient_id)) for one in listed)


def _case(one: Conversation, last: Stored | None, pen: Pen | None) -> Case:
    head = subject = None
    if pen:
        subject = opened(one.id, lambda: pen.open("subject", one.id, one.subject))
    if pen and last:
        head = opened(last.id, lambda: pen.open_head(last.id, last.head))
    return Case(
        conversation_id=one.id,
        patient_id=one.patient_id,
        subject=subject or "",
        preview=head.preview if head else "",
        category=one.category,
        team=one.team,
        open=one.open,
        waiting_since=one.waiting_since,
        due_at=one.due_at,
        claimed_by=one.claimed_by,
        claimed_name=one.claimed_name,
        on_behalf=head.author if head and last and last.on_behalf else "",
        last_at=one.last_at,
    )


async def _answer_begun(db: Connection, visa: Visa, known: Conversation, pen: Pen) -> Draft | None:
    rows = await drafts.list_drafts(db, owner(visa, known.patient_id), conversation_id=known.id)
    if not rows:
        return None
    draft = draft_of(rows[0], pen)
    files = await drafts.list_files(
        db, visa.practice_id, drafts=[draft.id], account_id=visa.account_id
    )
    return shown_draft(draft, files, pen)
