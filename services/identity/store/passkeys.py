"""Passkeys, and the challenges that they answer."""

from datetime import datetime
from typing import Any
from uuid import UUID

from libs.runtime.database import Connection
from services.identity.domain.passkey import Passkey


async def add_challenge(
    db: Connection, challenge: bytes, account_id: UUID | None, *, now: datetime
) -> None:
    await db.execute(
        "INSERT INTO challenge (challenge, account_id, asked_at) VALUES ($1, $2, $3)",
        challenge,
        account_id,
        now,
    )


async def use_challenge(
    db: Connection, challenge: bytes, account_id: UUID | None, *, since: datetime
) -> bool:
    """A challenge is answered once; False for one that is none, too old, or for another."""
    return bool(
        await db.fetchval(
            """
            DELETE FROM challenge
             WHERE challenge = $1 AND account_id IS NOT DISTINCT FROM $2 AND asked_at >= $3
            RETURNING true
            """,
            challenge,
            account_id,
            since,
        )
    )


async def add_passkey(db: Connection, passkey: Passkey) -> None:
    await db.execute(
        """
        INSERT INTO passkey (account_id, id, credential, public_key, sign_count, name, added_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        passkey.account_id,
        passkey.id,
        passkey.credential,
        passkey.public_key,
        passkey.sign_count,
        passkey.name,
        passkey.added_at,
    )


async def list_passkeys(db: Connection, account_id: UUID) -> list[Passkey]:
    """The account's, in the order in which they were added."""
    rows = await db.fetch("SELECT * FROM passkey WHERE account_id = $1 ORDER BY id", account_id)
    return [Passkey(**row) for row in rows]


async def find_passkey(db: Connection, account_id: UUID, credential: bytes) -> Passkey | None:
    """The account's passkey with this credential, held."""
    row: Any = await db.fetchrow(
        "SELECT * FROM passkey WHERE account_id = $1 AND credential = $2 FOR UPDATE",
        account_id,
        credential,
    )
    return Passkey(**row) if row else None


async def save_used(db: Connection, passkey: Passkey, *, sign_count: int, now: datetime) -> None:
    await db.execute(
        "UPDATE passkey SET sign_count = $3, last_used_at = $4 WHERE account_id = $1 AND id = $2",
        passkey.account_id,
        passkey.id,
        sign_count,
        now,
    )


async def remove_passkey(db: Connection, account_id: UUID, passkey_id: UUID) -> bool:
    """Whether it was there."""
    return bool(
        await db.fetchval(
            "DELETE FROM passkey WHERE account_id = $1 AND id = $2 RETURNING true",
            account_id,
            passkey_id,
        )
    )


async def remove_all(db: Connection, account_id: UUID) -> None:
    await db.execute("DELETE FROM passkey WHERE account_id = $1", account_id)
