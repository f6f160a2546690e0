"""The rules of a practice's import keys."""

import hashlib
import secrets
from datetime import datetime, timedelta

from libs.contracts.identity.import_keys import OVERLAP

EXACT_TO = timedelta(minutes=1)
"""How exactly it is kept when a key was last used."""


def new_key() -> str:
    """256 random bits, as a machine shows them."""
    return secrets.token_urlsafe(32)


def digest(key: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).digest()


def older_end(*, at_once: bool, now: datetime) -> datetime:
    """When keys that were there before end, at the latest."""
    return now if at_once else now + OVERLAP
