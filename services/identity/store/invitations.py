"""Invitations, of patients and to the staff."""

from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity.invitations import InvitationState
from libs.contracts.identity.refusals import Refusal
from libs.contracts.visa import Limit, Role
from libs.runtime.database import Connection
from services.identity.domain.invitation import Invitation, Sharing

COLUMNS = """practice_id, id, patient_id, role, name, email, date_of_birth, state, version, change,
             sent_at, expires_at, wrong_dates, new_link_wanted_at, wanted, account_id,
             invited_by, limits, ends_at, sharing_revision"""


async def save_invitation(db: Connection, invitation: Invitation) -> None:
    """Keep an invitation as it is now."""
    sharing = invitation.sharing
    await db.execute(
        """
        INSERT INTO invitation
               (practice_id, id, patient_id, role, name, email, date_of_birth, state, version,
                change, sent_at, expires_at, wrong_dates, new_link_wanted_at, wanted,
                account_id, invited_by, limits, ends_at, sharing_revision)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                $17, $18, $19, $20)
            ON CONFLICT (practice_id, id) DO UPDATE
           SET role = $4, name = $5, email = $6, date_of_birth = $7, state = $8, version = $9,
               change = $10, sent_at = $11, expires_at = $12, wrong_dates = $13,
               new_link_wanted_at = $14, wanted = $15, account_id = $16,
               invited_by = $17, limits = $18, ends_at = $19, sharing_revision = $20
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
        sharing.invited_by if sharing else None,
        sorted(sharing.limits) if sharing else None,
        sharing.ends_at if sharing else None,
        sharing.revision if sharing else 0,
    )


async def list_own(db: Connection, account_id: UUID) -> list[Invitation]:
    """The invitations by which this account came to be its own patient's, at each practice."""
    rows = await db.fetch(
        f"""
        SELECT {COLUMNS}
          FROM invitation
         WHERE account_id = $1 AND patient_id IS NOT NULL AND invited_by IS NULL
         ORDER BY practice_id
        """,  # noqa: S608
        account_id,
    )
    return [_invitation(row) for row in rows]


async def is_let_in(  # noqa: PLR0913
    db: Connection,
    practice_id: UUID,
    patient_id: UUID,
    *,
    account_id: UUID,
    limit: Limit | None = None,
    now: datetime,
) -> bool:
    """Whether this account may do this with the record now: its patient's own, or let in as far."""
    found: bool = await db.fetchval(
        """
        SELECT EXISTS (
               SELECT FROM invitation
                WHERE practice_id = $1 AND patient_id = $2 AND account_id = $3 AND state = $4
                  AND (invited_by IS NULL OR $5::text IS NULL OR $5 = ANY (limits))
                  AND (ends_at IS NULL OR ends_at > $6))
        """,
        practice_id,
        patient_id,
        account_id,
        InvitationState.REGISTERED,
        limit,
        now,
    )
    return found


async def find_of_patient(db: Connection, practice_id: UUID, patient_id: UUID) -> Invitation | None:
    """The patient's invitation, held until the transaction ends."""
    row = await db.fetchrow(
        f"""
        SELECT {COLUMNS} FROM invitation
         WHERE practice_id = $1 AND patient_id = $2 AND invited_by IS NULL FOR UPDATE
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


async def get_of_staff(db: Connection, practice_id: UUID, invitation_id: UUID) -> Invitation:
    """One to the practice's team, held."""
    row = await db.fetchrow(
        f"""
        SELECT {COLUMNS} FROM invitation
         WHERE practice_id = $1 AND id = $2 AND role IS NOT NULL FOR UPDATE
        """,  # noqa: S608
        practice_id,
        invitation_id,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_COLLEAGUE)
    return _invitation(row)


async def get_of_colleague(db: Connection, practice_id: UUID, account_id: UUID) -> Invitation:
    """The one by which this account has its seat at the practice, held."""
    row = await db.fetchrow(
        f"""
        SELECT {COLUMNS} FROM invitation
         WHERE practice_id = $1 AND account_id = $2 AND role IS NOT NULL AND state = 'registered'
           FOR UPDATE
        """,  # noqa: S608
        practice_id,
        account_id,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_COLLEAGUE)
    return _invitation(row)


async def list_of_staff(db: Connection, practice_id: UUID) -> list[Invitation]:
    """To the practice's team, but for those that ended, by name."""
    rows = await db.fetch(
        f"""
        SELECT {COLUMNS} FROM invitation
         WHERE practice_id = $1 AND role IS NOT NULL AND state <> 'ended'
         ORDER BY name, id
        """,  # noqa: S608
        practice_id,
    )
    return [_invitation(row) for row in rows]


async def find_of_delegate(
    db: Connection, practice_id: UUID, patient_id: UUID, email: str
) -> Invitation | None:
    """The invitation by which this patient lets this address in, held."""
    row = await db.fetchrow(
        f"""
        SELECT {COLUMNS} FROM invitation
         WHERE practice_id = $1 AND patient_id = $2 AND email = $3 AND invited_by IS NOT NULL
           FOR UPDATE
        """,  # noqa: S608
        practice_id,
        patient_id,
        email,
    )
    return _invitation(row) if row else None


async def get_of_delegate(
    db: Connection, practice_id: UUID, patient_id: UUID, invitation_id: UUID
) -> Invitation:
    """One of those by which this patient lets people in, held."""
    row = await db.fetchrow(
        f"""
        SELECT {COLUMNS} FROM invitation
         WHERE practice_id = $1 AND patient_id = $2 AND id = $3 AND invited_by IS NOT NULL
           FOR UPDATE
        """,  # noqa: S608
        practice_id,
        patient_id,
        invitation_id,
    )
    if row is None:
        raise Refused(Refusal.INVITATION_ENDED)
    return _invitation(row)


async def list_of_delegates(
    db: Connection, practice_id: UUID, patient_id: UUID
) -> list[Invitation]:
    """All by which this patient ever let people in, the newest first."""
    rows = await db.fetch(
        f"""
        SELECT {COLUMNS} FROM invitation
         WHERE practice_id = $1 AND patient_id = $2 AND invited_by IS NOT NULL
         ORDER BY sent_at DESC, id
        """,  # noqa: S608
        practice_id,
        patient_id,
    )
    return [_invitation(row) for row in rows]


async def lock_of_delegates(
    db: Connection, practice_id: UUID, patient_id: UUID
) -> list[Invitation]:
    """The same, held until the transaction ends: those who have not answered."""
    rows = await db.fetch(
        f"""
        SELECT {COLUMNS} FROM invitation
         WHERE practice_id = $1 AND patient_id = $2 AND invited_by IS NOT NULL
           AND state NOT IN ('registered', 'ended')
         ORDER BY id
           FOR UPDATE
        """,  # noqa: S608
        practice_id,
        patient_id,
    )
    return [_invitation(row) for row in rows]


async def count_sent(
    db: Connection, practice_id: UUID, patient_id: UUID, *, since: datetime
) -> int:
    """People to whom this patient had a letter sent since then."""
    sent: int = await db.fetchval(
        """
        SELECT count(*) FROM invitation
         WHERE practice_id = $1 AND patient_id = $2 AND invited_by IS NOT NULL AND sent_at > $3
        """,
        practice_id,
        patient_id,
        since,
    )
    return sent


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
    kept = dict(row)
    invited_by, limits, ends_at, revision = (
        kept.pop(name) for name in ("invited_by", "limits", "ends_at", "sharing_revision")
    )
    sharing = None
    if invited_by:
        shared = frozenset(Limit(limit) for limit in limits)
        sharing = Sharing(invited_by=invited_by, limits=shared, ends_at=ends_at, revision=revision)
    return Invitation(
        **kept
        | {
            "state": InvitationState(kept["state"]),
            "role": Role(kept["role"]) if kept["role"] else None,
            "sharing": sharing,
        }
    )
