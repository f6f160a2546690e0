"""Logging in, of patients and of staff."""

from datetime import date

from pydantic import Field

from libs.contracts.base import Reply, Request


class SessionOpened(Reply):
    """A new session. The token is told this once; only its hash is kept."""

    token: str = Field(repr=False)
    staff: bool


class LogIn(Request[SessionOpened]):
    """Someone with an account comes in. A wrong one of the three gives one and the same answer."""

    subject = "request.identity.log_in"
    email: str = Field(repr=False)
    password: str = Field(repr=False)
    date_of_birth: date | None = Field(repr=False)
    code: str = Field(default="", repr=False)
    passkey: str = Field(default="", repr=False, max_length=20_000)
    """In place of a code: what the browser said to `BeginPasskeyLogIn`."""
    source: str = Field(repr=False)
    device: str = ""
    """What the session list shows: "Firefox on Android"."""
    earlier_session: bytes = Field(default=b"", repr=False)
    """The hash of a session cookie that came along: it ends as the new one begins."""


class LogInStaff(Request[SessionOpened]):
    """A member of staff comes in: e-mail, password, one-time code or passkey."""

    subject = "request.identity.log_in_staff"
    email: str = Field(repr=False)
    password: str = Field(repr=False)
    code: str = Field(default="", repr=False)
    passkey: str = Field(default="", repr=False, max_length=20_000)
    source: str = Field(repr=False)
    device: str = ""
    earlier_session: bytes = Field(default=b"", repr=False)
