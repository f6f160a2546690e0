"""Asking, over and over, on some connections at once; as little work as can be."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from bench.figures import Load

HEAD_LIMIT = 64 * 1024


class Failing(Exception):
    """An answer was not what was asked for: there is nothing to measure."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request, written out, and the answer that counts."""

    host: str
    port: int
    text: bytes
    status: int


def page(url: str, cookie: str = "") -> Asked:
    """A page, packed, as a browser asks for it."""
    return _asked("GET", url, {"Cookie": cookie, "Accept-Encoding": "gzip"}, b"", 200)


def form(url: str, cookie: str, fields: Mapping[str, str]) -> Asked:
    """A form that leads somewhere else if all is well."""
    kind = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    return _asked("POST", url, kind, urlencode(fields).encode(), 303)


async def flat_out(asked: Sequence[Asked], *, seconds: float, turned_away: bool = False) -> Load:
    """As many as come, each request on a connection of its own, over and over.

    With `turned_away`, some may be told to come again; those count for nothing.
    """
    again = [itertools.repeat(request) for request in asked]
    return await each_in_turn(again, seconds=seconds, turned_away=turned_away)


async def each_in_turn(
    asked: Sequence[Iterator[Asked]], *, seconds: float, turned_away: bool = False
) -> Load:
    """As many as come, of each row of requests one after another on a connection of its own."""
    took: list[float] = []
    failed = 0
    began = time.perf_counter()
    until = began + seconds

    async def one(requests: Iterator[Asked]) -> None:
        nonlocal failed
        request = next(requests)
        reader, writer = await _connected(request)
        try:
            while (sent := time.perf_counter()) < until:
                writer.write(request.text)
                if await _answer(reader) == request.status:
                    took.append(time.perf_counter() - sent)
                else:
                    failed += 1
                request = next(requests)
        finally:
            writer.close()

    async with asyncio.TaskGroup() as group:
        for requests in asked:
            group.create_task(one(requests))
    return _checked(took, time.perf_counter() - began, 0 if turned_away else failed)


async def steadily(asked: Sequence[Asked], *, each: float, seconds: float) -> Load:
    """So many each second, and no more. One that waits for its connection has begun to wait."""
    took: list[float] = []
    failed = 0
    free: asyncio.Queue[tuple[Asked, asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for request in asked:
        free.put_nowait((request, *await _connected(request)))
    began = time.perf_counter()

    async def one(due: float) -> None:
        nonlocal failed
        request, reader, writer = await free.get()
        writer.write(request.text)
        if await _answer(reader) == request.status:
            took.append(time.perf_counter() - due)
        else:
            failed += 1
        free.put_nowait((request, reader, writer))

    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds * each)):
            due = began + number / each
            await asyncio.sleep(due - time.perf_counter())
            group.create_task(one(due))
    lasted = time.perf_counter() - began
    while not free.empty():
        free.get_nowait()[2].close()
    return _checked(took, lasted, failed)


async def cookie(asked: Asked, name: str) -> str:
    """The cookie of this name that comes with the answer."""
    reader, writer = await _connected(asked)
    writer.write(asked.text)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    writer.close()
    _, found, after = head.partition(f"Set-Cookie: {name}=")
    if not found:
        raise Failing(f"No cookie {name} came with: {head.splitlines()[0]}")
    return after.split(";", 1)[0]


def _checked(took: list[float], seconds: float, failed: int) -> Load:
    if not took or failed:
        raise Failing(f"{failed} of {failed + len(took)} answers were not what was asked for.")
    return Load(seconds=seconds, took=took)


def _asked(method: str, url: str, headers: Mapping[str, str], body: bytes, status: int) -> Asked:
    parts = urlsplit(url)
    lines = [f"{method} {parts.path} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items() if value]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    text = ("\r\n".join(lines) + "\r\n\r\n").encode() + body
    return Asked(host=parts.hostname or "", port=parts.port or 80, text=text, status=status)


async def _connected(asked: Asked) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(asked.host, asked.port, limit=HEAD_LIMIT)


async def _answer(reader: asyncio.StreamReader) -> int:
    """Read one answer to its end; its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])
