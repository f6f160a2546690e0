"""A line between two parts that a test can cut, hold, and mend."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Proxy:
    """Passes bytes on to a port, unless it was told not to."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._writers: list[asyncio.StreamWriter] = []
        self._passing = asyncio.Event()
        self._passing.set()
        self.refusing = False
        self.port = 0

    def hold(self) -> None:
        """From now on nothing gets through, and nobody is told (a partition)."""
        self._passing.clear()

    def mend(self) -> None:
        """What was held goes on, and new lines are taken again."""
        self.refusing = False
        self._passing.set()

    def cut(self) -> None:
        """Every open line ends, and a new one is refused."""
        self.refusing = True
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        there_reader, there = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers += [writer, there]
        await asyncio.gather(self._pass(reader, there), self._pass(there_reader, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def between(port: int, *, at: int = 0) -> AsyncIterator[Proxy]:
    """A line to this port, through a proxy on a port of its own, or on this one."""
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", at)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        proxy.mend()
        proxy.cut()
        server.close()
