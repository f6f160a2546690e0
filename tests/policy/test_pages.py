"""Every page, asked for by everybody, about everybody: the policy holds, and nothing leaks."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from urllib.parse import urlencode

from tests.policy.addressing import address, form, is_about_somebody, mixtures, nothing
from tests.policy.asking import Answer, Asker, Question
from tests.policy.place import Place
from tests.policy.policy import POLICY, IdElsewhere, Page
from tests.policy.rows import quiet
from tests.policy.world import Actor, Record, World, expected

REFUSED = set(".dknrc")
NO_ROLE = "Your role does not include this."


def questions(world: World, *, refused: bool) -> Iterator[Question]:
    """Each page once for every actor, and where it has ids once more for every record."""
    for page, row in POLICY.pages.items():
        records = [*world.records.values()]
        if not is_about_somebody(page):
            records = records[:1]
        for actor in world.actors.values():
            for record in records:
                cell = expected(row, actor, record.owner)
                if (cell in REFUSED) is refused:
                    yield asked(page, actor, record, cell, harmless=not refused)


def asked(page: Page, actor: Actor, record: Record, cell: str, *, harmless: bool) -> Question:
    ids = record.ids | {"address": record.email} | (record.spare if harmless else {})
    return Question(
        actor=actor,
        page=page,
        address=address(page, ids),
        fields=form(page, ids, harmless=harmless),
        cell=cell,
        owner=record.owner,
    )


ENDED = "event: over"
"""What a stream says that is open to somebody else."""


def keeps(question: Question, answer: Answer) -> bool:
    """Whether this is what the cell says."""
    seen = {200, 303} if question.page.method == "GET" else {200, 202, 303, 400, 409}
    said = {
        "Y": answer.status in seen and not answer.at_the_door and ENDED not in answer.text,
        ".": answer.status == 404,
        "d": answer.at_the_door,
        "k": answer.status == 401,
        "c": answer.status == 303 and not answer.at_the_door,
        "r": answer.status == 400 and NO_ROLE in answer.text,
    }
    return said.get(question.cell, answer.status < 500)


async def test_what_is_refused_tells_nothing_and_changes_nothing(
    place: Place, world: World
) -> None:
    """And looks, to the letter, like what is not there."""
    async with place.admin() as admin, Asker(place.url) as asker:
        before = await quiet(admin)
        answered = await asker.ask_all(questions(world, refused=True))
        absent = await absent_ones(asker, world, answered)
        broken = [said(*pair) for pair in answered if not keeps(*pair)]
        leaks = leaking(world, answered)
        tellings = [
            said(question, answer)
            for question, answer in answered
            if question.cell in ".n"
            and (nothing_there := absent.get(beside(question))) is not None
            and answer.likeness != nothing_there.likeness
        ]
        await nobody_changed(asker, world)
        after = await quiet(admin)
    print(f"refused: {asker.asked} requests, {len(leaks)} leaks")
    none(broken, leaks, tellings, changed(before, after))


async def test_ids_of_several_records_in_one_address_lead_nowhere(
    place: Place, world: World
) -> None:
    """Whoever may see one of the records gets to see nothing of the other by it."""
    async with place.admin() as admin, Asker(place.url) as asker:
        before = await quiet(admin)
        mixed = [
            Question(
                actor=actor,
                page=page,
                address=address(page, ids),
                fields=form(page, ids | {"address": "nobody@example.com"}),
                cell="n",
            )
            for page in POLICY.pages
            for actor in world.actors.values()
            for several in combinations(world.records.values(), 2)
            if {actor.seen_as[record.owner] for record in several} - NOBODY
            for ids in mixtures(page, *several)
        ]
        answered = await asker.ask_all(mixed)
        broken = [said(*pair) for pair in answered if not leads_nowhere(*pair)]
        leaks = leaking(world, answered)
        after = await quiet(admin)
    print(f"mixed: {asker.asked} requests, {len(leaks)} leaks")
    none(broken, leaks, changed(before, after))


async def test_an_id_in_a_form_or_a_query_is_no_way_to_anothers_record(
    place: Place, world: World
) -> None:
    """It is answered like one of what is not there; in a query it only says where a list begins."""
    async with Asker(place.url) as asker:
        foreign, absent = [], []
        for one in POLICY.ids:
            row = POLICY.pages[one.page]
            for actor in world.actors.values():
                cells = {name: expected(row, actor, name) for name in world.records}
                own = [world.records[name] for name, cell in cells.items() if cell == "Y"]
                for name in [name for name, cell in cells.items() if cell != "Y"] if own else []:
                    ids = world.records[name].ids
                    foreign.append(with_id(one, actor, own[0], ids))
                    absent.append(with_id(one, actor, own[0], nothing()))
        answered = await asker.ask_all(foreign)
        for_nothing = await asker.ask_all(absent)
        leaks = leaking(world, answered)
        tellings = [
            said(question, answer)
            for (question, answer), (_, nothing_there) in zip(answered, for_nothing, strict=True)
            if answer.status >= 500
            or ("=" not in question.address and answer.status != nothing_there.status)
        ]
    print(f"ids in forms and queries: {asker.asked} requests, {len(leaks)} leaks")
    none(leaks, tellings)


async def test_what_is_allowed_is_done(place: Place, world: World) -> None:
    """And shows no more of anybody than the policy says."""
    async with Asker(place.url) as asker:
        allowed = list(questions(world, refused=False))
        looks = [one for one in allowed if one.page.method == "GET"]
        acts = [one for one in allowed if one.page.method == "POST" and not ends_all(one)]
        answered = await asker.ask_all(looks) + await asker.ask_all(acts)
        broken = [said(*pair) for pair in answered if not keeps(*pair)]
        leaks = leaking(world, [pair for pair in answered if pair[0].cell != "b"])
    print(f"allowed: {asker.asked} requests, {len(leaks)} leaks")
    none(broken, leaks)


def leads_nowhere(question: Question, answer: Answer) -> bool:
    """There is no such page, or nothing came of it, or the role does not include it."""
    no_role = answer.status == 400 and NO_ROLE in answer.text
    did_nothing = question.page.path in DONE_ALREADY and answer.status == 303
    return no_role or did_nothing or answer.status in (401, 404)


DONE_ALREADY = {
    "/p/{patient}/messages/drafts/{id}/delete",
    "/p/{patient}/users/{id}/resend",
    "/p/{patient}/users/{id}/cancel",
    "/p/{patient}/users/{id}/revoke",
    "/p/{patient}/users/{id}/change",
    "/staff/patients/{patient}/users/{id}/end",
}
"""Pages that lead back with a word, whether or not there was anything to do."""
NOBODY = {"an", "ed", "nc", "pd", "rv", "dx", "mk", "mf", "op"}


def ends_all(question: Question) -> bool:
    """Logging out ends what the others still need."""
    return question.page.path == "/logout"


def with_id(one: IdElsewhere, actor: Actor, record: Record, ids: Mapping[str, str]) -> Question:
    """The page of one's own record, and an id of another's beside it."""
    given = {one.field: ids[one.kind]}
    if one.kind == "account":
        given = {one.field: f"account:{ids[one.kind]}"}
    own = address(one.page, record.ids)
    fields = form(one.page, record.ids | {"address": record.email}, harmless=True)
    if one.place == "query":
        own += f"?{urlencode(given)}"
    return Question(
        actor=actor,
        page=one.page,
        address=own,
        fields=fields | (given if one.place == "form" else {}),
        owner=record.owner,
    )


def beside(question: Question) -> tuple[str, Page, str]:
    """What an answer is compared with: the same actor's, at the same page, for nothing."""
    kept = question.owner if question.cell == "n" else ""
    return question.actor.name, question.page, kept


