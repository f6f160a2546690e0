"""Two-step verification: a one-time code beside the password, and recovery codes for it.

What can be taken over with a password alone can't with these; so whoever changes them proves once
more who they are, and so does whoever grants access or changes the e-mail address.
"""

from datetime import datetime, timedelta
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Done, Reply, Request

PROVEN_FOR = timedelta(minutes=10)
"""For so long after a proof, none is asked again."""
RECOVERY_CODES = 10
REASON_LIMIT = 500
"""Characters of the operator's reason."""


class Passkey(Reply):
    """A key in a phone or computer, as its owner calls it."""

    passkey_id: UUID
    name: str
    added_at: datetime
    last_used_at: datetime | None


class Factors(Reply):
    """How this account is protected beside its password."""

    code: bool
    """One-time codes are on."""
    recovery_codes: int
    """How many are left."""
    required: bool
    """Codes can't be turned off: a member of staff has them."""
    passkeys: tuple[Passkey, ...] = ()
    passkeys_possible: bool = False
    """This portal has a name and HTTPS, which passkeys need."""


class ShowFactors(Request[Factors]):
    """What of two-step verification is on for an account."""

    subject = "request.identity.show_factors"
    session: bytes = Field(repr=False)


class CodeBegun(Reply):
    """The otpauth URI that an authenticator app takes; for 30 minutes."""

    enrolment: str = Field(repr=False)


class BeginCode(Request[CodeBegun]):
    """A new key for one-time codes. It counts once a code that was made with it is shown.

    Until then, the key that was there before counts.
    """

    subject = "request.identity.begin_code"
    session: bytes = Field(repr=False)


class RecoveryCodes(Reply):
    """Told this once; each lets its owner in once, in place of a one-time code."""

    codes: tuple[str, ...] = Field(repr=False)


class ConfirmCode(Request[RecoveryCodes]):
    """The new key works: one-time codes are on, or come from another app from now on.

    Every other session ends, the owner is told by e-mail, older recovery codes are void. The
    session has to be proven (`ProveAgain`).
    """

    subject = "request.identity.confirm_code"
    session: bytes = Field(repr=False)
    code: str = Field(repr=False)


class RenewRecoveryCodes(Request[RecoveryCodes]):
    """Ten new ones, and the older ones are void. The session has to be proven."""

    subject = "request.identity.renew_recovery_codes"
    session: bytes = Field(repr=False)


class TurnOffCode(Request[Done]):
    """No one-time codes any more; not for staff. The session has to be proven."""

    subject = "request.identity.turn_off_code"
    session: bytes = Field(repr=False)


class PasskeyAsked(Reply):
    """What a browser needs to make or use a passkey, in WebAuthn's JSON."""

    options: str = Field(repr=False)


class BeginPasskey(Request[PasskeyAsked]):
    """A new passkey is about to be made; within 5 minutes, where one-time codes are on."""

    subject = "request.identity.begin_passkey"
    session: bytes = Field(repr=False)


class AddPasskey(Request[Done]):
    """The new passkey, which may stand in for a one-time code at a log-in. At most 10.

    The session has to be proven; every other one ends, and the owner is told.
    """

    subject = "request.identity.add_passkey"
    session: bytes = Field(repr=False)
    passkey: str = Field(repr=False, max_length=20_000)
    """What the browser said, in WebAuthn's JSON."""
    name: str


class RemovePasskey(Request[Done]):
    """It counts no more. The session has to be proven."""

    subject = "request.identity.remove_passkey"
    session: bytes = Field(repr=False)
    passkey_id: UUID


class BeginPasskeyLogIn(Request[PasskeyAsked]):
    """Somebody at the door wants to show a passkey; whose it is, nobody knows yet."""

    subject = "request.identity.begin_passkey_log_in"
    source: str = Field(repr=False)


class ProveAgain(Request[Done]):
    """Whoever is logged in shows once more that they are who they are, with every factor on."""

    subject = "request.identity.prove_again"
    session: bytes = Field(repr=False)
    password: str = Field(repr=False)
    code: str = Field(default="", repr=False)
    """A one-time code or a recovery code, where those are on."""


class FactorsReset(Reply):
    """Whose account it is, and where they are let in to the staff anew by a letter."""

    name: str = Field(repr=False)
    practices: tuple[str, ...]


class ResetFactors(Request[FactorsReset]):
    """Somebody lost their codes, and the operator knows that it is they: two-step verification is
    off, they are logged out everywhere and told. At the staff door they come in by a letter."""

    subject = "request.identity.reset_factors"
    askers = ("operator",)
    email: str = Field(repr=False)
    reason: str = Field(repr=False)
    """How it is known that it is they."""
