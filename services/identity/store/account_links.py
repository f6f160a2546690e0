"""Links to somebody who has an account: what they are for, not what they look like."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity.refusals import Refusal
from libs.runtime.database import Connection
from services.identity.domain.account_link import EmailChange, Reset


async def add_reset(db: Connection, reset: Reset, *, now: datetime) -> None:
    await db.execute(
        """
        INSERT INTO reset (id, account_id, familiar, asked_at, expires_at)
        VALUES ($1, $2, $3, $4, $5)
        """,
        reset.id,
        reset.account_id,
        reset.familiar,
        now,
        reset.expires_at,
    )


async def void_resets(db: Connection, account_id: UUID) -> None:
    """No earlier link of this account sets a password any more."""
    await db.execute(
        "UPDATE reset SET void = true WHERE account_id = $1 AND used_at IS NULL AND NOT void",
        account_id,
    )


async def count_resets(
    db: Connection,
    account_id: UUID,
    *,
    now: datetime,
    spans: Iterable[timedelta],
    for_strangers: bool = False,
) -> dict[timedelta, int]:
    """How many of these letters were asked for within each span, by anybody or by strangers."""
    rows = await db.fetch(
        """
        SELECT span, count(reset.id) AS sent
          FROM unnest($2::interval[]) AS s (span)
          LEFT JOIN reset ON account_id = $1 AND asked_at > $3::timestamptz - span
                         AND NOT (familiar AND $4)
         GROUP BY span
        """,
        account_id,
        list(spans),
        now,
        for_strangers,
    )
    return {row["span"]: row["sent"] for row in rows}


async def get_reset(db: Connection, reset_id: UUID) -> Reset:
    row: Any = await db.fetchrow(
        "SELECT id, account_id, familiar, expires_at, used_at, void FROM reset WHERE id = $1",
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
        INSERT INTO email_change
               (id, account_id, session_id, old_email, new_email, asked_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        change.id,
        change.account_id,
        change.session_id,
        change.old_email,
        change.new_email,
        now,
        change.expires_at,
    )


async def void_email_changes(db: Connection, account_id: UUID) -> None:
    """No earlier link of this account confirms an address any more."""
    await db.execute(
        """
        UPDATE email_change SET void = true
         WHERE account_id = $1 AND used_at IS NULL AND NOT void
        """,
        account_id,
    )


async def count_email_changes(
    db: Connection, account_id: UUID, *, now: datetime, spans: Iterable[timedelta]
) -> dict[timedelta, int]:
    """How many of these letters were asked for within each span."""
    rows = await db.fetch(
        """
        SELECT span, count(email_change.id) AS sent
          FROM unnest($2::interval[]) AS s (span)
          LEFT JOIN email_change ON account_id = $1 AND asked_at > $3::timestamptz - span
         GROUP BY span
        """,
        account_id,
        list(spans),
        now,
    )
    return {row["span"]: row["sent"] for row in rows}


async def get_email_change(db: Connection, change_id: UUID) -> EmailChange:
    row: Any = await db.fetchrow(
        """
        SELECT id, account_id, session_id, old_email, new_email, expires_at, used_at, void
          FROM email_change
         WHERE id = $1
        """,
        change_id,
    )
    if row is None:
        raise Refused(Refusal.LINK_UNKNOWN)
    return EmailChange(**row)


async def use_email_change(db: Connection, change_id: UUID, *, now: datetime) -> None:
    await db.execute("UPDATE email_change SET used_at = $2 WHERE id = $1", change_id, now)


async def add_password_change(
    db: Connection, change_id: UUID, account_id: UUID, *, now: datetime
) -> None:
    """For the letter that tells the owner."""
    await db.execute(
        "INSERT INTO password_change (id, account_id, at) VALUES ($1, $2, $3)",
        change_id,
        account_id,
        now,
    )


async def get_password_change(db: Connection, change_id: UUID) -> tuple[UUID, datetime]:
    """Whose password was changed, and when."""
    row: Any = await db.fetchrow(
        "SELECT account_id, at FROM password_change WHERE id = $1", change_id
    )
    if row is None:
        raise Refused(Refusal.LINK_VOID)
    return row["account_id"], row["at"]
