"""People at two gateways: so many requests a second, each one's fate written down."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from html import unescape

import aiohttp

from deploy.demo.browser import HIDDEN

PATIENCE = 30
"""Seconds for one answer."""
AT_ONCE = 8
"""Requests under way."""
MESSAGE_EVERY = 10
"""One request in so many begins a message; all others look at Health."""
MESSAGE = {"category": "rx", "subject": "Zofran", "body": "It is all gone.", "do": "send"}


class Traffic:
    """Each request goes to the gateway whose turn it is, on a connection of its own.

    It goes to the next one only if the connection is refused: a request that somebody has taken is
    not sent again, as a message must not be.
    """

    def __init__(self, gateways: Mapping[str, str], sessions: Sequence[tuple[str, str]]) -> None:
        self._gateways = gateways
        self._sessions = sessions
        self._turn = 0
        self._http = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(force_close=True, limit=0),
            timeout=aiohttp.ClientTimeout(total=PATIENCE),
        )
        self.answered: Counter[str] = Counter()
        self.failed: list[str] = []
        self.sent: Counter[str] = Counter()
        """Messages of each patient that were acknowledged."""
        self.took: list[float] = []
        self.seconds = 0.0

    async def flow(self, *, each_second: float, until: asyncio.Event) -> None:
        """As many as were asked for, or as this machine can carry, until it is enough.

        A machine that is slower than that is not asked for what it can't do: its requests would
        only wait for one another until they are too late, whoever is replaced meanwhile.
        """
        room, number, began = asyncio.Semaphore(AT_ONCE), 0, time.perf_counter()
        due = began

        async def one(patient: str, cookie: str, *, writes: bool) -> None:
            await (self._write if writes else self._look)(patient, cookie)
            room.release()

        async with self._http, asyncio.TaskGroup() as group:
            while not until.is_set():
                await room.acquire()
                await asyncio.sleep(due - time.perf_counter())
                patient, cookie = self._sessions[number % len(self._sessions)]
                writes = number % MESSAGE_EVERY == 0
                group.create_task(one(patient, cookie, writes=writes))
                number += 1
                due = max(due, time.perf_counter()) + (2 if writes else 1) / each_second
        self.seconds = time.perf_counter() - began

    async def _look(self, patient: str, cookie: str) -> None:
        await self._asked("GET", f"/p/{patient}/health", cookie, expected=200)

    async def _write(self, patient: str, cookie: str) -> None:
        page = f"/p/{patient}/messages/compose"
        shown = await self._asked("GET", page, cookie, expected=200)
        if shown is None:
            return
        form = {name: unescape(value) for name, value in HIDDEN.findall(shown)} | MESSAGE
        if await self._asked("POST", page, cookie, expected=303, form=form) is not None:
            self.sent[patient] += 1

    async def _asked(
        self,
        method: str,
        path: str,
        cookie: str,
        *,
        expected: int,
        form: Mapping[str, str] | None = None,
    ) -> str | None:
        """The page, or None for a failure."""
        self._turn += 1
        began = time.perf_counter()
        names = list(self._gateways)
        names = names[self._turn % len(names) :] + names[: self._turn % len(names)]
        how, text = "refused", ""
        for name in names:
            try:
                async with self._http.request(
                    method,
                    self._gateways[name] + path,
                    headers={"Cookie": cookie},
                    data=form,
                    allow_redirects=False,
                ) as answer:
                    text = await answer.text()
                    how = str(answer.status)
            except aiohttp.ClientConnectorError as error:
                if isinstance(error.os_error, ConnectionRefusedError):
                    continue
                how = repr(error)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                how = repr(error)
            if how == str(expected):
                self.answered[name] += 1
                self.took.append(time.perf_counter() - began)
                return text
            break
        self.failed.append(f"{time.strftime('%X')} {method} {path}: {how}")
        return None
