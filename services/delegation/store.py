"""Every statement delegation runs: one function, one statement."""

from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.delegation import Refusal
from libs.contracts.visa import Capacity, Limit
from libs.runtime.database import Connection
from services.delegation.domain import Grant

COLUMNS = """practice_id, id, patient_id, account_id, capacity, limits, granted_at, ends_at,
             revoked_at, invitation_id, version, granted_by, revoked_by, by_practice, reason,
             revision"""


async def add_grant(db: Connection, grant: Grant) -> None:
    """Keep a grant; the same account's own grant for the same patient is already there once."""
    await db.execute(
        """
        INSERT INTO access_grant
               (practice_id, id, patient_id, account_id, capacity, limits, granted_at, ends_at,
                invitation_id, version, granted_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
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
        grant.invitation_id,
        grant.version,
        grant.granted_by,
    )


async def list_grants(db: Connection, account_id: UUID) -> list[Grant]:
    """Every grant that this account ever had, at every practice, and whether its record is open."""
    rows = await db.fetch(
        f"""
        SELECT {COLUMNS}, coalesce(active, true) AS open
          FROM access_grant LEFT JOIN standing USING (practice_id, patient_id)
         WHERE account_id = $1
        """,  # noqa: S608
        account_id,
    )
    return [_grant(row) for row in rows]


async def list_delegates(db: Connection, practice_id: UUID, patient_id: UUID) -> list[Grant]:
    """Every grant that others ever had for this patient, the newest first."""
    rows = await db.fetch(
        f"""
        SELECT {COLUMNS} FROM access_grant
         WHERE practice_id = $1 AND patient_id = $2 AND capacity = 'delegate'
         ORDER BY granted_at DESC, id
        """,  # noqa: S608
        practice_id,
        patient_id,
    )
    return [_grant(row) for row in rows]


async def lock_holding(
    db: Connection, practice_id: UUID, patient_id: UUID, invitation_id: UUID, *, up_to: int
) -> list[Grant]:
    """What came of an invitation up to this version and was not revoked, held."""
    rows = await db.fetch(
        f"""
        SELECT {COLUMNS} FROM access_grant
         WHERE practice_id = $1 AND patient_id = $2 AND invitation_id = $3 AND version <= $4
           AND revoked_at IS NULL
           FOR UPDATE
        """,  # noqa: S608
        practice_id,
        patient_id,
        invitation_id,
        up_to,
    )
    return [_grant(row) for row in rows]


async def get_holding(
    db: Connection, practice_id: UUID, patient_id: UUID, invitation_id: UUID, version: int
) -> Grant:
    """What came of this version of an invitation and was not revoked, held."""
    row = await db.fetchrow(
        f"""
        SELECT {COLUMNS} FROM access_grant
         WHERE practice_id = $1 AND patient_id = $2 AND invitation_id = $3 AND version = $4
           AND revoked_at IS NULL
           FOR UPDATE
        """,  # noqa: S608
        practice_id,
        patient_id,
        invitation_id,
        version,
    )
    if row is None:
        raise Refused(Refusal.ACCESS_OVER)
    return _grant(row)


async def find_of_account(
    db: Connection, practice_id: UUID, patient_id: UUID, account_id: UUID, grant_id: UUID
) -> Grant | None:
    """This account's own access to somebody else's record, if it was not revoked, held."""
    row = await db.fetchrow(
        f"""
        SELECT {COLUMNS} FROM access_grant
         WHERE practice_id = $1 AND patient_id = $2 AND account_id = $3 AND id = $4
           AND capacity = 'delegate' AND revoked_at IS NULL
           FOR UPDATE
        """,  # noqa: S608
        practice_id,
        patient_id,
        account_id,
        grant_id,
    )
    return _grant(row) if row else None


async def save_changed(db: Connection, grant: Grant) -> None:
    """What it gives from now on, and until when."""
    await db.execute(
        """
        UPDATE access_grant SET limits = $3, ends_at = $4, revision = $5
         WHERE practice_id = $1 AND id = $2
        """,
        grant.practice_id,
        grant.id,
        sorted(grant.limits),
        grant.ends_at,
        grant.revision,
    )


async def save_revoked(db: Connection, grant: Grant) -> None:
    """Who ended it, when, and why."""
    await db.execute(
        """
        UPDATE access_grant SET revoked_at = $3, revoked_by = $4, by_practice = $5, reason = $6
         WHERE practice_id = $1 AND id = $2
        """,
        grant.practice_id,
        grant.id,
        grant.revoked_at,
        grant.revoked_by,
        grant.by_practice,
        grant.reason,
    )


async def hold_invitation(db: Connection, invitation_id: UUID) -> None:
    """Its acceptance and its end come one after the other, also where neither has a row yet."""
    await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", str(invitation_id))


async def end_invitation(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    patient_id: UUID,
    invitation_id: UUID,
    version: int,
    *,
    now: datetime,
) -> None:
    """Up to this version, nothing more comes of it."""
    await db.execute(
        """
        INSERT INTO ended_invitation (practice_id, patient_id, invitation_id, version, ended_at)
        VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (practice_id, patient_id, invitation_id)
            DO UPDATE SET version = greatest(ended_invitation.version, $4), ended_at = $5
        """,
        practice_id,
        patient_id,
        invitation_id,
        version,
        now,
    )


async def find_ended(
    db: Connection, practice_id: UUID, patient_id: UUID, invitation_id: UUID
) -> int | None:
    """The version up to which an invitation was ended; None if it was not."""
    ended: int | None = await db.fetchval(
        """
        SELECT version FROM ended_invitation
         WHERE practice_id = $1 AND patient_id = $2 AND invitation_id = $3
        """,
        practice_id,
        patient_id,
        invitation_id,
    )
    return ended


async def save_standing(
    db: Connection, practice_id: UUID, patient_id: UUID, *, active: bool, change: int
) -> None:
    """Whether the record is open, unless something newer is known."""
    await db.execute(
        """
        INSERT INTO standing (practice_id, patient_id, active, change) VALUES ($1, $2, $3, $4)
            ON CONFLICT (practice_id, patient_id)
            DO UPDATE SET active = $3, change = $4 WHERE standing.change < $4
        """,
        practice_id,
        patient_id,
        active,
        change,
    )


def _grant(row: Any) -> Grant:
    return Grant(
        **dict(row)
        | {
            "capacity": Capacity(row["capacity"]),
            "limits": frozenset(Limit(limit) for limit in row["limits"]),
        }
    )
