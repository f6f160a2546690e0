"""A change of e-mail address."""

from pydantic import Field

from libs.contracts.base import Done, Request


class ChangeEmail(Request[Done]):
    """A new address: it must confirm, the old one is told."""

    subject = "request.identity.change_email"
    session: bytes = Field(repr=False)
    current_password: str = Field(repr=False)
    email: str = Field(repr=False)


class ConfirmEmail(Request[Done]):
    """The new address answers its link."""

    subject = "request.identity.confirm_email"
    token: str = Field(repr=False)
    source: str = Field(default="", repr=False)
