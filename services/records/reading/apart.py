"""Our side of the readers: a file goes in, and what was found comes out, checked.

The host that forks readers is started when it is needed, and let go when it has not been for a
while. It gets none of our environment: no address, no key.
"""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import TypeAdapter, ValidationError

from services.records.domain.found import Unreadable
from services.records.domain.matching import Described
from services.records.formats.recognise import Format
from services.records.reading import frames
from services.records.reading.child import Task
from services.records.reading.frames import Batch, Incoming, Kind

AT_ONCE = 3
"""Readers of one replica at the same time."""
SILENCE = 60.0
"""Seconds without a word from a reader that is not waiting for us, after which it is lost."""
AHEAD = 1024 * 1024
"""Bytes, or up to twice as many, that a reader is ahead of us: it reads on while we file."""
IDLE = 60.0
"""Seconds after which a host that nobody needed is let go."""

Told: TypeAlias = Format | tuple[Described, ...] | Batch | Incoming | bytes
_TASK = TypeAdapter(Task)


class CameToGrief(Exception):
    """The reader ended before it had said everything: too much time or memory, or broken."""


@dataclass(slots=True)
class _Host:
    process: "subprocess.Popen[bytes]"
    control: socket.socket


class Readers:
    """The readers of one replica."""

    def __init__(self) -> None:
        self._host: _Host | None = None
        self._room = asyncio.Semaphore(AT_ONCE)
        self._busy = 0
        self._rest: asyncio.TimerHandle | None = None

    async def read(self, source: int, task: Task) -> AsyncGenerator[Told, None]:
        """Everything in a file, one thing after another; the pieces of a document after itself.

        Raises `Unreadable` with a sentence, or `CameToGrief`; what was told before stands.
        """
        async with aclosing(self._frames(source, task)) as told:
            async for kind, body in told:
                match kind:
                    case Kind.FORMAT:
                        yield Format(body.decode())
                    case Kind.PEOPLE:
                        yield frames.PEOPLE.validate_json(body)
                    case Kind.BATCH:
                        yield frames.BATCHES.validate_json(body)
                    case Kind.DOCUMENT:
                        yield frames.INCOMING.validate_json(body)
                    case Kind.PIECE:
                        yield body
                    case _:
                        raise CameToGrief

    async def page(self, source: int, *, size: int) -> str:
        """A clinical document as a page; `Unreadable` where it can't be one."""
        page = ""
        async with aclosing(self._frames(source, Task(size=size, page=True))) as told:
            async for kind, body in told:
                if kind is not Kind.PAGE:
                    raise CameToGrief
                page = body.decode()
        return page

    def close(self) -> None:
        """Let the host go; readers at work end as nobody hears them any more."""
        if self._rest:
            self._rest.cancel()
        if self._host:
            self._host.control.close()
            self._host.process.kill()
            self._host.process.wait()
            self._host = None

    async def _frames(self, source: int, task: Task) -> AsyncGenerator[tuple[Kind, bytes], None]:
        async with self._room, self._started(source, task) as stream:
            try:
                while True:
                    kind, length = frames.HEADER.unpack(await _exactly(stream, frames.HEADER.size))
                    if length > frames.LONGEST:
                        raise CameToGrief
                    body = await _exactly(stream, length) if length else b""
                    if kind == Kind.END:
                        return
                    if kind == Kind.UNREADABLE:
                        raise Unreadable(body.decode()[:500])
                    yield Kind(kind), body
            except (asyncio.IncompleteReadError, TimeoutError, ValidationError, ValueError):
                raise CameToGrief from None

    @asynccontextmanager
    async def _started(self, source: int, task: Task) -> AsyncIterator[asyncio.StreamReader]:
        ours, theirs = socket.socketpair()
        self._busy += 1
        try:
            with theirs:
                self._hand_over(_TASK.dump_json(task), (source, theirs.fileno()))
            stream, writer = await asyncio.open_connection(sock=ours, limit=AHEAD)
            try:
                yield stream
            finally:
                writer.transport.abort()
        finally:
            ours.close()
            self._busy -= 1
            self._let_rest()

    def _hand_over(self, asked: bytes, files: Iterable[int]) -> None:
        """To the host; to a new one where the last one is gone."""
        for fresh in (False, True):
            try:
                socket.send_fds(self._hosted(fresh=fresh).control, [asked], list(files))
            except OSError:
                if fresh:
                    raise
            else:
                return

    def _hosted(self, *, fresh: bool) -> _Host:
        if fresh:
            self.close()
        if self._host is None:
            self._host = _start()
        return self._host

    def _let_rest(self) -> None:
        if self._rest:
            self._rest.cancel()
        if not self._busy:
            self._rest = asyncio.get_running_loop().call_later(IDLE, self._send_off)

    def _send_off(self) -> None:
        if not self._busy:
            self.close()


def _start() -> _Host:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.records.reading"],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "LANG": "C.UTF-8"},
        )
    return _Host(process=process, control=ours)


async def _exactly(stream: asyncio.StreamReader, length: int) -> bytes:
    async with asyncio.timeout(SILENCE):
        return await stream.readexactly(length)
