"""Whoever sends a form while a part is away gets it back, and sends it again once the part is there."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from urllib.parse import urlencode

import pytest

from gateway.again import CARRIED, SECRET
from gateway.carrying import MESSAGE, PRESSED, TAKEN_ON
from gateway.protection import FOR_SOFTWARE, fresh_key
from tests.policy.addressing import form
from tests.policy.asking import Answer, Asker, Question
from tests.policy.place import Place
from tests.policy.rows import quiet
from tests.policy.test_forms import each
from tests.policy.world import World

PARTS = ("identity", "delegation", "records", "messaging")
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
FORM = re.compile(r'<form class="form" method="post" action="([^"]*)".*?</form>', re.DOTALL)
ANEW = {"records.upload", "records.answered", "records.content", "records.content_chunk",
        "messaging.step", "identity.practice_key"}  # fmt: skip
"""A file that is chosen again is uploaded again, and what it is for is there once all the same. Who
claims or hands over twice is written down twice, of the same conversation. An import key is told
once, so whoever did not see it gets another."""
UNSEEN = {"/shared/{token}/note"}
"""Asks only with a record that is unlocked, of which nobody here has the password."""
NASTY = "<script>alert('typed')</script> & \"so on\""


@contextmanager
def away(place: Place, part: str) -> Iterator[None]:
    """The part runs, and answers nothing, for as long as this is open."""
    pid = int((place.servers.folder / "run" / f"{part}.pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def forms(world: World) -> list[Question]:
    """Every form that a person sends, each with a key and a value that has to be escaped.

    All but the one that logs out: whoever sends the others would be at the door afterwards.
    """
    ids = world.records["rosa"].ids | {"address": world.records["rosa"].email}
    more = {"typed_here": NASTY, "key": str(fresh_key()), "email": "somebody@example.com"}
    return [
        replace(one, fields=more | form(one.page, ids, harmless=True))
        for one in each(world, "POST")
        if not one.page.path.startswith((*FOR_SOFTWARE, "/logout"))
    ]


def kept(answer: Answer) -> dict[str, str]:
    """What the page carries to be sent again."""
    shown = FORM.search(answer.text)
    return {name: unescape(value) for name, value in HIDDEN.findall(shown[0])} if shown else {}


def lacking(question: Question, answer: Answer) -> str:
    """What is wrong with a page that says that a part was away; "" where nothing is."""
    if set(question.fields) & {"enrolment", "passkey"}:  # nobody could send that again
        return "" if "begin once more" in answer.text else "no way on"
    wanted = {name: value for name, value in question.fields.items() if name not in SECRET}
    carried = kept(answer)
    shown = FORM.search(answer.text)
    if shown is None or unescape(shown[1]) != question.address:
        return "no form, or for another address"
    if any(carried.get(name) != value for name, value in wanted.items()):
        return f"lost {[name for name in wanted if carried.get(name) != wanted[name]]}"
    if NASTY in answer.text or set(carried) & SECRET:
        return "carries what it must not"
    asked = [
        name for name in question.fields if name in SECRET and f'name="{name}"' not in shown[0]
    ]
    if asked or answer.headers["Cache-Control"] != "no-store":
        return f"does not ask for {asked}, or is stored"
    return ""


async def test_each_form_comes_back_with_what_was_typed_and_can_be_sent_again(
    place: Place, world: World
) -> None:
    never = {one.page.path for one in forms(world)} - UNSEEN
    wrong: list[str] = []
    async with place.admin() as admin, Asker(place.url) as asker:
        for part in PARTS:
            with away(place, part):
                answered = await asker.ask_all(forms(world))
            sent = [pair for pair in answered if pair[1].status == 503]
            repeated = [
                replace(one, fields={**one.fields, **without_proof(kept(page))})
                for one, page in sent
            ]
            again = await asker.ask_all(repeated)
            once = await quiet(admin)
            for one in repeated:
                await asker.ask(one)
                now = await quiet(admin)
                if more := grown(once, now):
                    wrong.append(f"{one}: twice in {more}")
                once = now
            print(f"{part} away: {len(sent)} of {len(answered)} forms came back")
            never -= {question.page.path for question, _ in sent}
            wrong += [f"{pair[0]}: {why}" for pair in sent if (why := lacking(*pair))]
            wrong += [f"{one}: {page.status}" for one, page in answered if page.status == 500]
            wrong += [f"{one}: {page.status} again" for one, page in again if bad(page)]
    assert not wrong, "\n".join(wrong)
    assert not never


def grown(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> list[str]:
    """The tables that have more rows than before, although nothing new was asked for."""
    return [name for name in after.keys() - ANEW if after[name][0] != before[name][0]]


def bad(page: Answer) -> bool:
    """Not what somebody gets who has waited and sends the form again."""
    return page.at_the_door or page.status in (403, 500, 503)


def without_proof(fields: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name != "csrf"}


@pytest.mark.filterwarnings("ignore:Sending a large body")
async def test_a_form_that_is_too_large_to_be_carried_says_so(place: Place, world: World) -> None:
    """And one that just fits is carried; neither is, without its page's proof."""
    question = next(one for one in each(world, "POST") if one.page.path == "/staff/patients/new")
    room = CARRIED - len(urlencode({**question.fields, "given_too": ""}))
    just, over = (
        replace(question, fields={**question.fields, "given_too": "a" * size})
        for size in (room, room + 1)
    )
    async with Asker(place.url) as asker:
        with away(place, "records"):
            answers = await asker.ask_all([just, over, replace(just, proven=False)])
    fits, too_long, forged = (answer for _, answer in answers)
    assert kept(fits)["given_too"] == "a" * room
    assert "too long to be kept" in too_long.text
    assert (too_long.status, forged.status) == (503, 403)
    assert "given_too" not in too_long.text + forged.text


