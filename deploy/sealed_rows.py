"""Everything in the databases that lies under a master key: where it is, and how it opens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import asyncpg

from libs.runtime.keyring import Damaged, KeyRing
from libs.vault.content import binds_data_key
from services.identity.means import binds_code


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A table whose rows each hold something that a master key has sealed."""

    table: str
    key_id: str
    sealed: str
    """The columns of the key's id, and of what is sealed."""
    row: tuple[str, ...]
    """The columns that tell a row from all others."""
    belongs_to: Callable[[Any], str]
    """What it is bound to, from those columns."""

    @property
    def service(self) -> str:
        """Whose schema it is in."""
        return self.table.partition(".")[0]

    async def counted(self, db: asyncpg.Connection) -> dict[str, int]:
        """Rows under each key."""
        rows = await db.fetch(
            f"""
            SELECT {self.key_id} AS key_id, count(*) AS rows
              FROM {self.table}
             WHERE {self.sealed} IS NOT NULL
             GROUP BY 1
            """  # noqa: S608
        )
        return {row["key_id"]: row["rows"] for row in rows}

    async def some(self, db: asyncpg.Connection, key_id: str, *, most: int) -> list[Any]:
        """Rows under this key, locked if we are in a transaction that may write."""
        columns = ", ".join(self.row)
        rows: list[Any] = await db.fetch(
            f"""
            SELECT {columns}, {self.key_id} AS key_id, {self.sealed} AS sealed
              FROM {self.table}
             WHERE {self.key_id} = $1 AND {self.sealed} IS NOT NULL
             LIMIT $2
            """,  # noqa: S608
            key_id,
            most,
        )
        return rows

    async def others(self, db: asyncpg.Connection, key_id: str, *, most: int) -> list[Any]:
        """Rows under any other key, for us alone until the transaction ends."""
        columns = ", ".join(self.row)
        rows: list[Any] = await db.fetch(
            f"""
            SELECT {columns}, {self.key_id} AS key_id, {self.sealed} AS sealed
              FROM {self.table}
             WHERE {self.key_id} <> $1 AND {self.sealed} IS NOT NULL
             ORDER BY {columns}
             LIMIT $2
               FOR UPDATE
            """,  # noqa: S608
            key_id,
            most,
        )
        return rows

    async def save(self, db: asyncpg.Connection, row: Any, key_id: str, sealed: bytes) -> None:
        """The same, under another key."""
        which = " AND ".join(f"{name} = ${n}" for n, name in enumerate(self.row, start=3))
        await db.execute(
            f"UPDATE {self.table} SET {self.key_id} = $1, {self.sealed} = $2 WHERE {which}",  # noqa: S608
            key_id,
            sealed,
            *(row[name] for name in self.row),
        )

    def opened(self, ring: KeyRing, row: Any) -> bytes:
        """What is sealed, or `Damaged`."""
        return ring.unwrap(row["key_id"], row["sealed"], belongs_to=self.belongs_to(row))

    def opens(self, ring: KeyRing, row: Any) -> bool:
        """Whether this ring opens it."""
        try:
            self.opened(ring, row)
        except Damaged:
            return False
        return True


def _data_keys(service: str) -> Sealed:
    return Sealed(
        table=f"{service}.data_key",
        key_id="key_id",
        sealed="wrapped",
        row=("practice_id", "owner_id"),
        belongs_to=lambda row: binds_data_key(row["practice_id"], row["owner_id"]),
    )


PLACES = (
    _data_keys("records"),
    _data_keys("messaging"),
    Sealed(
        table="identity.account",
        key_id="code_key_id",
        sealed="code_secret",
        row=("id",),
        belongs_to=lambda row: binds_code(row["id"]),
    ),
    Sealed(
        table="identity.pending_code",
        key_id="key_id",
        sealed="secret",
        row=("account_id",),
        belongs_to=lambda row: binds_code(row["account_id"]),
    ),
)
"""All of them. A test finds every column that holds a key's id, and looks for it here."""
