"""Links: derived from identity's key, never kept.

A token is `<id>.<version>.<mac>` in base64url: HMAC-SHA-256 over purpose, id and version. A letter
that is written again has the same link, and the next version voids the one before.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Purpose(StrEnum):
    """What a link is for; a link for one thing never passes for another."""

    INVITATION = "invitation"
    RESET = "reset"
    EMAIL = "email"


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a token names."""

    id: UUID
    version: int


class Links:
    """Makes and reads tokens under one key."""

    def __init__(self, key: str) -> None:
        self._key = base64.b64decode(key)
        if len(self._key) < 32:  # noqa: PLR2004
            raise ValueError("CARESPACE_LINK_KEY is to be base64 of 32 bytes or more.")

    def token(self, purpose: Purpose, target: Target) -> str:
        """The token of a link, always the same for the same target."""
        named = f"{_encode(target.id.bytes)}.{target.version}"
        return f"{named}.{_encode(self._mac(purpose, target))}"

    def read(self, purpose: Purpose, token: str) -> Target | None:
        """What the token names, or None for one that is not ours, or not for this."""
        try:
            named, version, mac = token.split(".")
            target = Target(id=UUID(bytes=_decode(named)), version=int(version))
            given = _decode(mac)
        except ValueError:
            return None
        genuine = hmac.compare_digest(given, self._mac(purpose, target))
        return target if genuine and self.token(purpose, target) == token else None

    def _mac(self, purpose: Purpose, target: Target) -> bytes:
        said = f"carespace link {purpose} {target.id} {target.version}"
        return hmac.digest(self._key, said.encode(), hashlib.sha256)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
