"""Every form needs its proof, and every answer has its headers, whoever asks for what."""

from dataclasses import replace

from gateway.protection import FOR_SOFTWARE
from tests.policy.addressing import address, form
from tests.policy.asking import Asker, Question
from tests.policy.place import Place
from tests.policy.policy import POLICY, Page
from tests.policy.rows import quiet
from tests.policy.test_pages import changed, none, said
from tests.policy.world import World

FORGED = (
    {"proven": False},
    {"proven": False, "headers": {"Origin": "null"}},
    {"headers": {"Origin": "https://elsewhere.example"}},
    {"headers": {"Sec-Fetch-Site": "cross-site"}},
    {"headers": {"Sec-Fetch-Site": "same-site"}},
)
"""A form without its proof, and with it from elsewhere."""
BROKEN = {"Content-Type": "multipart/form-data; boundary=none"}
"""A form in name only."""


def whoever_may(world: World, page: Page) -> str:
    """Somebody who would get it done, so that it is the proof that is missed."""
    cells = POLICY.pages[page]
    first = (name for name, actor in world.actors.items() if cells[actor.seen_as["rosa"]] in "Yo")
    return next(first)


def each(world: World, method: str) -> list[Question]:
    ids = world.records["rosa"].ids | {"address": world.records["rosa"].email}
    return [
        Question(
            actor=world.actors[whoever_may(world, page)],
            page=page,
            address=address(page, ids),
            fields=form(page, ids),
            owner="rosa",
        )
        for page, row in POLICY.pages.items()
        if page.method == method and "b" not in row.values()
    ]


async def test_a_form_without_its_proof_or_from_elsewhere_does_nothing(
    place: Place, world: World
) -> None:
    async with place.admin() as admin, Asker(place.url) as asker:
        before = await quiet(admin)
        forms = [one for one in each(world, "POST") if not one.page.path.startswith(FOR_SOFTWARE)]
        forged = [replace(one, **how) for one in forms for how in FORGED]
        answered = await asker.ask_all(forged)
        after = await quiet(admin)
    print(f"forged: {asker.asked} forms")
    taken = [said(*pair) for pair in answered if pair[1].status != 403]
    none(taken, changed(before, after))


async def test_a_form_in_name_only_is_answered_as_one_that_nobody_could_read(
    place: Place, world: World
) -> None:
    async with Asker(place.url) as asker:
        forms = [one for one in each(world, "POST") if not one.page.path.startswith(FOR_SOFTWARE)]
        answered = await asker.ask_all([replace(one, headers=BROKEN) for one in forms])
    none([said(*pair) for pair in answered if pair[1].status not in (400, 403)])


async def test_every_answer_carries_the_headers(place: Place, world: World) -> None:
    nowhere = Question(
        actor=world.actors["rosa"],
        page=Page(method="GET", path="/nowhere"),
        address="/nowhere",
        fields={},
    )
    async with Asker(place.url) as asker:
        answered = await asker.ask_all([nowhere, *each(world, "GET")])
    for question, answer in answered:
        headers, policy = answer.headers, answer.headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff", question
        assert headers["Referrer-Policy"] == "no-referrer", question
        assert "default-src 'none'" in policy, question
        assert "script-src 'unsafe-inline'" not in policy, question
        assert "max-age=31536000" in headers["Strict-Transport-Security"], question
        assert headers["Request-Id"], question
        if not question.page.path.startswith("/static/"):
            assert headers["Cache-Control"] == "no-store", question
