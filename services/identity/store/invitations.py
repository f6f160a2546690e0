"""Invitations, of patients and to the staff."""

from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity.invitations import InvitationState
from libs.contracts.identity.refusals import Refusal
from libs.contracts.visa import Role
from libs.runtime.database import Connection
from services.identity.domain.invitation import Invitation

COLUMNS = """practice_id, id, patient_id, role, name, email, date_of_birth, state, version, change,
             sent_at, expires_at, wrong_dates, new_link_wanted_at, wanted, account_id"""


async def save_invitation(db: Connection, invitation: Invitation) -> None:
    """Keep an invitation as it is now."""
    await db.execute(
        """
        INSERT INTO invitation
               (practice_id, id, patient_id, role, name, email, date_of_birth, state, version,
                change, sent_at, expires_at, wrong_dates, new_link_wanted_at, wanted,
                account_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            ON CONFLICT (practice_id, id) DO UPDATE
           SET role = $4, name = $5, email = $6, date_of_birth = $7, state = $8, version = $9,
               change = $10, sent_at = $11, expires_at = $12, wrong_dates = $13,
               new_link_wanted_at = $14, wanted = $15, account_id = $16
        """,
        invitation.practice_id,
        invitation.id,
        invitation.patient_id,
        invitation.role,
        invitation.name,
        invitation.email,
        invitation.date_of_birth,
        invitation.state,
        invitation.version,
        invitation.change,
        invitation.sent_at,
        invitation.expires_at,
        invitation.wrong_dates,
        invitation.new_link_wanted_at,
        invitation.wanted,
        invitation.account_id,
    )


async def find_of_patient(db: Connection, practice_id: UUID, patient_id: UUID) -> Invitation | None:
    """The patient's invitation, held until the transaction ends."""
    row = await db.fetchrow(
        f"""
        SELECT {COLUMNS} FROM invitation
         WHERE practice_id = $1 AND patient_id = $2 FOR UPDATE
        """,  # noqa: S608
        practice_id,
        patient_id,
    )
    return _invitation(row) if row else None


async def find_of_staff(db: Connection, practice_id: UUID, email: str) -> Invitation | None:
    row = await db.fetchrow(
        f"""
        SELECT {COLUMNS} FROM invitation
         WHERE practice_id = $1 AND email = $2 AND role IS NOT NULL FOR UPDATE
        """,  # noqa: S608
        practice_id,
        email,
    )
    return _invitation(row) if row else None


async def find_invitation(db: Connection, invitation_id: UUID) -> Invitation | None:
    """The invitation of this id, held until the transaction ends."""
    row = await db.fetchrow(
        f"SELECT {COLUMNS} FROM invitation WHERE id = $1 FOR UPDATE",  # noqa: S608
        invitation_id,
    )
    return _invitation(row) if row else None


async def lock_invitation(db: Connection, invitation_id: UUID) -> Invitation:
    """The invitation that a link names, held until the transaction ends."""
    found = await find_invitation(db, invitation_id)
    if found is None:
        raise Refused(Refusal.LINK_UNKNOWN)
    return found


async def list_expired(db: Connection, *, now: datetime, limit: int) -> list[UUID]:
    """Invitations whose days are over and whose state does not say so."""
    rows = await db.fetch(
        """
        SELECT id FROM invitation
         WHERE state IN ('invited', 'delivered', 'bounced', 'opened') AND expires_at <= $1
         ORDER BY expires_at
         LIMIT $2
        """,
        now,
        limit,
    )
    return [row["id"] for row in rows]


def _invitation(row: Any) -> Invitation:
    return Invitation(
        **dict(row)
        | {
            "state": InvitationState(row["state"]),
            "role": Role(row["role"]) if row["role"] else None,
        }
    )
