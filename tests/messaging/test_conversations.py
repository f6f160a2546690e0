"""A patient writes, the care team answers, and each sees what the other did."""

import asyncio
from uuid import UUID, uuid4

from libs.contracts.base import Refused
from libs.contracts.messaging.mailbox import (
    CountUnread,
    ListDrafts,
    ListInbox,
    ListSent,
    MarkRead,
    MessageReceived,
    MessageSent,
    MessagesRead,
    ShowMessage,
)
from libs.contracts.messaging.queue import CaseChanged, MarkSeen
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.writing import Category, SaveDraft, SendDraft
from libs.contracts.visa import Limit
from tests import parts
from tests.messaging.ward import Ward
from tests.waiting import until


async def test_a_question_is_answered_and_the_answer_is_read(ward: Ward) -> None:
    rosa = ward.patient()
    nora = ward.nurse(rosa)
    asked = await rosa.sends("My tongue is sore.", title="Sore tongue", category=Category.RX)
    assert (await rosa.inbox()).messages == ()
    case = await nora.case(asked)
    assert (case.case.subject, case.case.preview) == ("Sore tongue", "My tongue is sore.")
    assert case.messages[0].seen_at is None
    await nora.asks(MarkSeen, conversation_id=asked.conversation_id)

    answered = await nora.answers(asked, "Rinse with salt water.")
    [received] = (await rosa.inbox()).messages
    assert (received.sender, received.subject, received.category) == (
        "Nora Lindqvist, RN",
        "Sore tongue",
        Category.RX,
    )
    assert received.unread
    assert await rosa.unread() == 1
    shown = await rosa.sees(answered.message_id)
    assert [one.body for one in shown.messages] == ["My tongue is sore.", "Rinse with salt water."]
    assert shown.messages[0].seen_at
    assert shown.may_reply_to == answered.message_id
    assert await rosa.unread() == 1, "looking marks nothing"
    assert await rosa.reads(answered.message_id) == 0
    assert await rosa.unread() == 0
    assert not (await rosa.inbox()).messages[0].unread


async def test_each_person_has_their_own_unread_ones(ward: Ward) -> None:
    rosa = ward.patient()
    ana, nora = ward.delegate(rosa), ward.nurse(rosa)
    sent = [await nora.sends(f"News {number}", title="News") for number in range(3)]
    assert (await rosa.unread(), await ana.unread()) == (3, 3)
    await rosa.reads(sent[0].message_id, sent[1].message_id)
    await rosa.reads(sent[0].message_id)
    assert (await rosa.unread(), await ana.unread()) == (1, 3)
    assert (await ana.asks(MarkRead, message_ids=None)).count == 0
    assert (await rosa.unread(), await ana.unread()) == (1, 0)


async def test_the_count_equals_a_recount_however_it_came_about(ward: Ward) -> None:
    rosa = ward.patient()
    readers = [rosa, ward.delegate(rosa), ward.delegate(rosa, "Leo Alvarez")]
    nora = ward.nurse(rosa)
    sent = [(await nora.sends(f"News {number}")).message_id for number in range(12)]
    await asyncio.gather(
        *(reader.reads(*sent[start:stop]) for reader in readers[:2]
          for start, stop in ((0, 5), (3, 8), (0, 5), (7, 9))),
        *(nora.sends("And one more") for _ in range(3)),
        readers[2].asks(MarkRead, message_ids=None),
    )  # fmt: skip
    async with ward.rows() as rows:
        for reader in readers:
            recount = await rows.fetchval(
                """
                SELECT count(*) FROM message m
                 WHERE m.from_practice AND m.patient_id = $1 AND NOT EXISTS (
                       SELECT FROM read_mark r
                        WHERE r.message_id = m.id AND r.account_id = $2)
                """,
                rosa.patient_id,
                reader.account_id,
            )
            assert await reader.unread() == recount
            listed = (await reader.inbox()).messages
            assert sum(line.unread for line in listed) == recount


