"""What every answer carries, as a browser receives it."""

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway import protection, session
from gateway.config import Config
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


async def test_nothing_is_kept_framed_guessed_or_run_from_elsewhere() -> None:
    """Word for word: whoever weakens one of these has to say so here."""
    async with TestClient(TestServer(application())) as client:
        headers = (await client.get("/form")).headers

    wanted = {
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    assert {name: headers.get(name) for name in wanted} == wanted
    policy = headers.get("Content-Security-Policy", "")
    for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy


def test_a_session_is_for_this_host_only_and_for_no_script() -> None:
    response = web.Response()
    session.begin(response, "token")
    cookie = response.cookies[session.COOKIE]

    assert session.COOKIE.startswith("__Host-")
    assert cookie["secure"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]
    assert not cookie.get("max-age")


def test_what_the_others_know_a_session_by_opens_none() -> None:
    known = session.hash_of("token")
    assert len(known) == 32
    assert b"token" not in known


async def test_a_form_without_its_proof_goes_no_further() -> None:
    done = []

    async def do(request: web.Request) -> web.Response:
        done.append(dict(await request.post()))
        return web.Response()

    app = application()
    app.middlewares.append(protection.only_our_forms)
    app[protection.CONFIG] = Config(nats_url="", public_url="https://portal.example.com")
    app.router.add_post("/form", do)
    async with TestClient(TestServer(app)) as client:
        cookie = {"Cookie": f"{session.COOKIE}=rosa"}
        proof = await (await client.get("/form", headers=cookie)).text()
        for form in ({}, {"csrf": ""}, {"csrf": "x"}):
            await client.post("/form", data=form, headers=cookie)
        elsewhere = cookie | {"Sec-Fetch-Site": "cross-site"}
        await client.post("/form", data={"csrf": proof}, headers=elsewhere)
        assert done == []
        await client.post("/form", data={"csrf": proof}, headers=cookie)
    assert done == [{"csrf": proof}]
