"""Who is asking: the session cookie, and the records that its account may act on.

Nothing of it is kept longer than a few seconds, and an end or a revocation is forgotten at once.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeAlias, TypeVar
from uuid import UUID

from aiohttp import web

from libs.contracts.base import Refused
from libs.contracts.delegation import (
    Access,
    AccessChanged,
    AccessGranted,
    AccessList,
    AccessRevoked,
    ListAccess,
)
from libs.contracts.identity.practices import Practice, ShowPractice
from libs.contracts.identity.sessions import EndSession, ResolveSession, Session, SessionEnded
from libs.contracts.identity.staff import Seat
from libs.contracts.records.standing import StandingChanged
from libs.contracts.visa import Limit
from libs.runtime.broker import BROKER, ask
from libs.runtime.clock import utcnow
from libs.runtime.lifeline import LINE

COOKIE = "__Host-session"
SESSION_KEPT = timedelta(seconds=4)
"""A session's idle time is exact to this; its end is heard at once."""
PRACTICE_KEPT = timedelta(seconds=60)
MARGIN = timedelta(seconds=3)
"""A visa that is about to run out would run out on the way."""
KEPT_AT_MOST = 20_000

Visa: TypeAlias = Callable[[], Awaitable[str]]
"""A visa that holds each time it is asked for: what takes its time outlives one."""
V = TypeVar("V")
K = TypeVar("K")


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """Someone with a session: a patient, a family member, or a member of staff."""

    session: Session
    token_hash: bytes


@dataclass(frozen=True, kw_only=True)
class Acting:
    """Someone signed in, on one record that they may act on, with the visa for it."""

    person: SignedIn
    access: Access
    several: bool
    """There are more records than this one."""

    @property
    def visa(self) -> str:
        return self.access.visa

    @property
    def patient_id(self) -> UUID:
        return self.access.patient_id


@dataclass(frozen=True, kw_only=True)
class AtWork:
    """A member of staff at their practice, with the visa that goes with the seat."""

    person: SignedIn
    seat: Seat

    @property
    def visa(self) -> str:
        return self.seat.visa


class Kept(Generic[K, V]):
    """Answers that are good for a moment."""

    def __init__(self) -> None:
        self._kept: dict[K, tuple[float, V]] = {}

    def get(self, key: K) -> V | None:
        until, value = self._kept.get(key, (0.0, None))
        return value if until > utcnow().timestamp() else None

    def put(self, key: K, value: V, *, until: float) -> None:
        if len(self._kept) >= KEPT_AT_MOST:
            now = utcnow().timestamp()
            self._kept = {k: kept for k, kept in self._kept.items() if kept[0] > now}
            if len(self._kept) >= KEPT_AT_MOST:
                self._kept.clear()
        self._kept[key] = (until, value)

    def forget(self, key: K) -> None:
        self._kept.pop(key, None)

    def clear(self) -> None:
        self._kept.clear()


class Desk:
    """What the gateway remembers, for seconds, of sessions, access and practices."""

    def __init__(self) -> None:
        self.sessions: Kept[bytes, Session] = Kept()
        self.access: Kept[UUID, AccessList] = Kept()
        self.practices: Kept[UUID, Practice] = Kept()
        self._hashes: dict[UUID, bytes] = {}
        self.heard = 0
        """Grows with each end and change: what was asked before one and comes after it is old."""

    def keep_session(self, token_hash: bytes, session: Session, *, heard: int) -> None:
        """Good for a moment, never past its own end, and only if nothing was heard since then."""
        if heard != self.heard:
            return
        until = min(utcnow() + SESSION_KEPT, session.idle_ends_at, session.ends_at)
        self.sessions.put(token_hash, session, until=until.timestamp())
        if len(self._hashes) >= KEPT_AT_MOST:
            self._hashes.clear()
            self.sessions.clear()
        self._hashes[session.session_id] = token_hash

    def keep_access(self, session_id: UUID, access: AccessList, *, heard: int) -> None:
        """The same, for as long as each of its visas holds."""
        if access.records and heard == self.heard:
            until = min(record.visa_expires_at for record in access.records) - MARGIN
            self.access.put(session_id, access, until=until.timestamp())

    def hear_ended(self, heard: SessionEnded) -> None:
        """These sessions are over, here as well."""
        self.heard += 1
        for session_id in heard.session_ids:
            self.access.forget(session_id)
            if token_hash := self._hashes.pop(session_id, None):
                self.sessions.forget(token_hash)

    def hear_changed(
        self, _: AccessRevoked | AccessGranted | AccessChanged | StandingChanged
    ) -> None:
        """Such changes are rare, and asking again is cheap: forget every visa."""
        self.heard += 1
        self.access.clear()


DESK = web.AppKey("desk", Desk)
PERSON = web.RequestKey("person", SignedIn)
LOOKS = web.RequestKey("looks", bool)
"""An open page that keeps itself fresh: nobody did anything, so it keeps no session awake."""
LIVE = "Live"
"""The header with which such a page asks for itself again."""


