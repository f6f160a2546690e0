"""Every statement delegation runs: one function, one statement."""

from uuid import UUID

from libs.contracts.visa import Capacity, Limit
from libs.runtime.database import Connection
from services.delegation.domain import Grant


async def add_grant(db: Connection, grant: Grant) -> None:
    """Keep a grant; the same account's own grant for the same patient is already there once."""
    await db.execute(
        """
        INSERT INTO access_grant
               (practice_id, id, patient_id, account_id, capacity, limits, granted_at, ends_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT DO NOTHING
        """,
        grant.practice_id,
        grant.id,
        grant.patient_id,
        grant.account_id,
        grant.capacity,
        sorted(grant.limits),
        grant.granted_at,
        grant.ends_at,
    )


async def list_grants(db: Connection, account_id: UUID) -> list[Grant]:
    """Every grant that this account ever had, at every practice."""
    rows = await db.fetch(
        """
        SELECT practice_id, id, patient_id, account_id, capacity, limits,
               granted_at, ends_at, revoked_at
          FROM access_grant
         WHERE account_id = $1
        """,
        account_id,
    )
    return [
        Grant(
            **dict(row)
            | {
                "capacity": Capacity(row["capacity"]),
                "limits": frozenset(Limit(limit) for limit in row["limits"]),
            }
        )
        for row in rows
    ]
