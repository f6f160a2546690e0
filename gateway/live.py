"""Pages that change while they are open: server-sent events, fed by what services announce.

A stream says only that something changed and how many messages are unread; the page then asks for
itself again, with its own rights. It ends with the session or the access that it was opened with.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from aiohttp import web

from gateway import session, watch
from libs.contracts.base import Refused
from libs.contracts.delegation import AccessChanged, AccessRevoked
from libs.contracts.identity.sessions import SessionEnded
from libs.contracts.messaging.mailbox import (
    CountUnread,
    MessageReceived,
    MessageSent,
    MessagesRead,
)
from libs.contracts.messaging.queue import CaseChanged, CountWaiting
from libs.contracts.records.standing import StandingChanged
from libs.contracts.visa import Limit
from libs.runtime import background
from libs.runtime.broker import BROKER, EXPIRES, Unavailable, ask
from libs.runtime.clock import utcnow
from libs.runtime.lifeline import LINE

BEAT = 25.0
"""Seconds between signs of life, so that neither side waits for one that is gone."""
A_MOMENT = 0.05
"""Seconds; after the end of an access, to be sure that it is over."""
AT_MOST = 5_000
"""Open streams of one gateway; one more is asked to come again, and its page still works."""

Looked: TypeAlias = tuple[int, datetime | None]
"""How many messages wait, and when the access with which we look is over."""

routes = web.RouteTableDef()


class Hub:
    """Who listens to what, in this gateway."""

    def __init__(self) -> None:
        self._open: dict[UUID, set[asyncio.Event]] = defaultdict(set)
        self.count = 0
        self.closing = False

    @contextmanager
    def listening(self, topic: UUID) -> Iterator[asyncio.Event]:
        """An event that is set whenever something about this patient or practice changes."""
        changed = asyncio.Event()
        self._open[topic].add(changed)
        self.count += 1
        watch.LIVE.inc()
        try:
            yield changed
        finally:
            self.count -= 1
            watch.LIVE.dec()
            self._open[topic].discard(changed)
            if not self._open[topic]:
                del self._open[topic]

    def hear(self, heard: MessageReceived | MessageSent | MessagesRead | CaseChanged) -> None:
        """Somebody wrote or read."""
        for topic in (heard.patient_id, heard.practice_id):
            for changed in self._open.get(topic, ()):
                changed.set()

    def hear_end(self, _: SessionEnded | AccessRevoked | AccessChanged | StandingChanged) -> None:
        """Somebody may no longer look, or not for as long: everyone looks whether it is they."""
        self._wake()

    async def close(self, _: web.Application) -> None:
        """We stop: every stream ends, and its page finds another gateway."""
        self.closing = True
        self._wake()

    def _wake(self) -> None:
        for topic in self._open.values():
            for changed in topic:
                changed.set()


HUB = web.AppKey("hub", Hub)


@asynccontextmanager
async def heard(app: web.Application) -> AsyncIterator[None]:
    """The hub hears of all that changes a page for as long as the application runs."""
    hub, line = app[HUB], app[LINE]
    line.listen(MessageReceived, hub.hear)
    line.listen(MessageSent, hub.hear)
    line.listen(MessagesRead, hub.hear)
    line.listen(CaseChanged, hub.hear)
    line.listen(SessionEnded, hub.hear_end)
    line.listen(AccessRevoked, hub.hear_end)
    line.listen(AccessChanged, hub.hear_end)
    line.listen(StandingChanged, hub.hear_end)
    yield


@routes.get("/p/{patient}/live", name="live")
async def live(request: web.Request) -> web.StreamResponse:
    """What changes in a patient's messages; for whoever may not read them, only its own end."""
    request[session.LOOKS] = True
    acting = await session.acting(request)

    async def look() -> Looked:
        who = await session.acting(request)
        if not acting.access.limits <= who.access.limits:  # the page may show what was taken away
            raise web.HTTPNotFound
        if Limit.MESSAGES not in who.access.limits:
            return 0, who.access.ends_at
        asked = CountUnread(visa=who.visa, patient_id=who.patient_id)
        return (await ask(request.app[BROKER], asked)).count, who.access.ends_at

    reads = Limit.MESSAGES in acting.access.limits
    # Nobody is told when others write who may not read it.
    topic = acting.patient_id if reads else acting.person.session.session_id
    return await _stream(request, topic, look)


@routes.get("/staff/live", name="staff_live")
async def staff_live(request: web.Request) -> web.StreamResponse:
    """What changes in a practice's queue."""
    request[session.LOOKS] = True
    staff = await session.at_work(request)

    async def look() -> Looked:
        who = await session.at_work(request)
        return (await ask(request.app[BROKER], CountWaiting(visa=who.visa))).unclaimed, None

    return await _stream(request, staff.seat.practice_id, look)


async def _stream(
    request: web.Request, topic: UUID, look: Callable[[], Awaitable[Looked]]
) -> web.StreamResponse:
    hub = request.app[HUB]
    if hub.count >= AT_MOST:
        raise web.HTTPServiceUnavailable(headers={"Retry-After": "60"})
    EXPIRES.set(None)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    with hub.listening(topic) as changed:
        await response.prepare(request)
        await response.write(b"retry: 3000\n\n")
        woken, told = True, -1
        while not hub.closing:
            changed.clear()
            try:
                number, ends_at = await look()
            except (web.HTTPException, Refused):
                await response.write(b"event: over\ndata: \n\n")
                break
            except Unavailable:
                await response.write(b": away for the moment\n\n")
                await asyncio.sleep(1)
                continue
            news = woken or number != told  # what was announced while NATS was away is seen too
            said = b"event: count\ndata: %d\n\n" % number if news else b": still here\n\n"
            await response.write(said)
            told = number
            woken = await background.happens(changed, within=_pause(ends_at))
    return response


def _pause(ends_at: datetime | None) -> float:
    """Seconds until the next look: a beat, or less if the access is over before."""
    if ends_at is None:
        return BEAT
    return min(BEAT, max(0.0, (ends_at - utcnow()).total_seconds()) + A_MOMENT)