async def absent_ones(
    asker: Asker, world: World, answered: list[tuple[Question, Answer]]
) -> dict[tuple[str, Page, str], Answer]:
    """How it looks where there is nothing; for what ends in nothing, in the same record."""
    nowhere = nothing() | {"address": "nobody@example.com"}
    asked_for: dict[tuple[str, Page, str], Question] = {}
    for question, _ in answered:
        if question.cell in ".n" and is_about_somebody(question.page):
            owner = beside(question)[2]
            ids = nowhere | ({"patient": world.records[owner].ids["patient"]} if owner else {})
            asked_for[beside(question)] = Question(
                actor=question.actor,
                page=question.page,
                address=address(question.page, ids),
                fields=form(question.page, ids),
            )
    answers = await asker.ask_all(asked_for.values())
    return {key: answer for key, (_, answer) in zip(asked_for, answers, strict=True)}


async def nobody_changed(asker: Asker, world: World) -> None:
    """Everybody who was somebody still is, and lands where they landed before."""
    home = Page(method="GET", path="/session")
    for actor in world.actors.values():
        answer = await asker.ask(Question(actor=actor, page=home, address="/session", fields={}))
        cell = POLICY.pages[home][actor.kind]
        assert answer.status == (200 if cell == "Y" else 401), actor.name


def leaking(world: World, answered: list[tuple[Question, Answer]]) -> list[str]:
    return [
        f"{said(question, answer)}: {told}"
        for question, answer in answered
        if (told := world.leaks(question.actor, answer.everything))
    ]


def said(question: Question, answer: Answer) -> str:
    return f"{question}: {answer.status} {answer.place}"


def changed(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> list[str]:
    return [f"{name} has changed" for name in after if after[name] != before.get(name)]


def none(*lists: list[str]) -> None:
    """Nothing in any of them, or each thing on a line."""
    for found in lists:
        assert found == [], "\n".join(found)
