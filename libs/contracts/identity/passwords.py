"""Passwords: their rules, forgotten ones, new ones."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from libs.contracts.base import Done, Reply, Request


class PasswordRule(StrEnum):
    """One rule for passwords. The page shows each of them, met or not."""

    LENGTH = "length"
    """At least 8 characters (at most 256)."""
    UPPERCASE = "uppercase"
    LOWERCASE = "lowercase"
    NUMBER = "number"
    SPECIAL = "special"
    NOT_COMMON = "not_common"
    NOT_PERSONAL = "not_personal"
    CONFIRMED = "confirmed"
    """Both fields hold the same."""
    TOO_LONG = "too_long"


class RuleMet(Reply):
    rule: PasswordRule
    met: bool


class PasswordSet(Reply):
    """Whether a new password was taken; if not, which rules it failed."""

    accepted: bool
    rules: tuple[RuleMet, ...]
    enrolment: str = Field(default="", repr=False)
    """For staff: the otpauth URI of the one-time code that every later log-in asks for."""


class ForgotPassword(Request[Done]):
    """A reset link goes out if there is such an account; the answer never says.

    `TRY_LATER` only where one source asks for very many, whatever the addresses.
    """

    subject = "request.identity.forgot_password"
    email: str = Field(repr=False)
    source: str = Field(repr=False)


class ResetLink(Reply):
    """The reset link works, until then."""

    expires_at: datetime


class ShowResetLink(Request[ResetLink]):
    """Looking never uses a link up."""

    subject = "request.identity.show_reset_link"
    token: str = Field(repr=False)


class ResetPassword(Request[PasswordSet]):
    """A new password through the link: every session ends, every throttle is lifted."""

    subject = "request.identity.reset_password"
    token: str = Field(repr=False)
    password: str = Field(repr=False)
    confirm_password: str = Field(repr=False)
    source: str = Field(repr=False)


class ChangePassword(Request[PasswordSet]):
    """A new password by someone logged in: every other session ends."""

    subject = "request.identity.change_password"
    session: bytes = Field(repr=False)
    current_password: str = Field(repr=False)
    password: str = Field(repr=False)
    confirm_password: str = Field(repr=False)
