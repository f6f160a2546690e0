"""What the gateway counts of pages: by route, never by address."""

import asyncio

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway import failures, protection, watch
from gateway.config import Config
from tests.watch.figures import counters

PERSON = "0192a000-0000-7000-8000-00000000aaaa"


def application() -> web.Application:
    """Pages that end in each way that a page can end."""
    app = web.Application(middlewares=[protection.identified, watch.counted, failures.explained])
    app[protection.CONFIG] = Config(nats_url="", public_url="https://portal.example.com")
    app.on_response_prepare.append(protection.put_headers)

    async def page(request: web.Request) -> web.StreamResponse:
        match request.match_info["what"]:
            case "away":
                raise web.HTTPSeeOther("/api/p/x/fine")
            case "broken":
                raise RuntimeError
            case "stream":
                response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
                await response.prepare(request)
                return response
            case "leaves":
                raise ConnectionResetError
            case _:
                pass
        await asyncio.sleep(0.03)
        return web.Response(text="fine")

    app.router.add_route("*", "/api/p/{patient}/{what}", page)
    return app


async def test_a_page_is_counted_by_its_route_its_method_and_how_it_ended() -> None:
    route = "/api/p/{patient}/{what}"
    async with counters() as scraper, TestClient(TestServer(application())) as client:
        before = await scraper.read()

        async def asked(what: str, method: str = "GET") -> int:
            answer = await client.request(method, f"/api/p/{PERSON}/{what}", allow_redirects=False)
            return answer.status

        assert [await asked(what) for what in ("fine", "away", "broken", "stream")] == [
            *(200, 303, 500, 200)
        ]
        assert await asked("fine", "POST") == 200
        assert await asked("fine", "PROPFIND") == 200
        await asked("leaves")
        assert (await client.get(f"/api/elsewhere/{PERSON}")).status == 404
        after = await scraper.read()

    def more(name: str, **labels: str) -> float:
        return after.value(name, **labels) - before.value(name, **labels)

    total = "carespace_http_requests_total"
    assert more(total, route=route, method="GET", status="2xx") == 2
    assert more(total, route=route, method="GET", status="3xx") == 1
    assert more(total, route=route, method="GET", status="5xx") == 1
    assert more(total, route=route, method="GET", status="gone") == 1
    assert more(total, route=route, method="POST", status="2xx") == 1
    assert more(total, route=route, method="other", status="2xx") == 1
    assert more(total, route=watch.NO_ROUTE, method="GET", status="4xx") == 1
    assert after.values(total, route=route, method="POST", status="5xx") == [0]
    seconds = "carespace_http_request_duration_seconds"
    assert more(f"{seconds}_count", route=route, method="GET") == 4
    assert more(f"{seconds}_sum", route=route, method="POST") >= 0.03
    assert after.value("carespace_http_requests_under_way") == 0
    assert PERSON not in after.text