@asynccontextmanager
async def remembered(app: web.Application) -> AsyncIterator[None]:
    """The desk hears of every end and change of access for as long as the application runs."""
    desk = app[DESK]
    app[LINE].listen(SessionEnded, desk.hear_ended)
    app[LINE].listen(AccessRevoked, desk.hear_changed)
    app[LINE].listen(AccessGranted, desk.hear_changed)
    app[LINE].listen(AccessChanged, desk.hear_changed)
    app[LINE].listen(StandingChanged, desk.hear_changed)
    yield


def hash_of(token: str) -> bytes:
    """What identity knows a session by; the token itself stays between browser and gateway."""
    return hashlib.sha256(token.encode()).digest()


async def find(request: web.Request) -> SignedIn | None:
    """Whoever this cookie belongs to, or nobody; asked anew by a request that takes its time."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    token_hash, desk = hash_of(token), request.app[DESK]
    session = desk.sessions.get(token_hash)
    if session is None:
        heard = desk.heard
        try:
            asked = ResolveSession(session=token_hash, touch=not only_looks(request))
            session = await ask(request.app[BROKER], asked)
        except Refused:
            return None
        desk.keep_session(token_hash, session, heard=heard)
    request[PERSON] = SignedIn(session=session, token_hash=token_hash)
    return request[PERSON]


def renew(request: web.Request) -> None:
    """Forget what is remembered of this session: who changes it wants to see it as it is."""
    if token := request.cookies.get(COOKIE):
        request.app[DESK].sessions.forget(hash_of(token))


def only_looks(request: web.Request) -> bool:
    """Whether this is an open page asking, and not the person in front of it."""
    return request.get(LOOKS, False) or LIVE in request.headers


async def signed_in(request: web.Request) -> SignedIn:
    """Whoever is signed in; anyone else is shown the way to the door."""
    if person := await find(request):
        return person
    raise to_the_door(request)


async def acting(request: web.Request, part: Limit | None = None) -> Acting:
    """Whoever may act on the patient in the address; for anyone else there is no such page.

    Nor is there for those whose access leaves out the part of the record that the page is about.
    Whoever owns a record that is closed to them is led to the page that says so.
    """
    person = await signed_in(request)
    try:
        patient_id = UUID(request.match_info["patient"])
    except ValueError:
        raise web.HTTPNotFound from None
    held = await access_of(request, person)
    if any(own.patient_id == patient_id for own in held.closed):
        raise web.HTTPSeeOther(request.app.router["home"].url_for())
    records = held.records
    for access in records:
        if access.patient_id == patient_id and (part is None or part in access.limits):
            return Acting(person=person, access=access, several=len(records) > 1)
    raise web.HTTPNotFound


async def at_work(request: web.Request) -> AtWork:
    """Whoever is signed in as staff; for a patient there is no such page."""
    person = await find(request)
    if person is None:
        raise to_the_door(request, staff=True)
    if person.session.seat is None:
        raise web.HTTPNotFound
    return AtWork(person=person, seat=person.session.seat)


def staff_visa(request: web.Request) -> Visa:
    """The visa of whoever is at work, one that holds each time it is asked for."""

    async def visa() -> str:
        return (await at_work(request)).visa

    return visa


def acting_visa(request: web.Request, part: Limit) -> Visa:
    """The same for whoever acts on this part of the record of the patient in the address."""

    async def visa() -> str:
        return (await acting(request, part)).visa

    return visa


async def access_of(request: web.Request, person: SignedIn) -> AccessList:
    """Every record that this person may act on, with visas that still hold for a moment."""
    desk, session = request.app[DESK], person.session
    if access := desk.access.get(session.session_id):
        return access
    heard = desk.heard
    access = await ask(request.app[BROKER], ListAccess(passport=session.passport))
    desk.keep_access(session.session_id, access, heard=heard)
    return access


async def practice(request: web.Request, practice_id: UUID) -> Practice:
    """What the practice says of itself."""
    desk = request.app[DESK]
    if kept := desk.practices.get(practice_id):
        return kept
    shown = await ask(request.app[BROKER], ShowPractice(practice_id=practice_id))
    desk.practices.put(practice_id, shown, until=(utcnow() + PRACTICE_KEPT).timestamp())
    return shown


def begin(response: web.StreamResponse, token: str) -> None:
    """Give the browser its session: to this host only, not to scripts, gone as it closes."""
    response.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="Lax")


async def end(request: web.Request, response: web.StreamResponse) -> None:
    """End this browser's session, if it has one, and have it forget what it saw."""
    if token := request.cookies.get(COOKIE):
        token_hash = hash_of(token)
        request.app[DESK].sessions.forget(token_hash)
        await ask(request.app[BROKER], EndSession(session=token_hash))
    response.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


class AtTheDoor(web.HTTPSeeOther):
    """Nobody is logged in, and the page is for somebody who is."""

    staff = False


def to_the_door(request: web.Request, *, staff: bool = False) -> AtTheDoor:
    """To the log-in page, and from there back to the page that was asked for."""
    door = request.app.router["staff_login" if staff else "login"].url_for()
    if request.method == "GET" and request.path != "/":
        door = door.with_query({"next": request.path_qs})
    away = AtTheDoor(door)
    away.staff = staff or request.path.startswith("/staff/")
    return away
