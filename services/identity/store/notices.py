"""What letters to the owners of accounts tell of."""

from dataclasses import astuple
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity.refusals import Refusal
from libs.runtime.database import Connection
from services.identity.domain.notices import AccessEnded, ChartOpened


async def add_chart_opened(db: Connection, notice: ChartOpened) -> None:
    await db.execute(
        """
        INSERT INTO chart_opened (id, account_id, practice_id, patient_id, at)
        VALUES ($1, $2, $3, $4, $5)
        """,
        *astuple(notice),
    )


async def get_chart_opened(db: Connection, notice_id: UUID) -> ChartOpened:
    row: Any = await db.fetchrow("SELECT * FROM chart_opened WHERE id = $1", notice_id)
    if row is None:
        raise Refused(Refusal.LINK_VOID)
    return ChartOpened(**row)


async def add_access_ended(db: Connection, notice: AccessEnded) -> None:
    await db.execute(
        """
        INSERT INTO access_ended (id, account_id, practice_id, patient_id, invitation_id, at)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        *astuple(notice),
    )


async def get_access_ended(db: Connection, notice_id: UUID) -> AccessEnded:
    row: Any = await db.fetchrow("SELECT * FROM access_ended WHERE id = $1", notice_id)
    if row is None:
        raise Refused(Refusal.LINK_VOID)
    return AccessEnded(**row)
