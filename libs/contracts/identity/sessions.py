"""Sessions: who is logged in, and until when."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Done, Event, Reply, Request
from libs.contracts.identity.staff import Seat


class Session(Reply):
    """Who is logged in, and until when."""

    session_id: UUID
    account_id: UUID
    name: str
    email: str
    passport: str = Field(repr=False)
    seat: Seat | None = None
    """None for a patient or family member."""
    idle_ends_at: datetime
    ends_at: datetime
    previous_login_at: datetime | None = None
    """For "new since your last visit"."""
    proven_at: datetime | None = None
    """When they last showed, in this session, everything that a log-in asks for."""
    code: bool = False
    """Their account has one-time codes."""


class ResolveSession(Request[Session]):
    """Who a session cookie belongs to. Asking keeps the session awake, unless told not to."""

    subject = "request.identity.resolve_session"
    session: bytes = Field(repr=False)
    touch: bool = True


class OpenSession(Reply):
    """One line of the list of sessions."""

    session_id: UUID
    device: str
    place: str
    """The source of its last use, shortened."""
    started_at: datetime
    last_seen_at: datetime
    current: bool


class Sessions(Reply):
    sessions: tuple[OpenSession, ...]


class ListSessions(Request[Sessions]):
    """The account's sessions that are still open, the current one first."""

    subject = "request.identity.list_sessions"
    session: bytes = Field(repr=False)


class EndSession(Request[Done]):
    """Log out. A session that is over already is over."""

    subject = "request.identity.end_session"
    session: bytes = Field(repr=False)


class EndSessions(Request[Done]):
    """End one of one's own sessions, or, without an id, all but the current one."""

    subject = "request.identity.end_sessions"
    session: bytes = Field(repr=False)
    session_id: UUID | None = None


class SessionEnded(Event):
    """These sessions are over: what was resolved from them is to be forgotten at once."""

    subject = "event.identity.session_ended"
    listeners = ("gateway", "identity", "records", "messaging", "delegation", "notifier")
    session_ids: tuple[UUID, ...]
