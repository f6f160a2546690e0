"""Accounts and their staff seats."""

from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.staff import Colleague
from libs.contracts.visa import Role
from libs.runtime.database import Connection
from services.identity.domain.account import Account
from services.identity.domain.team import Seat

COLUMNS = """id, email, name, date_of_birth, password_hash, password_set_at, code_key_id,
             code_secret, code_used_step, last_login_at, active"""


async def add_account(db: Connection, account: Account, *, terms_version: str) -> bool:
    """Keep a new account; False if somebody has this address already."""
    return bool(
        await db.fetchval(
            """
            INSERT INTO account (id, email, name, date_of_birth, password_hash, password_set_at,
                                 code_key_id, code_secret, terms_version, terms_at, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $6, $6)
                ON CONFLICT (email) DO NOTHING
            RETURNING true
            """,
            account.id,
            account.email,
            account.name,
            account.date_of_birth,
            account.password_hash,
            account.password_set_at,
            account.code_key_id,
            account.code_secret,
            terms_version,
        )
    )


async def find_by_email(db: Connection, email: str) -> Account | None:
    """Whoever has this address, behind its own wall or that of the account."""
    row = await db.fetchrow(f"SELECT {COLUMNS} FROM account WHERE email = $1", email)  # noqa: S608
    return Account(**row) if row else None


async def get_account(db: Connection, account_id: UUID) -> Account:
    row = await db.fetchrow(
        f"SELECT {COLUMNS} FROM account WHERE id = $1",  # noqa: S608
        account_id,
    )
    return _account(row)


async def find_name(db: Connection, account_id: UUID) -> str:
    """What they are called; "" for an account that is no more."""
    return await db.fetchval("SELECT name FROM account WHERE id = $1", account_id) or ""


async def lock_account(db: Connection, account_id: UUID) -> Account:
    """The account, held until the transaction ends: its password, sessions and links change one
    at a time."""
    row = await db.fetchrow(
        f"SELECT {COLUMNS} FROM account WHERE id = $1 FOR UPDATE",  # noqa: S608
        account_id,
    )
    return _account(row)


async def save_password(
    db: Connection, account_id: UUID, password_hash: str, *, now: datetime
) -> None:
    await db.execute(
        "UPDATE account SET password_hash = $2, password_set_at = $3 WHERE id = $1",
        account_id,
        password_hash,
        now,
    )


async def save_rehash(db: Connection, account_id: UUID, password_hash: str) -> None:
    """The same password under today's parameters."""
    await db.execute(
        "UPDATE account SET password_hash = $2 WHERE id = $1", account_id, password_hash
    )


async def save_code(db: Connection, account_id: UUID, key_id: str, sealed: bytes) -> None:
    """A secret of one-time codes, for somebody who had none."""
    await db.execute(
        """
        UPDATE account SET code_key_id = $2, code_secret = $3, code_used_step = 0 WHERE id = $1
        """,
        account_id,
        key_id,
        sealed,
    )


async def remove_code(db: Connection, account_id: UUID) -> None:
    """No one-time codes any more."""
    await db.execute(
        "UPDATE account SET code_key_id = NULL, code_secret = NULL WHERE id = $1", account_id
    )


async def use_code(db: Connection, account_id: UUID, step: int) -> bool:
    """A one-time code's step counts once; False if it or a later one was used."""
    return bool(
        await db.fetchval(
            """
            UPDATE account SET code_used_step = $2
             WHERE id = $1 AND code_used_step < $2
            RETURNING true
            """,
            account_id,
            step,
        )
    )


async def save_login(db: Connection, account_id: UUID, *, now: datetime) -> None:
    await db.execute("UPDATE account SET last_login_at = $2 WHERE id = $1", account_id, now)


async def save_email(db: Connection, account_id: UUID, email: str) -> None:
    await db.execute("UPDATE account SET email = $2 WHERE id = $1", account_id, email)


async def add_seat(db: Connection, practice_id: UUID, account_id: UUID, role: Role) -> None:
    await db.execute(
        """
        INSERT INTO seat (practice_id, account_id, role) VALUES ($1, $2, $3)
            ON CONFLICT (practice_id, account_id) DO UPDATE SET role = $3
        """,
        practice_id,
        account_id,
        role,
    )


async def find_seat(db: Connection, account_id: UUID) -> UUID | None:
    """The practice where the account has a staff seat; of several, always the same one."""
    practice_id: UUID | None = await db.fetchval(
        "SELECT practice_id FROM seat WHERE account_id = $1 ORDER BY practice_id LIMIT 1",
        account_id,
    )
    return practice_id


async def list_colleagues(db: Connection, practice_id: UUID) -> list[Colleague]:
    """Everyone with a seat at the practice, by the name that they were invited under."""
    rows = await db.fetch(
        """
        SELECT s.account_id, i.name, s.role
          FROM seat s
          JOIN invitation i ON i.practice_id = s.practice_id AND i.account_id = s.account_id
                           AND i.role IS NOT NULL
         WHERE s.practice_id = $1
         ORDER BY i.name, s.account_id
        """,
        practice_id,
    )
    return [
        Colleague(account_id=row["account_id"], name=row["name"], role=Role(row["role"]))
        for row in rows
    ]


async def lock_seats(db: Connection, practice_id: UUID) -> list[Seat]:
    """Every seat at the practice, held until the transaction ends: roles change one at a time."""
    rows = await db.fetch(
        "SELECT account_id, role FROM seat WHERE practice_id = $1 ORDER BY account_id FOR UPDATE",
        practice_id,
    )
    return [Seat(account_id=row["account_id"], role=Role(row["role"])) for row in rows]


async def remove_seat(db: Connection, practice_id: UUID, account_id: UUID) -> None:
    await db.execute(
        "DELETE FROM seat WHERE practice_id = $1 AND account_id = $2", practice_id, account_id
    )


async def find_role(db: Connection, account_id: UUID, practice_id: UUID) -> Role | None:
    """What the account does at this practice, if it still has a seat there."""
    role = await db.fetchval(
        "SELECT role FROM seat WHERE account_id = $1 AND practice_id = $2",
        account_id,
        practice_id,
    )
    return Role(role) if role else None


def _account(row: Any) -> Account:
    if row is None:
        raise Refused(Refusal.NO_SESSION)
    return Account(**row)
