"""Links to somebody who has an account: to set a password, or to confirm an address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity.refusals import Refusal

RESET_LIFETIME = timedelta(hours=1)
EMAIL_LIFETIME = timedelta(hours=24)
MOST_LETTERS = {timedelta(hours=1): 3, timedelta(days=1): 10}
"""Letters of one kind to one account within each span, at most."""
MOST_FOR_STRANGERS = {timedelta(hours=1): 2, timedelta(hours=8): 3, timedelta(days=1): 7}
"""Of these, reset links asked for from where the owner never came in from. What is left is for the
owner, and a stranger who asks all day leaves a letter for a new device every 8 hours."""


@dataclass(frozen=True, kw_only=True)
class AccountLink:
    """How far a link has come."""

    id: UUID
    account_id: UUID
    expires_at: datetime
    used_at: datetime | None = None
    void: bool = False


@dataclass(frozen=True, kw_only=True)
class Reset(AccountLink):
    """A link that sets a password."""

    familiar: bool
    """Asked for from where the owner came in from before."""


@dataclass(frozen=True, kw_only=True)
class EmailChange(AccountLink):
    """A link that confirms an address."""

    session_id: UUID
    """The session that asked for it, which goes on as the others end."""
    old_email: str
    new_email: str


def check(link: AccountLink, *, now: datetime) -> None:
    """The link works now; else why it does not. Its last moment is no longer inside."""
    if link.used_at:
        raise Refused(Refusal.LINK_USED)
    if link.void:
        raise Refused(Refusal.LINK_VOID)
    if now >= link.expires_at:
        raise Refused(Refusal.LINK_EXPIRED)


def one_more(
    sent: Mapping[timedelta, int], *, most: Mapping[timedelta, int] = MOST_LETTERS
) -> bool:
    """Whether another letter may go, after so many within each span."""
    return all(sent[span] < number for span, number in most.items())
