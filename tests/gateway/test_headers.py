"""What every answer carries, as a browser receives it."""

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway import protection
from gateway.protection import HEADERS, VISIT_COOKIE


async def form(request: web.Request) -> web.Response:
    return web.Response(text=protection.proof(request))


async def plain(_: web.Request) -> web.Response:
    return web.Response(headers={"Content-Security-Policy": "sandbox"})


def application() -> web.Application:
    app = web.Application(middlewares=[protection.identified])
    app.on_response_prepare.append(protection.put_headers)
    app.router.add_get("/form", form)
    app.router.add_get("/plain", plain)
    return app


async def test_a_page_with_a_form_gives_the_browser_the_cookie_that_it_is_bound_to() -> None:
    async with TestClient(TestServer(application())) as client:
        answer = await client.get("/form")
        cookie = answer.cookies[VISIT_COOKIE]
        headers = {"Cookie": f"{VISIT_COOKIE}={cookie.value}"}
        again = await client.get("/form", headers=headers)

        assert cookie["secure"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == "/"
        assert await again.text() == await answer.text()
        assert VISIT_COOKIE not in again.cookies


async def test_every_answer_has_the_headers_and_a_number() -> None:
    async with TestClient(TestServer(application())) as client:
        found, missing = await client.get("/plain"), await client.get("/nothing")

    assert set(HEADERS) <= set(found.headers)
    assert found.headers["Content-Security-Policy"] == "sandbox"
    assert len(found.headers["Request-Id"]) == 32
    assert set(HEADERS) <= set(missing.headers)
    assert VISIT_COOKIE not in found.cookies
