"""A file handed over whole or in part: a download that broke off goes on with the same file only."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway import files
from gateway.files import File
from libs.contracts.content import CHUNK_SIZE

CONTENT = bytes(range(256)) * 1500
"""A chunk and a half."""
Browser = TestClient[web.Request, web.Application]


async def shown(request: web.Request) -> web.StreamResponse:
    async def chunk(number: int) -> bytes:
        return CONTENT[number * CHUNK_SIZE : (number + 1) * CHUNK_SIZE]

    file = File(
        file_name="a.zip",
        media_type="application/zip",
        size=len(CONTENT),
        tag="today's",
        chunk=chunk,
    )
    return await files.stream(request, file, kind="attachment")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    app = web.Application()
    app.router.add_get("/file", shown)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize(
    ("wanted", "begin", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=-10", len(CONTENT) - 10, len(CONTENT)),
        ("bytes=300000-", 300_000, len(CONTENT)),
        (f"bytes={CHUNK_SIZE - 1}-{CHUNK_SIZE}", CHUNK_SIZE - 1, CHUNK_SIZE + 1),
        ("bytes=5-999999999", 5, len(CONTENT)),
    ],
)
async def test_the_part_that_is_asked_for_is_what_comes(
    browser: Browser, wanted: str, begin: int, stop: int
) -> None:
    answer = await browser.get("/file", headers={"Range": wanted, "If-Range": '"today\'s"'})
    assert answer.status == 206
    assert answer.headers["Content-Range"] == f"bytes {begin}-{stop - 1}/{len(CONTENT)}"
    assert await answer.read() == CONTENT[begin:stop]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Range": "bytes=5-3"},
        {"Range": "bytes=0-1,5-6"},
        {"Range": "lines=1-2"},
        {"Range": "bytes=300000-", "If-Range": '"yesterday\'s"'},
        {"Range": "bytes=300000-", "If-Range": 'W/"today\'s"'},
        {"Range": "bytes=300000-", "If-Range": "Sat, 28 Nov 2026 06:55:47 GMT"},
        {"Range": "bytes=999999999-", "If-Range": '"yesterday\'s"'},
    ],
    ids=str,
)
async def test_whoever_has_the_beginning_of_another_file_gets_all_of_this_one(
    browser: Browser, headers: dict[str, str]
) -> None:
    """And so does whoever asks for no part, or for one that is none."""
    answer = await browser.get("/file", headers=headers)
    assert (answer.status, answer.headers["ETag"]) == (200, '"today\'s"')
    assert await answer.read() == CONTENT


async def test_there_is_nothing_past_the_end(browser: Browser) -> None:
    answer = await browser.get("/file", headers={"Range": f"bytes={len(CONTENT)}-"})
    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(CONTENT)}"