async def test_a_received_message_is_answered_once(ward: Ward) -> None:
    rosa = ward.patient()
    nora = ward.nurse(rosa)
    told = await nora.sends("Your counts are fine.", title="Counts")
    replied = await rosa.replies(told.message_id)
    assert replied.conversation_id == told.conversation_id
    again = await rosa.drafts("And another thing", reply_to=told.message_id)
    assert await rosa.is_refused(SendDraft, draft_id=again.draft_id) == Refusal.ALREADY_REPLIED
    kept = (await rosa.asks(ListDrafts)).drafts
    assert [draft.body for draft in kept] == ["And another thing"]
    shown = await rosa.sees(told.message_id)
    assert shown.may_reply_to is None
    assert shown.messages[0].replied_at
    more = await rosa.sends("And another thing", about=told.message_id, title="Counts, again")
    assert more.conversation_id == told.conversation_id
    assert [one.body for one in (await nora.case(told)).messages] == [
        "Your counts are fine.",
        "Thank you.",
        "And another thing",
    ]


async def test_only_the_patients_side_replies_to_what_the_practice_wrote(ward: Ward) -> None:
    """Also where one account is both: a colleague who looks after their mother."""
    rosa = ward.patient()
    nora = ward.nurse(rosa)
    told = await nora.sends("Come on Monday.")
    refused = await nora.is_refused(SaveDraft, draft_id=uuid4(), reply_to=told.message_id)
    assert refused == Refusal.NOT_ALLOWED
    daughter = ward.delegate(rosa, nora.name)
    daughter.account_id = nora.account_id
    reply = await daughter.drafts("We will.", reply_to=told.message_id)
    answer = await nora.drafts("And bring your card.", conversation_id=told.conversation_id)
    for who, draft in ((nora, reply), (daughter, answer)):
        assert await who.is_refused(SendDraft, draft_id=draft.draft_id) == Refusal.NOT_ALLOWED
    await rosa.replies(told.message_id)
    assert [one.body for one in (await rosa.sees(told.message_id)).messages] == [
        "Come on Monday.",
        "Thank you.",
    ]


async def test_fifty_replies_at_once_make_one(ward: Ward) -> None:
    rosa = ward.patient()
    told = await ward.nurse(rosa).sends("Come on Monday.")
    drafts = [await rosa.drafts(f"Reply {n}", reply_to=told.message_id) for n in range(50)]

    async def send(number: int) -> str:
        try:
            await rosa.asks(SendDraft, draft_id=drafts[number].draft_id)
        except Refused as refused:
            return refused.code
        return "sent"

    outcomes = await asyncio.gather(*(send(number) for number in range(50)))
    assert outcomes.count("sent") == 1
    assert outcomes.count(Refusal.ALREADY_REPLIED) == 49
    assert len((await rosa.sees(told.message_id)).messages) == 2


async def test_the_same_form_twenty_times_at_once_makes_one_message(ward: Ward) -> None:
    rosa = ward.patient()
    draft_id = uuid4()

    async def form() -> object:
        draft = await rosa.drafts("Once, please.", draft_id=draft_id)
        return await rosa.asks(SendDraft, draft_id=draft.draft_id)

    sent = await asyncio.gather(*(form() for _ in range(20)))
    assert len(set(map(str, sent))) == 1
    assert len((await rosa.asks(ListSent)).messages) == 1
    assert (await rosa.asks(ListDrafts)).drafts == ()


async def test_who_writes_for_somebody_is_said_to_both_sides(ward: Ward) -> None:
    rosa = ward.patient()
    ana, nora = ward.delegate(rosa), ward.nurse(rosa)
    sent = await ana.sends("Mom is tired.")
    [line] = (await rosa.asks(ListSent)).messages
    assert (line.author, line.on_behalf) == ("Ana Ruiz", True)
    assert (await nora.case(sent)).case.on_behalf == "Ana Ruiz"
    [queued] = (await nora.queue()).cases
    assert queued.on_behalf == "Ana Ruiz"


