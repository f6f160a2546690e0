"""An account belongs to a person. What they know of it is never told from what they do not."""

from dataclasses import dataclass, field
from datetime import date, datetime
from unicodedata import category, normalize
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity.refusals import Refusal

LONGEST_NAME = 100


@dataclass(frozen=True, kw_only=True)
class Account:
    """Somebody who can log in."""

    id: UUID
    email: str
    name: str
    date_of_birth: date
    password_hash: str = field(repr=False)
    password_set_at: datetime
    code_key_id: str | None
    code_secret: bytes | None = field(repr=False)
    code_used_step: int
    last_login_at: datetime | None
    active: bool


def still_so(now: Account, before: Account) -> bool:
    """What a password was checked against a moment ago: another may have been set meanwhile."""
    return now.active and now.password_set_at == before.password_set_at


def named(text: str) -> str:
    """A name as somebody gives it of themselves: one line of what can be seen, in any script."""
    said = normalize("NFC", " ".join(text.split()))
    if not any(category(character)[0] in "LN" for character in said):
        raise Refused(Refusal.NAME_MISSING)
    if len(said) > LONGEST_NAME or not said.isprintable():
        raise Refused(Refusal.NAME_NOT_USABLE)
    return said


def greeting(name: str) -> str:
    """How a letter speaks to a person."""
    return name.split(" ", 1)[0]
