"""Accounts, their seats, and the links that change them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity import Refusal
from libs.contracts.visa import Role
from libs.runtime.database import Connection


@dataclass(frozen=True, kw_only=True)
class Account:
    """Somebody who can log in."""

    id: UUID
    email: str
    name: str
    date_of_birth: date
    password_hash: str
    code_key_id: str | None
    code_secret: bytes | None
    code_used_step: int
    last_login_at: datetime | None
    active: bool


COLUMNS = """id, email, name, date_of_birth, password_hash, code_key_id, code_secret,
             code_used_step, last_login_at, active"""


async def add_account(
    db: Connection, account: Account, *, terms_version: str, now: datetime
) -> bool:
    """Keep a new account; False if somebody has this address already."""
    return bool(
        await db.fetchval(
            """
            INSERT INTO account (id, email, name, date_of_birth, password_hash, password_set_at,
                                 code_key_id, code_secret, terms_version, terms_at, created_at)
            VALUES ($1, $2, $3, $4, $5, $8, $6, $7, $9, $8, $8)
                ON CONFLICT (email) DO NOTHING
            RETURNING true
            """,
            account.id,
            account.email,
            account.name,
            account.date_of_birth,
            account.password_hash,
            account.code_key_id,
            account.code_secret,
            now,
            terms_version,
        )
    )


async def find_by_email(db: Connection, email: str) -> Account | None:
    row = await db.fetchrow(f"SELECT {COLUMNS} FROM account WHERE email = $1", email)  # noqa: S608
    return Account(**row) if row else None


async def get_account(db: Connection, account_id: UUID) -> Account:
    row: Any = await db.fetchrow(
        f"SELECT {COLUMNS} FROM account WHERE id = $1",  # noqa: S608
        account_id,
    )
    if row is None:
        raise Refused(Refusal.NO_SESSION)
    return Account(**row)


async def save_password(
    db: Connection, account_id: UUID, password_hash: str, *, now: datetime
) -> None:
    await db.execute(
        "UPDATE account SET password_hash = $2, password_set_at = $3 WHERE id = $1",
        account_id,
        password_hash,
        now,
    )


async def save_rehash(db: Connection, account_id: UUID, old: str, new: str) -> None:
    """The same password under today's parameters, unless it was changed in the meantime."""
    await db.execute(
        "UPDATE account SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
        account_id,
        old,
        new,
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


async def find_seat(db: Connection, account_id: UUID) -> tuple[UUID, Role] | None:
    """The account's staff seat: its practice and role."""
    row = await db.fetchrow(
        """
        SELECT practice_id, role FROM seat WHERE account_id = $1 ORDER BY practice_id LIMIT 1
        """,
        account_id,
    )
    return (row["practice_id"], Role(row["role"])) if row else None


async def add_password_change(
    db: Connection, change_id: UUID, account_id: UUID, *, now: datetime
) -> None:
    await db.execute(
        "INSERT INTO password_change (id, account_id, at) VALUES ($1, $2, $3)",
        change_id,
        account_id,
        now,
    )


async def get_password_change(db: Connection, change_id: UUID) -> tuple[UUID, datetime]:
    row: Any = await db.fetchrow(
        "SELECT account_id, at FROM password_change WHERE id = $1", change_id
    )
    if row is None:
        raise Refused(Refusal.LINK_VOID)
    return row["account_id"], row["at"]