async def test_what_is_sent_again_has_effect_once(place: Place, world: World) -> None:
    """The first try waits in NATS and may be done after all; the second is the same form."""
    question = next(one for one in each(world, "POST") if one.page.path == "/staff/patients/new")
    typed = {
        **question.fields,
        "family": "Sent Again",
        "key": "0192a000-0000-7000-8000-0000000000ab",
    }
    question = replace(question, fields=typed)
    async with place.admin() as admin, Asker(place.url) as asker:
        with away(place, "records"):
            first = await asker.ask(question)
        assert first.status == 503
        for _ in range(2):
            done = await asker.ask(replace(question, fields=without_proof(kept(first))))
            assert done.status == 303, done.text
        count = await admin.fetchval(
            "SELECT count(*) FROM records.patient WHERE family = 'Sent Again'"
        )
    assert count == 1


async def test_a_form_whose_session_has_ended_waits_in_the_log_in(
    place: Place, world: World
) -> None:
    """Every value that was typed, but for passwords and codes; and nothing of it is done."""
    sent = [
        replace(one, actor=world.actors["ended session"])
        for one in forms(world)
        if TAKEN_ON.fullmatch(one.address)
    ]
    async with Asker(place.url) as asker:
        answered = await asker.ask_all(sent)
    lost = [str(one) for one, page in answered if lost_at_the_door(one, page)]
    assert len(sent) > 50
    assert not lost


def lost_at_the_door(question: Question, page: Answer) -> bool:
    carried = {name: unescape(value) for name, value in HIDDEN.findall(page.text)}
    message = MESSAGE.fullmatch(question.address)
    wanted = question.fields.keys() - SECRET - (PRESSED if message else set())
    kept_there = all(carried.get(f"kept_{name}") == question.fields[name] for name in wanted)
    secret = {f"kept_{name}" for name in SECRET} & carried.keys()
    arrives = carried.get("kept_for") == question.address
    return not (page.status == 401 and kept_there and arrives) or bool(secret) or NASTY in page.text
