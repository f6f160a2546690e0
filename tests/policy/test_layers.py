"""Each layer holds alone: the services without the gateway's checks, the walls without theirs."""

from pathlib import Path

import pytest

from tests.policy import layers, open_services, papers, wire
from tests.policy.asking import Answer, Asker, Question
from tests.policy.making import ROLES
from tests.policy.place import Place
from tests.policy.policy import POLICY
from tests.policy.rows import quiet, sums
from tests.policy.test_pages import changed, leaking, none, questions, said
from tests.policy.test_requests import NO_ADDRESS, answers
from tests.policy.wire import Asked
from tests.policy.world import Actor, Record, World

NOBODYS = {
    "/staff", "/staff/patients/new", "/staff/patients/import",
    "/p/{patient}/resources",
}  # fmt: skip
"""Pages that say nothing of any patient, so that they ask no service whether they may."""


async def test_without_the_gateways_checks_the_services_refuse(
    place: Place, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everyone who is logged in is let through to everything, with the visa that they have.

    On the pages of the other side, staff and patients then get what is theirs on their own side.
    """
    layers.unchecked(monkeypatch, world.records["rosa"].practice_id)
    refused = [one for one in questions(world, refused=True) if one.actor.token]
    async with place.admin() as admin, layers.at_the_gateway(place) as url, Asker(url) as asker:
        before = await quiet(admin)
        answered = await asker.ask_all(one for one in refused if not is_of_the_other_side(one))
        after = await quiet(admin)
        others = await asker.ask_all(
            one for one in refused if is_of_the_other_side(one) and one.page.method == "GET"
        )
    leaks = leaking(world, answered + others)
    let_in = [said(*pair) for pair in answered if is_let_in(*pair)]
    print(f"without the gateway's checks: {asker.asked} requests, {len(leaks)} leaks")
    none(leaks, let_in, changed(before, after))


def is_of_the_other_side(question: Question) -> bool:
    """A page for staff about a record that is open to this patient, or one for patients to staff."""
    if question.actor.name in ROLES:
        return question.page.path.startswith("/p/")
    is_for_staff = question.page.path.startswith("/staff/patients/{patient}")
    return is_for_staff and question.actor.seen_as[question.owner] in POLICY.sees


def is_let_in(question: Question, answer: Answer) -> bool:
    """A page was shown that asks somebody. What a form did is to be seen in the tables."""
    is_shown = question.page.method == "GET" and answer.status == 200
    says_nothing = "event: over" in answer.text or question.page.path in NOBODYS
    return question.cell in ".r" and is_shown and not says_nothing


async def test_without_the_services_checks_no_practice_sees_anothers(
    place: Place, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every request about every record of the other practice, believed whatever it shows."""
    leaks, replies, count, changes = [], 0, 0, []
    async with (
        place.admin() as admin,
        open_services.running(place, tmp_path, monkeypatch) as opened,
        papers.opened(opened, world, gates_open=True) as office,
    ):
        for actor in world.actors.values():
            own = [one for one in world.records.values() if actor.seen_as[one.owner] in POLICY.sees]
            elsewhere = [
                one
                for one in world.records.values()
                if one.practice_id not in {record.practice_id for record in own}
            ]
            if not own:
                continue
            before = await sums(admin, practice_id=elsewhere[0].practice_id)
            answered = await answers(office, actor, across(actor, own[0], elsewhere))
            after = await sums(admin, practice_id=elsewhere[0].practice_id)
            changes += changed(before, after)
            count += len(answered)
            replies += sum(came.reply is not None for _, came in answered)
            theirs = {record.owner for record in elsewhere}
            leaks += [
                f"{one}: {told}"
                for one, came in answered
                if (told := {of for of in world.leaks(actor, came.text) if of[0] in theirs})
            ]
    print(f"without the services' checks: {count} requests, {replies} replies, {len(leaks)} leaks")
    assert replies > count / 20, "most of them have to get past the gate"
    none(leaks, changes)


def across(actor: Actor, own: Record, elsewhere: list[Record]) -> list[Asked]:
    """Everything that has an id in it, with the ids of the other practice, and of both."""
    return [
        Asked(actor=actor, subject=subject, owner=other.owner, cell="n", ids=NO_ADDRESS | ids)
        for subject in wire.subjects()
        if wire.id_fields(subject)
        for other in elsewhere
        for ids in (other.ids, *wire.mixtures(subject, own, other))
    ]


async def test_without_the_services_checks_the_gateway_lets_no_stranger_in(
    place: Place, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        open_services.running(place, tmp_path, monkeypatch) as opened,
        layers.at_the_gateway(opened) as url,
        Asker(url) as asker,
    ):
        refused = [one for one in questions(world, refused=True) if one.page.method == "GET"]
        answered = await asker.ask_all(refused)
    leaks = leaking(world, answered)
    print(f"services' checks off, gateway's on: {asker.asked} requests, {len(leaks)} leaks")
    none(leaks)
