"""People at two gateways: so many requests a second, whoever answers, each one's fate written down.

What asks shares the machine with what is asked, so it does as little as can be.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from itertools import cycle
from urllib.parse import urlencode, urlsplit

from deploy.demo.browser import HIDDEN
from gateway.static_files import static

PATIENCE = 30
"""Seconds for one answer."""
HEAD_LIMIT = 64 * 1024
COMPOSE = "/p/{patient}/messages/compose"
"""Opened and sent: two requests, and a write in messaging, of which identity and notifier hear."""
MIX = (
    "/p/{patient}/health",
    static("carespace.css"),
    "/p/{patient}/messages",
    "/session",
    "/staff/patients",
    "/p/{patient}/health",
    COMPOSE,
    "/p/{patient}/users",
    static("carespace.js"),
    "/p/{patient}/health/documents",
    "/staff/emails",
    "/p/{patient}/resources",
    static("mark.svg"),
    "/session",
    "/p/{patient}/activity",
    "/account",
    "/staff/messages",
    "/p/{patient}/messages",
    "/terms",
)
"""Twenty requests. Every service is asked by some of them; an open page asks `/session` by itself."""
MESSAGE = {"category": "rx", "subject": "Zofran", "body": "It is all gone.", "do": "send"}


@dataclass(frozen=True)
class People:
    """Who asks: the patients' numbers with their cookies, and the cookie of a nurse."""

    patients: Sequence[tuple[str, str]]
    nurse: str

    def turns(self) -> Iterator[tuple[str, str, str]]:
        """What is asked next, for whom, and with whose cookie."""
        for page, (patient, cookie) in zip(cycle(MIX), cycle(self.patients), strict=False):
            yield page, patient, self.nurse if page.startswith("/staff") else cookie


@dataclass
class Traffic:
    """Each request goes to the gateway whose turn it is, on a connection of its own.

    It goes to the next one only if the connection is refused: a request that somebody has taken is
    not sent again, as a message must not be.
    """

    gateways: Mapping[str, str]
    people: People
    answered: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    """Messages of each patient that were acknowledged."""
    took: list[float] = field(default_factory=list)
    """Seconds from when each was due to its answer."""
    offered: int = 0
    began: float = 0.0
    ended: float = 0.0
    """When the last one was answered."""

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    @property
    def under_way(self) -> int:
        return self.offered - len(self.took) - len(self.failed)

    async def flow(self, *, each_second: float, until: asyncio.Event) -> None:
        """So many each second, however long answers take, until it is enough; all are waited for."""
        self.began = due = time.perf_counter()
        turns = self.people.turns()
        async with asyncio.TaskGroup() as group:
            while not until.is_set():
                await asyncio.sleep(due - time.perf_counter())
                page, patient, cookie = next(turns)
                if page == COMPOSE:
                    group.create_task(self._write(patient, cookie, due, 1 / each_second))
                    due += 1 / each_second
                else:
                    group.create_task(self._ask(page.format(patient=patient), cookie, due))
                due += 1 / each_second
        self.ended = time.perf_counter()

    async def _write(self, patient: str, cookie: str, due: float, later: float) -> None:
        """The form is due, and what is typed into it one turn later, or as soon as it is there."""
        page = COMPOSE.format(patient=patient)
        shown = await self._ask(page, cookie, due)
        if shown is None:
            return
        form = {name: unescape(value) for name, value in HIDDEN.findall(shown.decode())} | MESSAGE
        due = max(due + later, time.perf_counter())
        if await self._ask(page, cookie, due, form=form) is not None:
            self.sent[patient] += 1

    async def _ask(
        self, path: str, cookie: str, due: float, *, form: Mapping[str, str] | None = None
    ) -> bytes | None:
        """The page as it came, or None for a failure."""
        self.offered += 1
        method = "GET" if form is None else "POST"
        try:
            async with asyncio.timeout(PATIENCE):
                name, status, text = await self._answer(method, path, cookie, form)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            name, status, text = "", repr(error), b""
        if status != ("200" if form is None else "303"):
            self.failed.append(f"{time.strftime('%X')} {method} {path}: {status}")
            return None
        self.answered[name] += 1
        self.took.append(time.perf_counter() - due)
        return text

    async def _answer(
        self, method: str, path: str, cookie: str, form: Mapping[str, str] | None
    ) -> tuple[str, str, bytes]:
        """Who answered, the status, and the page, packed as browsers ask for it if it is only seen."""
        name, reader, writer = await self._connected()
        body = urlencode(form).encode() if form else b""
        head = [f"{method} {path} HTTP/1.1", "Host: portal", f"Cookie: {cookie}"]
        if form:
            head.append("Content-Type: application/x-www-form-urlencoded")
            head.append(f"Content-Length: {len(body)}")
        elif not path.endswith("/compose"):
            head.append("Accept-Encoding: gzip")
        head.append("Connection: close")
        try:
            writer.write(("\r\n".join(head) + "\r\n\r\n").encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            text = await reader.readexactly(length)
        finally:
            writer.close()
        return name, answer.split(b" ", 2)[1].decode(), text

    async def _connected(self) -> tuple[str, asyncio.StreamReader, asyncio.StreamWriter]:
        names = list(self.gateways)
        first = self.offered % len(names)
        for name in names[first:] + names[:first]:
            there = urlsplit(self.gateways[name])
            try:
                line = await asyncio.open_connection(there.hostname, there.port, limit=HEAD_LIMIT)
            except ConnectionRefusedError:
                continue
            return name, *line
        raise ConnectionRefusedError("by every gateway")
