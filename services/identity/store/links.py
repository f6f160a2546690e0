"""Links to set a password or to confirm an address: what they are for, not what they look like."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity import Refusal
from libs.runtime.database import Connection


@dataclass(frozen=True, kw_only=True)
class Reset:
    """A link that sets a password."""

    id: UUID
    account_id: UUID
    version: int
    expires_at: datetime
    used_at: datetime | None
    void: bool


@dataclass(frozen=True, kw_only=True)
class EmailChange:
    """A link that confirms an address."""

    id: UUID
    account_id: UUID
    old_email: str
    new_email: str
    expires_at: datetime
    used_at: datetime | None
    void: bool


def check(link: Reset | EmailChange, *, now: datetime) -> None:
    """The link works now; else why it does not."""
    if link.used_at:
        raise Refused(Refusal.LINK_USED)
    if link.void:
        raise Refused(Refusal.LINK_VOID)
    if now >= link.expires_at:
        raise Refused(Refusal.LINK_EXPIRED)


async def add_reset(
    db: Connection, reset_id: UUID, account_id: UUID, *, now: datetime, lifetime: timedelta
) -> None:
    await db.execute(
        """
        INSERT INTO reset (id, account_id, version, asked_at, expires_at)
        VALUES ($1, $2, 1, $3, $4)
        """,
        reset_id,
        account_id,
        now,
        now + lifetime,
    )


async def void_resets(db: Connection, account_id: UUID) -> None:
    """No earlier link of this account sets a password any more."""
    await db.execute(
        "UPDATE reset SET void = true WHERE account_id = $1 AND used_at IS NULL", account_id
    )


async def count_resets(db: Connection, account_id: UUID, *, after: datetime) -> int:
    count: int = await db.fetchval(
        "SELECT count(*) FROM reset WHERE account_id = $1 AND asked_at > $2", account_id, after
    )
    return count


async def lock_reset(db: Connection, reset_id: UUID) -> Reset:
    """The link, held until the transaction ends."""
    row: Any = await db.fetchrow(
        """
        SELECT id, account_id, version, expires_at, used_at, void
          FROM reset WHERE id = $1 FOR UPDATE
        """,
        reset_id,
    )
    if row is None:
        raise Refused(Refusal.LINK_UNKNOWN)
    return Reset(**row)


async def use_reset(db: Connection, reset_id: UUID, *, now: datetime) -> None:
    await db.execute("UPDATE reset SET used_at = $2 WHERE id = $1", reset_id, now)


async def add_email_change(db: Connection, change: EmailChange, *, now: datetime) -> None:
    await db.execute(
        """
        INSERT INTO email_change (id, account_id, old_email, new_email, asked_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        change.id,
        change.account_id,
        change.old_email,
        change.new_email,
        now,
        change.expires_at,
    )


async def void_email_changes(db: Connection, account_id: UUID) -> None:
    await db.execute(
        "UPDATE email_change SET void = true WHERE account_id = $1 AND used_at IS NULL", account_id
    )


async def lock_email_change(db: Connection, change_id: UUID) -> EmailChange:
    row: Any = await db.fetchrow(
        """
        SELECT id, account_id, old_email, new_email, expires_at, used_at, void
          FROM email_change WHERE id = $1 FOR UPDATE
        """,
        change_id,
    )
    if row is None:
        raise Refused(Refusal.LINK_UNKNOWN)
    return EmailChange(**row)


async def use_email_change(db: Connection, change_id: UUID, *, now: datetime) -> None:
    await db.execute("UPDATE email_change SET used_at = $2 WHERE id = $1", change_id, now)
