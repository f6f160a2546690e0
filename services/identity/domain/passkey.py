"""Passkeys (W3C WebAuthn): a key in somebody's phone or computer, in place of a one-time code."""

import ipaddress
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from unicodedata import normalize
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from webauthn.helpers import base64url_to_bytes, exceptions, options_to_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

MOST = 10
"""Of one account."""
LONGEST_NAME = 60
WRONG = (exceptions.WebAuthnException, ValueError, KeyError, TypeError)


@dataclass(frozen=True, kw_only=True)
class Passkey:
    """One of an account's."""

    account_id: UUID
    id: UUID
    credential: bytes
    public_key: bytes = field(repr=False)
    sign_count: int
    name: str
    added_at: datetime
    last_used_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an authenticator said to a challenge, checked."""

    credential: bytes
    public_key: bytes = b""
    sign_count: int


class Site:
    """Where the portal is, as passkeys are bound to it: to its name, not to an address."""

    def __init__(self, public_url: str) -> None:
        parts = urlsplit(public_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._name = parts.hostname or ""

    @property
    def possible(self) -> bool:
        """Browsers take passkeys for names only, over HTTPS or on this machine."""
        try:
            ipaddress.ip_address(self._name)
        except ValueError:
            return bool(self._name) and (
                self._origin.startswith("https://") or self._name == "localhost"
            )
        return False

    def creation(self, account_id: UUID, email: str, known: list[Passkey]) -> tuple[bytes, str]:
        """A challenge for a new passkey, and what the browser needs, in JSON."""
        options = webauthn.generate_registration_options(
            rp_id=self._name,
            rp_name="CareSpace",
            user_id=account_id.bytes,
            user_name=email,
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one.credential) for one in known],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.PREFERRED,
            ),
        )
        return options.challenge, options_to_json(options)

    def created(self, said: str) -> Answer | None:
        """The new passkey, if it answers the challenge that is in it and is bound to us."""
        try:
            verified = webauthn.verify_registration_response(
                credential=said,
                expected_challenge=challenge_of(said),
                expected_rp_id=self._name,
                expected_origin=self._origin,
            )
        except WRONG:
            return None
        return Answer(
            credential=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
        )

    def request(self) -> tuple[bytes, str]:
        """A challenge for any passkey of ours, and what the browser needs, in JSON."""
        options = webauthn.generate_authentication_options(rp_id=self._name)
        return options.challenge, options_to_json(options)

    def answered(self, said: str, passkey: Passkey) -> Answer | None:
        """That this passkey answered the challenge in it; none that fell back behind its count."""
        try:
            verified = webauthn.verify_authentication_response(
                credential=said,
                expected_challenge=challenge_of(said),
                expected_rp_id=self._name,
                expected_origin=self._origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
            )
        except WRONG:
            return None
        return Answer(credential=passkey.credential, sign_count=verified.new_sign_count)


def challenge_of(said: str) -> bytes:
    """Which challenge an answer is to; empty for what is none."""
    try:
        client = json.loads(base64url_to_bytes(json.loads(said)["response"]["clientDataJSON"]))
        return base64url_to_bytes(client["challenge"])
    except (*WRONG, RecursionError):
        return b""


def credential_of(said: str) -> bytes:
    """Which credential answers; empty for none."""
    try:
        return base64url_to_bytes(json.loads(said)["rawId"])
    except (*WRONG, RecursionError):
        return b""


def named(text: str) -> str:
    """What its owner calls it."""
    said = re.sub(r"\s+", " ", normalize("NFC", text)).strip()[:LONGEST_NAME]
    return said if said and said.isprintable() else "Passkey"
