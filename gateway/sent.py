"""What a recipient has unlocked, read piece by piece, and cut off as soon as it is taken back."""

import socket
import struct
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from functools import partial
from uuid import UUID

from aiohttp import web

from libs.contracts.records.sending import Offered, ReadSending, SendingEnded, Unlock, Unlocked
from libs.runtime.broker import BROKER, ask
from libs.runtime.clock import utcnow
from libs.runtime.lifeline import LINE

UNLOCKING = 10
"""Seconds; a password takes its time, and others may wait for a core as well."""
RENEWED = timedelta(minutes=10)
"""A large file on a slow line takes longer than what was handed out for the password lasts."""


class Reader:
    """One file that is on its way to a recipient."""

    def __init__(self, request: web.Request, file: Offered, opened: Unlocked) -> None:
        self._broker = request.app[BROKER]
        self._token = request.match_info["token"]
        self._file = file
        self._key = opened.key
        self._handed_out = utcnow()

    async def piece(self, number: int) -> bytes:
        """A chunk, with a key that holds at this moment."""
        if utcnow() > self._handed_out + RENEWED:
            asked = Unlock(token=self._token, key=self._key)
            self._key = (await ask(self._broker, asked, within=UNLOCKING)).key
            self._handed_out = utcnow()
        wanted = ReadSending(
            token=self._token, key=self._key, format=self._file.format, number=number
        )
        return (await ask(self._broker, wanted)).data


class Endings:
    """Who reads what at this moment, in this gateway."""

    def __init__(self) -> None:
        self._open: dict[UUID | None, set[Callable[[], None]]] = defaultdict(set)

    @contextmanager
    def reading(self, request: web.Request, opened: Unlocked) -> Iterator[None]:
        """Meanwhile the line is cut where the sender takes the record back."""
        cut = partial(_cut, request)
        self._open[opened.sending_id].add(cut)
        try:
            yield
        finally:
            self._open[opened.sending_id].discard(cut)
            if not self._open[opened.sending_id]:
                del self._open[opened.sending_id]

    def hear(self, heard: SendingEnded) -> None:
        """A record is not to be read any further."""
        for cut in list(self._open.get(heard.sending_id, ())):
            cut()


ENDINGS = web.AppKey("endings", Endings)


@asynccontextmanager
async def watched(app: web.Application) -> AsyncIterator[None]:
    """Ends are heard of for as long as the application runs."""
    app[LINE].listen(SendingEnded, app[ENDINGS].hear)
    yield


def _cut(request: web.Request) -> None:
    """At once, and what the system still had in hand for a slow reader is thrown away."""
    if (transport := request.transport) is None:
        return
    with suppress(OSError):
        line: socket.socket = transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
