"""Keys of one-time codes that are being set up, recovery codes, and the letters about them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity.refusals import Refusal
from libs.runtime.database import Connection


async def save_pending(
    db: Connection, account_id: UUID, key_id: str, secret: bytes, *, now: datetime
) -> None:
    """A key that is being set up, in place of an earlier one."""
    await db.execute(
        """
        INSERT INTO pending_code (account_id, key_id, secret, begun_at)
        VALUES ($1, $2, $3, $4)
            ON CONFLICT (account_id) DO UPDATE SET key_id = $2, secret = $3, begun_at = $4
        """,
        account_id,
        key_id,
        secret,
        now,
    )


async def find_pending(
    db: Connection, account_id: UUID, *, since: datetime
) -> tuple[str, bytes] | None:
    """The key that is being set up since then: the id of what seals it, and itself."""
    row: Any = await db.fetchrow(
        "SELECT key_id, secret FROM pending_code WHERE account_id = $1 AND begun_at >= $2",
        account_id,
        since,
    )
    return (row["key_id"], row["secret"]) if row else None


async def remove_pending(db: Connection, account_id: UUID) -> None:
    await db.execute("DELETE FROM pending_code WHERE account_id = $1", account_id)


async def save_recovery_codes(db: Connection, account_id: UUID, hashes: Iterable[bytes]) -> None:
    """New codes; none of the older ones works any more."""
    await db.execute("DELETE FROM recovery_code WHERE account_id = $1", account_id)
    await db.executemany(
        "INSERT INTO recovery_code (account_id, hash) VALUES ($1, $2)",
        [(account_id, hash_) for hash_ in hashes],
    )


async def use_recovery_code(db: Connection, account_id: UUID, hash_: bytes) -> bool:
    """A code counts once; False for one that is none, or was used."""
    return bool(
        await db.fetchval(
            "DELETE FROM recovery_code WHERE account_id = $1 AND hash = $2 RETURNING true",
            account_id,
            hash_,
        )
    )


async def count_recovery_codes(db: Connection, account_id: UUID) -> int:
    count: int = await db.fetchval(
        "SELECT count(*) FROM recovery_code WHERE account_id = $1", account_id
    )
    return count


async def add_change(db: Connection, change_id: UUID, account_id: UUID, *, now: datetime) -> None:
    """For the letter that tells the owner."""
    await db.execute(
        "INSERT INTO factor_change (id, account_id, at) VALUES ($1, $2, $3)",
        change_id,
        account_id,
        now,
    )


async def get_change(db: Connection, change_id: UUID) -> tuple[UUID, datetime]:
    """Whose factors were changed, and when."""
    row: Any = await db.fetchrow(
        "SELECT account_id, at FROM factor_change WHERE id = $1", change_id
    )
    if row is None:
        raise Refused(Refusal.LINK_VOID)
    return row["account_id"], row["at"]
