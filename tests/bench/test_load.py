"""The load that the benchmarks put on a portal."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bench import load


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A door that lets the right ones in, and a page."""

    async def page(request: web.Request) -> web.Response:
        return web.Response(text="x" * 1000, headers={"Told": request.headers.get("Cookie", "")})

    async def door(request: web.Request) -> web.Response:
        if (await request.post()).get("password") != "right":
            return web.Response(status=503)
        response = web.Response(status=303)
        response.set_cookie("session", "abc", path="/")
        return response

    app = web.Application()
    app.add_routes([web.get("/page", page), web.post("/door", door)])
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/")


async def test_each_answer_in_time_counts(url: str) -> None:
    seen = await load.flat_out([load.page(f"{url}/page")] * 2, seconds=0.2)

    assert len(seen.took) > 2
    assert seen.seconds >= 0.2
    assert all(0 < took < seen.seconds for took in seen.took)


async def test_a_steady_load_asks_as_often_as_it_is_to(url: str) -> None:
    seen = await load.steadily([load.page(f"{url}/page")], each=50, seconds=0.4)

    assert len(seen.took) == 20


async def test_a_log_in_gives_its_cookie(url: str) -> None:
    assert await load.cookie(load.form(f"{url}/door", "", {"password": "right"}), "session") == (
        "abc"
    )


async def test_another_answer_than_the_one_asked_for_is_no_measurement(url: str) -> None:
    wrong = load.form(f"{url}/door", "", {"password": "wrong"})
    with pytest.raises(load.Failing):
        await load.flat_out([wrong], seconds=0.1)
    with pytest.raises(load.Failing):
        await load.cookie(wrong, "session")


async def test_who_is_turned_away_counts_for_nothing_where_that_may_be(url: str) -> None:
    right, wrong = (load.form(f"{url}/door", "", {"password": said}) for said in ("right", "no"))

    both = await load.flat_out([right, wrong], seconds=0.2, turned_away=True)
    assert both.took
    with pytest.raises(load.Failing):
        await load.flat_out([wrong], seconds=0.1, turned_away=True)
