"""Messages are found by their words, though no word of them lies open."""

from uuid import uuid4

import pytest

from libs.contracts.messaging.mailbox import ListDrafts, ListInbox, ListSent, ShowMessage
from libs.contracts.messaging.queue import AddNote, Close, Shown
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.writing import SaveDraft
from libs.runtime.keyring import KeyRing
from libs.vault.vault import Vault
from services.messaging.domain import words
from services.messaging.store import messages
from tests.messaging.ward import Ward


@pytest.mark.parametrize(
    ("q", "is_found"),
    [
        ("fever", True),
        ("FEVER", True),
        ("feve", True),
        ("night fever", True),
        ("naïve", True),
        ("naive", True),
        ("101", True),
        ("feverish", False),
        ("fev", False),
        ("fever rash", False),
        ("ever", False),
        ("!!!", False),
    ],
)
async def test_words_are_found_by_how_they_begin(ward: Ward, q: str, *, is_found: bool) -> None:
    rosa = ward.patient()
    await rosa.sends("Fever last night, 101. Perhaps a naïve question.", title="Worried")
    await rosa.sends("Nothing of that sort.", title="Another")
    found = (await rosa.asks(ListSent, q=q)).messages
    assert [line.subject for line in found] == (["Worried"] if is_found else [])


async def test_staff_find_in_the_whole_practice_and_patients_in_their_own(ward: Ward) -> None:
    rosa, bill = ward.patient(), ward.patient("Bill Bones")
    nora = ward.nurse(rosa)
    for who in (rosa, bill):
        sent = await who.sends("About ondansetron", title=f"From {who.name}")
        await ward.nurse(who).answers(sent, "Your ondansetron is ready.")
    assert {case.subject for case in (await nora.queue(shown=Shown.OPEN, q="ondan")).cases} == {
        "From Rosa Alvarez",
        "From Bill Bones",
    }
    assert len((await rosa.inbox(q="ondansetron ready")).messages) == 1
    assert len((await nora.queue(shown=Shown.OPEN, q="bones")).cases) == 1
    elsewhere = ward.another().nurse(rosa)
    assert (await elsewhere.queue(shown=Shown.OPEN, q="ondansetron")).cases == ()


async def test_many_finds_come_in_pages(ward: Ward) -> None:
    rosa = ward.patient()
    nora = ward.nurse(rosa)
    for number in range(30):
        await nora.sends(f"Zofran {number}")
    first = await rosa.inbox(q="zofran")
    rest = await rosa.inbox(q="zofran", after=first.after)
    assert (len(first.messages), len(rest.messages), rest.after) == (25, 5, "")


async def test_what_one_wrote_oneself_hides_nothing_that_came(ward: Ward) -> None:
    rosa = ward.patient()
    told = await ward.nurse(rosa).sends("About your zofran")
    for number in range(101):
        await rosa.sends(f"Zofran {number}", about=told.message_id)
    [line] = (await rosa.inbox(q="zofran")).messages
    assert line.message_id == told.message_id


@pytest.mark.parametrize(("what", "subjects"), [("head", 2), ("body", 3)])
async def test_one_damaged_message_hides_none_of_the_others(
    ward: Ward, what: str, subjects: int
) -> None:
    rosa = ward.patient()
    nora = ward.nurse(rosa)
    told = await nora.sends("Zofran is ready.", title="Refill")
    for number in range(2):
        await nora.answers(told, f"Zofran, part {number}")
    asked = await ward.patient("Bill Bones").sends("Zofran?")
    async with ward.rows() as rows:
        await rows.execute(
            f"UPDATE message SET {what} = set_byte({what}, 20, get_byte({what}, 20) # 1)"
            " WHERE id = (SELECT last_id FROM conversation WHERE id = $1)",
            told.conversation_id,
        )
    inbox = await rosa.inbox()
    assert (len(inbox.messages), inbox.unread) == (3, 3)
    assert [one.subject for one in inbox.messages if one.subject] == ["Refill"] * subjects
    shown = await rosa.sees(told.message_id)
    assert [one.body for one in shown.messages] == ["Zofran is ready.", "Zofran, part 0", ""]
    assert (await nora.case(told)).messages[2].body == ""
    assert len((await rosa.inbox(q="zofran")).messages) == 2
    queue = await nora.queue(shown=Shown.OPEN, q="zofran")
    assert {case.conversation_id for case in queue.cases} == {
        told.conversation_id,
        asked.conversation_id,
    }


async def test_of_whose_key_is_destroyed_nothing_is_read_or_found(ward: Ward) -> None:
    rosa = ward.patient()
    nora = ward.nurse(rosa)
    sent = await rosa.sends("About my biopsy", title="Biopsy")
    await nora.asks(AddNote, key=uuid4(), conversation_id=sent.conversation_id, text="Call her")
    async with ward.rows() as rows, rows.transaction():
        await rows.execute("SELECT set_config('app.practice', $1, true)", str(ward.practice_id))
        ring = KeyRing.parse(ward.servers.keys.key_ring)
        await Vault(rows, ring, ward.practice_id).destroy(rosa.patient_id)
        await messages.forget_beginnings(rows, ward.practice_id, rosa.patient_id)
    [case] = (await nora.queue()).cases
    assert (case.subject, case.preview) == ("", "")
    assert (await nora.queue(q="biopsy")).cases == ()
    shown = await nora.case(sent)
    assert ([one.body for one in shown.messages], shown.notes) == ([""], ())
    await nora.asks(Close, conversation_id=sent.conversation_id)
    assert (await nora.queue()).cases == ()
    for request in (ListInbox, ListSent):
        assert await rosa.is_refused(request) == Refusal.DAMAGED
    assert (await rosa.asks(ListDrafts)).drafts == ()
    assert await rosa.is_refused(ShowMessage, message_id=sent.message_id) == Refusal.DAMAGED
    assert await rosa.is_refused(SaveDraft, draft_id=uuid4(), body="More") == Refusal.DAMAGED


def test_what_is_kept_of_a_word_is_how_it_begins() -> None:
    assert words.beginnings(words.words_of("Émile's MRI, done.")) == {"emil", "s", "mri", "done"}
