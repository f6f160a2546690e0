"""Files that flow: pieces are asked for before they are needed, and written as they come."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import structlog
from aiohttp import web

from libs.runtime.logs import describe

AHEAD = 2
"""Pieces that are under way while one is written: two of 256 KiB for each download."""


log = structlog.get_logger()


async def flow(
    request: web.Request, response: web.StreamResponse, content: AsyncGenerator[bytes, None]
) -> web.StreamResponse:
    """All of the content as this response, which begins once there is a first piece of it.

    What can't be had later ends the connection: a browser that was told a length then knows that
    something is missing, and asks for the rest. An end in peace would leave it waiting.
    """
    async with aclosing(content):
        try:
            async for data in content:
                if not response.prepared:
                    await response.prepare(request)
                await response.write(data)
        except Exception as error:
            if not response.prepared:
                raise
            log.warning("a file broke off", **describe(error))
            if request.transport:
                request.transport.abort()
            raise ConnectionResetError from error
    if not response.prepared:
        await response.prepare(request)
    await response.write_eof()
    return response


async def pieces(
    piece: Callable[[int], Awaitable[bytes]], first: int, last: int
) -> AsyncGenerator[bytes, None]:
    """Each piece from the first to the last, in order. None is asked for once nobody listens."""
    under_way: list[asyncio.Future[bytes]] = []
    numbers = iter(range(first, last + 1))

    def begin() -> None:
        if (number := next(numbers, None)) is not None:
            under_way.append(asyncio.ensure_future(piece(number)))

    try:
        for _ in range(1 + AHEAD):
            begin()
        while under_way:
            data = await under_way.pop(0)
            begin()
            yield data
    finally:
        for one in under_way:
            one.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
