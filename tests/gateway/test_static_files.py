"""Files under hashed names, for a year, packed where the browser takes it."""

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway import static_files

Client = TestClient[web.Request, web.Application]
PAGE = "<p>Long enough to be worth packing.</p>" * 40


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def short(_: web.Request) -> web.Response:
        return web.Response(text="short", content_type="text/html")

    async def picture(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * 5000, content_type="image/png")

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x" * 5000)
        return response

    app = web.Application(middlewares=[static_files.compressed])
    app.add_routes(static_files.routes)
    for path, handler in (("/page", page), ("/short", short), ("/picture", picture)):
        app.router.add_get(path, handler)
    app.router.add_get("/stream", stream)
    async with TestClient(TestServer(app), auto_decompress=False) as opened:
        yield opened


@pytest.mark.parametrize("name", ["carespace.css", "carespace.js", "mark.svg"])
async def test_a_file_is_kept_for_a_year_under_a_name_of_its_content(
    client: Client, name: str
) -> None:
    address = static_files.static(name)
    answer = await client.get(address, headers={"Accept-Encoding": "gzip, br"})

    assert re.fullmatch(rf"/static/{Path(name).stem}\.[0-9a-f]{{10}}{Path(name).suffix}", address)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(await answer.read()) == static_files.published()[address[8:]].body


@pytest.mark.parametrize("accepts", ["", "identity", "gzip;q=0", "br, gzip; q=0.0"])
async def test_who_does_not_unpack_gets_it_as_it_is(client: Client, accepts: str) -> None:
    answer = await client.get("/page", headers={"Accept-Encoding": accepts})

    assert "Content-Encoding" not in answer.headers
    assert await answer.text() == PAGE


async def test_a_page_goes_packed(client: Client) -> None:
    answer = await client.get("/page", headers={"Accept-Encoding": "gzip;q=0.5"})

    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(await answer.read()).decode() == PAGE


@pytest.mark.parametrize("path", ["/short", "/picture", "/stream"])
async def test_what_gains_nothing_is_not_packed(client: Client, path: str) -> None:
    answer = await client.get(path, headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    "path",
    ["/static/carespace.css", "/static/../config.py", "/static/%2e%2e/config.py", "/static/"],
)
async def test_under_any_other_name_there_is_nothing(client: Client, path: str) -> None:
    assert (await client.get(path)).status == 404


def test_the_stylesheet_names_the_fonts_that_are_there() -> None:
    css = static_files.published()[static_files.static("carespace.css")[8:]].body.decode()
    named = re.findall(r'url\("([^"]+)"\)', css)

    assert all(address.removeprefix("/static/") in static_files.published() for address in named)
    assert css.count("@font-face") == len(named)


def test_without_fonts_the_stylesheet_names_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "carespace.css").write_bytes((static_files.FOLDER / "carespace.css").read_bytes())
    monkeypatch.setattr(static_files, "FOLDER", tmp_path)

    css = next(iter(static_files.published.__wrapped__().values())).body

    assert b"@font-face" not in css
    assert b"fonts/" not in css


def test_the_budgets_of_style_and_script_are_kept() -> None:
    style, script = (
        static_files.published()[static_files.static(name)[8:]]
        for name in ("carespace.css", "carespace.js")
    )

    assert len(style.packed) <= 12_000
    assert len(script.body) <= 10_000
