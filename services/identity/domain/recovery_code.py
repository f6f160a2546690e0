"""Recovery codes: for somebody whose authenticator app is gone. Each works once."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from uuid import UUID

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what is easily taken for something else."""
LENGTH = 12
"""Characters: 59 random bits."""


def new_code() -> str:
    """As it is written down: abcd-efgh-jkmn"""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(drawn[start : start + 4] for start in range(0, LENGTH, 4))


def typed(text: str) -> str | None:
    """A recovery code as somebody typed it; None for what is none."""
    plain = re.sub(r"[\s-]", "", text).lower()
    return plain if len(plain) == LENGTH and set(plain) <= set(ALPHABET) else None


@dataclass(frozen=True, kw_only=True)
class Blind:
    """Keeps codes as HMACs under identity's key, so that a dump of the table opens nothing."""

    key: bytes = field(repr=False)

    def of(self, account_id: UUID, code: str) -> bytes:
        """What is kept of a code."""
        said = f"recovery code {account_id} {typed(code)}"
        return hmac.digest(self.key, said.encode(), hashlib.sha256)
