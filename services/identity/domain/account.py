"""An account belongs to a person. What they know of it is never told from what they do not."""

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID


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


def greeting(name: str) -> str:
    """How a letter speaks to a person."""
    return name.split(" ", 1)[0]