async def test_nobody_else_gets_in(ward: Ward) -> None:
    rosa = ward.patient()
    nora = ward.nurse(rosa)
    sent = await rosa.sends("For my care team only.")
    told = await nora.answers(sent)
    stranger, elsewhere = ward.patient("Bill Bones"), ward.another()
    abroad = elsewhere.patient("Rosa Alvarez")
    abroad.patient_id = rosa.patient_id
    limited = ward.delegate(rosa, limits=[Limit.RESULTS, Limit.DOCUMENTS])
    for message_id in (sent.message_id, told.message_id):
        for who in (stranger, abroad):
            assert await who.is_refused(ShowMessage, message_id=message_id) == (
                Refusal.UNKNOWN_MESSAGE
            )
            for target in ("reply_to", "about"):
                refused = await who.is_refused(SaveDraft, draft_id=uuid4(), **{target: message_id})
                assert refused == Refusal.UNKNOWN_MESSAGE
    for request in (ListInbox, ListSent, CountUnread, ListDrafts):
        assert await limited.is_refused(request) == Refusal.NOT_ALLOWED
        assert await stranger.is_refused(request, patient_id=rosa.patient_id) == Refusal.NOT_ALLOWED
    assert await nora.is_refused(ListInbox) == Refusal.NOT_ALLOWED
    assert (await abroad.inbox()).messages == ()
    assert await stranger.reads(told.message_id) == 0
    assert await rosa.unread() == 1
    assert (
        await rosa.is_refused(SaveDraft, draft_id=uuid4(), conversation_id=sent.conversation_id)
        == Refusal.NOT_ALLOWED
    )


async def test_what_happens_is_announced_by_ids_alone(ward: Ward) -> None:
    rosa = ward.patient()
    nora = ward.nurse(rosa)
    sent = await rosa.sends("A secret of mine.", title="Private")
    told = await nora.answers(sent, "It stays one.")
    await rosa.reads(told.message_id)

    async def announced() -> bool:
        return bool(await parts.stored(ward.servers, MessagesRead))

    await until(announced)
    [first] = await parts.stored(ward.servers, MessageSent)
    [second] = await parts.stored(ward.servers, MessageReceived)
    [read] = await parts.stored(ward.servers, MessagesRead)
    assert (first.message_id, second.message_id) == (sent.message_id, told.message_id)
    assert read.account_id == rosa.account_id
    everything = [first, second, read, *await parts.stored(ward.servers, CaseChanged)]
    said = "".join(event.model_dump_json() for event in everything)
    for words in ("secret", "Private", "stays", "Rosa", "Nora"):
        assert words not in said


async def test_nothing_that_was_written_lies_open_in_a_table(ward: Ward) -> None:
    rosa = ward.patient("Rosa Canary")
    nora = ward.nurse(rosa)
    draft = await rosa.drafts("Canary in a draft", title="Canary subject")
    await rosa.attaches(draft.draft_id, file_name="canary.pdf")
    sent = await rosa.sends("Canary in a message", title="Canary again")
    await nora.answers(sent, "Canary in an answer")
    async with ward.rows() as rows:
        tables = await rows.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'messaging'")
        assert len(tables) > 10
        for table in tables:
            found = await rows.fetch(f"SELECT t::text AS row FROM {table['tablename']} t")
            for row in found:
                said = row["row"].lower()
                assert "canary" not in said, table["tablename"]
                assert b"canary".hex() not in said, table["tablename"]


async def test_before_the_first_message_of_a_conversation_there_is_nothing(ward: Ward) -> None:
    rosa = ward.patient()
    sent = await rosa.sends()
    before = str(UUID(int=0))
    refusal = await rosa.is_refused(ShowMessage, message_id=sent.message_id, before=before)
    assert refusal == Refusal.UNKNOWN_MESSAGE
