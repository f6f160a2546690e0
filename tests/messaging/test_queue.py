"""One queue for the practice: who waits, whose it is, and who did what."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from libs.contracts.base import Refused
from libs.contracts.messaging.queue import (
    NOTE_LIMIT,
    AddNote,
    Claim,
    Close,
    CountWaiting,
    HandOver,
    Release,
    Reopen,
    ShowCase,
    Shown,
)
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.settings import (
    RemoveTemplate,
    Routing,
    SaveRouting,
    SaveTemplate,
    ShowSettings,
    ShowTimes,
)
from libs.contracts.messaging.writing import Category, SendDraft
from libs.contracts.visa import Role
from libs.runtime.clock import utcnow
from tests.messaging.ward import Someone, Ward, open_ward
from tests.servers import Servers


async def test_whoever_waits_longest_is_first(ward: Ward) -> None:
    patients = [ward.patient(f"Patient {number}") for number in range(4)]
    sent = [await patient.sends(f"Message {n}") for n, patient in enumerate(patients)]
    nora = ward.nurse(patients[0])
    queue = await nora.queue()
    assert [case.preview for case in queue.cases] == [f"Message {n}" for n in range(4)]
    assert (queue.counts.unclaimed, queue.counts.open, queue.counts.mine) == (4, 4, 0)
    await ward.nurse(patients[1]).answers(sent[1])
    await patients[0].sends("Are you there?", about=sent[0].message_id)
    assert [case.preview for case in (await nora.queue()).cases] == [
        "Are you there?",
        "Message 2",
        "Message 3",
    ]
    whole = (await nora.queue(shown=Shown.OPEN)).cases
    assert [case.waiting_since is None for case in whole] == [False, False, False, True]


async def test_the_queue_is_paged_without_losing_or_repeating_any(ward: Ward) -> None:
    patients = [ward.patient(f"Patient {number}") for number in range(60)]
    sent = await asyncio.gather(*(patient.sends("Hello") for patient in patients))
    nora = ward.nurse(patients[0])
    await asyncio.gather(*(ward.nurse(patients[n]).answers(sent[n]) for n in range(10)))
    for shown, count in ((Shown.UNCLAIMED, 50), (Shown.OPEN, 60), (Shown.CLOSED, 30)):
        if shown is Shown.CLOSED:
            await asyncio.gather(
                *(nora.asks(Close, conversation_id=one.conversation_id) for one in sent[30:])
            )
        seen, after = [], ""
        while True:
            page = await nora.queue(shown=shown, after=after)
            seen += [case.conversation_id for case in page.cases]
            after = page.after
            if not after:
                break
        assert len(seen) == len(set(seen)) == count


async def test_a_page_goes_on_where_the_one_before_ended_though_that_was_answered(
    ward: Ward,
) -> None:
    patients = [ward.patient(f"Patient {number}") for number in range(30)]
    for patient in patients:
        await patient.sends("Hello")
    nora = ward.nurse(patients[0])
    page = await nora.queue()
    last = page.cases[-1]
    nora.patient_id = last.patient_id
    draft = await nora.drafts("Hello!", conversation_id=last.conversation_id)
    await nora.asks(SendDraft, draft_id=draft.draft_id)
    rest = (await nora.queue(after=page.after)).cases
    assert {case.patient_id for case in (*page.cases, *rest)} == {p.patient_id for p in patients}
    assert len(rest) == 5


@pytest.mark.parametrize("after", ["x", "//", "/2026-11-23T10:00:00Z/7/", "a/b/c", "\x00"])
async def test_a_page_that_begins_nowhere_begins_at_the_beginning(ward: Ward, after: str) -> None:
    rosa = ward.patient()
    await rosa.sends()
    assert len((await ward.nurse(rosa).queue(after=after)).cases) == 1


async def test_a_hundred_claims_at_once_have_one_winner(clean: Servers) -> None:
    async with open_ward(clean, replicas=2) as ward:
        rosa = ward.patient()
        sent = await rosa.sends()
        nurses = [ward.nurse(rosa, f"Nurse {number}") for number in range(100)]

        async def claim(nurse: Someone) -> str:
            try:
                await nurse.asks(Claim, conversation_id=sent.conversation_id)
            except Refused as refused:
                return refused.code
            return nurse.name

        outcomes = await asyncio.gather(*map(claim, nurses))
        assert outcomes.count(Refusal.CLAIMED_BY_ANOTHER) == 99
        [winner] = set(outcomes) - {Refusal.CLAIMED_BY_ANOTHER}
        case = (await nurses[0].case(sent)).case
        assert case.claimed_name == winner
        assert (await nurses[0].asks(CountWaiting)).unclaimed == 0


async def test_an_administrator_gives_on_what_a_colleague_can_answer_no_more(ward: Ward) -> None:
    rosa = ward.patient()
    nora, ben = ward.nurse(rosa), ward.nurse(rosa, "Ben Okafor, RN")
    boss = ward.nurse(rosa, "Dana Whitfield", role=Role.ADMINISTRATOR)
    sent = await rosa.sends()
    place = {"conversation_id": sent.conversation_id}
    await nora.asks(Claim, **place)
    await boss.asks(Release, **place)
    await ben.asks(Claim, **place)
    await boss.asks(HandOver, **place, account_id=nora.account_id, name=nora.name)
    assert (await boss.case(sent)).case.claimed_name == nora.name
    assert await boss.is_refused(Close, **place) == Refusal.NOT_YOURS
    await nora.asks(Close, **place)
    assert await boss.is_refused(Release, **place) == Refusal.CLOSED


async def test_only_who_holds_it_answers_hands_over_and_closes(ward: Ward) -> None:
    rosa = ward.patient()
    nora, ben = ward.nurse(rosa), ward.nurse(rosa, "Ben Okafor, RN")
    sent = await rosa.sends()
    place = {"conversation_id": sent.conversation_id}
    await nora.asks(Claim, **place)
    assert await ben.is_refused(Release, **place) == Refusal.NOT_YOURS
    assert await ben.is_refused(HandOver, **place, team="Care team") == Refusal.NOT_YOURS
    assert await ben.is_refused(Close, **place) == Refusal.NOT_YOURS
    draft = await ben.drafts("Mine!", conversation_id=sent.conversation_id)
    refused = await ben.is_refused(SendDraft, draft_id=draft.draft_id)
    assert refused == Refusal.CLAIMED_BY_ANOTHER
    await nora.asks(HandOver, **place, account_id=ben.account_id, name=ben.name)
    assert (await ben.asks(CountWaiting)).mine == 1
    await ben.asks(SendDraft, draft_id=draft.draft_id)
    await ben.asks(Close, **place)
    assert await nora.is_refused(Claim, **place) == Refusal.CLOSED
    await nora.asks(Reopen, **place)
    history = (await nora.case(sent)).history
    assert [(entry.step, entry.by, entry.to) for entry in history] == [
        ("claimed", "Nora Lindqvist, RN", ""),
        ("handed_over", "Nora Lindqvist, RN", "Ben Okafor, RN"),
        ("answered", "Ben Okafor, RN", ""),
        ("closed", "Ben Okafor, RN", ""),
        ("reopened", "Nora Lindqvist, RN", ""),
    ]


async def test_an_answer_can_end_it_and_the_patient_opens_it_again(ward: Ward) -> None:
    rosa = ward.patient()
    nora = ward.nurse(rosa)
    sent = await rosa.sends()
    told = await nora.answers(sent, "All done.", close=True)
    case = (await nora.case(sent)).case
    assert (case.open, case.claimed_by, case.waiting_since) == (False, None, None)
    await rosa.replies(told.message_id, "One more thing")
    case = (await nora.case(sent)).case
    assert (case.open, case.claimed_by) == (True, None)
    assert case.waiting_since


async def test_what_was_closed_by_mistake_waits_again_as_it_did(ward: Ward) -> None:
    rosa = ward.patient()
    nora = ward.nurse(rosa)
    sent = await rosa.sends("My refill?")
    place = {"conversation_id": sent.conversation_id}
    [before] = (await nora.queue()).cases
    await nora.asks(Close, **place)
    assert (await nora.queue()).cases == ()
    await nora.asks(Reopen, **place)
    await nora.asks(Reopen, **place)
    assert (await nora.queue()).cases == (before,)
    told = await nora.answers(sent, close=True)
    assert (await nora.asks(Reopen, **place)).waiting_since is None
    await rosa.replies(told.message_id)
    [case] = (await nora.queue(shown=Shown.OPEN)).cases
    assert case.waiting_since
    assert case.waiting_since > before.last_at


async def test_a_message_of_our_own_waits_for_nobody(ward: Ward) -> None:
    rosa = ward.patient()
    nora = ward.nurse(rosa)
    await nora.sends("Please call us.", title="Your scan", category=Category.RX)
    assert (await nora.queue()).cases == ()
    [mine] = (await nora.queue(shown=Shown.MINE)).cases
    assert (mine.subject, mine.waiting_since, mine.claimed_name) == ("Your scan", None, nora.name)


async def test_notes_are_seen_by_staff_and_by_nobody_else(ward: Ward) -> None:
    rosa = ward.patient()
    nora = ward.nurse(rosa)
    sent = await rosa.sends()
    form = {"key": uuid4(), "conversation_id": sent.conversation_id}
    await asyncio.gather(*(nora.asks(AddNote, **form, text="Call the lab") for _ in range(5)))
    assert [note.text for note in (await nora.case(sent)).notes] == ["Call the lab"]
    assert "Call the lab" not in (await rosa.sees(sent.message_id)).model_dump_json()
    long = {"key": uuid4(), "conversation_id": sent.conversation_id}
    await nora.asks(AddNote, **long, text="n" * NOTE_LIMIT)
    for text, refusal in (
        ("", Refusal.NOTE_MISSING),
        ("n" * (NOTE_LIMIT + 1), Refusal.NOTE_TOO_LONG),
    ):
        assert await nora.is_refused(AddNote, **long | {"key": uuid4()}, text=text) == refusal
    async with ward.rows() as rows:
        kept = await rows.fetch("SELECT t::text AS said FROM answered t")
        assert "Call the lab" not in "".join(row["said"] for row in kept)


async def test_the_practice_decides_where_messages_go_and_by_when(ward: Ward) -> None:
    rosa = ward.patient()
    boss = ward.nurse(rosa, role=Role.ADMINISTRATOR)
    nora = ward.nurse(rosa)
    first = await nora.asks(ShowSettings)
    assert first.teams == ("Care team",)
    assert {route.answer_within_hours for route in first.routing} == {24}
    routing = (
        Routing(category=Category.RX, team="Pharmacy", answer_within_hours=4),
        Routing(category=Category.HEALTH, team="Nurses", answer_within_hours=48),
    )
    said = {"routing": routing, "teams": ("Nurses", "Pharmacy")}
    assert await nora.is_refused(SaveRouting, **said) == Refusal.NOT_ALLOWED
    await boss.asks(SaveRouting, **said)
    assert (await rosa.asks(ShowTimes)).routing == routing
    began = utcnow()
    await rosa.sends(category=Category.RX)
    [case] = (await nora.queue(team="Pharmacy")).cases
    assert case.due_at
    assert timedelta(hours=4) <= case.due_at - began < timedelta(hours=4, minutes=1)
    assert (await nora.queue(team="Nurses")).cases == ()
    assert (await nora.queue(category=Category.HEALTH)).cases == ()


@pytest.mark.parametrize(
    ("teams", "route", "refusal"),
    [
        (["A"], {"team": "B"}, Refusal.TEAM_UNKNOWN),
        (["A", " "], {}, Refusal.NAME_MISSING),
        ([f"T{n}" for n in range(21)], {"team": "T1"}, Refusal.TOO_MANY),
        (["A"], {"answer_within_hours": 0}, Refusal.HOURS_IMPOSSIBLE),
        (["A"], {"answer_within_hours": 337}, Refusal.HOURS_IMPOSSIBLE),
    ],
)
async def test_settings_that_make_no_sense_are_refused(
    ward: Ward, teams: list[str], route: dict[str, Any], refusal: Refusal
) -> None:
    boss = ward.nurse(ward.patient(), role=Role.ADMINISTRATOR)
    given = {"category": Category.RX, "team": "A", "answer_within_hours": 336} | route
    said = {"teams": tuple(teams), "routing": (Routing(**given),)}
    assert await boss.is_refused(SaveRouting, **said) == refusal
    assert (await boss.asks(ShowSettings)).teams == ("Care team",)


async def test_of_several_who_decide_at_once_one_is_the_last(ward: Ward) -> None:
    boss = ward.nurse(ward.patient(), role=Role.ADMINISTRATOR)
    said = [("Nurses", f"Pharmacy {number}") for number in range(10)]
    await asyncio.gather(*(boss.asks(SaveRouting, routing=(), teams=teams) for teams in said))
    assert (await boss.asks(ShowSettings)).teams in said


async def test_prepared_answers_are_the_practices_own(ward: Ward) -> None:
    rosa = ward.patient()
    boss, nora = ward.nurse(rosa, role=Role.ADMINISTRATOR), ward.nurse(rosa)
    template = {"template_id": uuid4(), "name": "Refill", "text": "It is at your pharmacy."}
    assert await nora.is_refused(SaveTemplate, **template) == Refusal.NOT_ALLOWED
    await boss.asks(SaveTemplate, **template)
    await boss.asks(SaveTemplate, **template | {"text": "It is ready."})
    [kept] = (await nora.asks(ShowSettings)).templates
    assert (kept.name, kept.text) == ("Refill", "It is ready.")
    elsewhere = ward.another().nurse(rosa, role=Role.ADMINISTRATOR)
    assert (await elsewhere.asks(ShowSettings)).templates == ()
    await elsewhere.asks(RemoveTemplate, template_id=template["template_id"])
    assert (await nora.asks(ShowSettings)).templates
    await boss.asks(RemoveTemplate, template_id=template["template_id"])
    assert (await nora.asks(ShowSettings)).templates == ()


async def test_another_practice_and_a_patient_see_no_queue(ward: Ward) -> None:
    rosa = ward.patient()
    sent = await rosa.sends("Only for us")
    elsewhere = ward.another().nurse(rosa)
    assert (await elsewhere.queue(shown=Shown.OPEN)).cases == ()
    place = {"conversation_id": sent.conversation_id}
    for request in (ShowCase, Claim, Release, HandOver, Close, Reopen):
        assert await elsewhere.is_refused(request, **place) == Refusal.UNKNOWN_MESSAGE
        assert await rosa.is_refused(request, **place) == Refusal.NOT_ALLOWED
    assert await rosa.is_refused(CountWaiting) == Refusal.NOT_ALLOWED
    assert await rosa.is_refused(ShowSettings) == Refusal.NOT_ALLOWED
