"""Statements that one service signs and another believes without asking (Ed25519, RFC 8032).

A sealed statement is `<issuer>.<json>.<signature>`, the last two in base64url. The signature covers
the kind of statement too, so that one kind never passes for another.
"""

import base64
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from libs.contracts.base import Contract


class Statement(Protocol):
    """Anything that says until when it holds."""

    @property
    def expires_at(self) -> datetime: ...


class Unsealed(Exception):
    """Not a statement we believe: forged, of another kind, from someone else, or out of date."""


S = TypeVar("S", bound=Contract)


class Seal:
    """The private half: only its issuer has it."""

    def __init__(self, issuer: str, private_key: str) -> None:
        self._issuer = issuer
        self._key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private_key))

    def close(self, statement: Contract) -> str:
        """The statement, sealed."""
        body = statement.model_dump_json().encode()
        signature = self._key.sign(_signed(type(statement), self._issuer, body))
        return f"{self._issuer}.{_encode(body)}.{_encode(signature)}"


class Seals:
    """The public halves of everyone whose statements we read."""

    def __init__(self, public_keys: Mapping[str, str]) -> None:
        self._keys = {
            issuer: Ed25519PublicKey.from_public_bytes(base64.b64decode(key))
            for issuer, key in public_keys.items()
        }

    def open(self, sealed: str, kind: type[S], *, issuers: Collection[str], now: datetime) -> S:
        """The statement inside, if one of these issuers made it and it still holds."""
        try:
            issuer, encoded, signature = sealed.split(".")
            if issuer not in issuers:
                raise Unsealed
            body = _decode(encoded)
            self._keys[issuer].verify(_decode(signature), _signed(kind, issuer, body))
            statement = kind.model_validate_json(body)
        except (ValueError, KeyError, InvalidSignature):
            raise Unsealed from None
        if getattr(statement, "expires_at") <= now:  # noqa: B009
            raise Unsealed
        return statement


def keys_from(setting: str) -> dict[str, str]:
    """`identity:<base64>,delegation:<base64>` as a mapping."""
    return dict(pair.split(":", 1) for pair in setting.split(",") if pair)


def _signed(kind: type[Contract], issuer: str, body: bytes) -> bytes:
    return f"carespace.{kind.__name__}.{issuer}.".encode() + body


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
