"""Sessions, by the hash of their token."""

from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity.refusals import Refusal
from libs.runtime.database import Connection
from services.identity.domain.session import IDLE, LONGEST, Session

COLUMNS = """id, account_id, seat_practice_id AS practice_id, device, source, started_at,
             last_seen_at, previous_login_at, proven_at"""


async def add_session(db: Connection, session: Session, token_hash: bytes) -> None:
    await db.execute(
        """
        INSERT INTO session (id, account_id, token_hash, seat_practice_id, device, source,
                             started_at, last_seen_at, previous_login_at, proven_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9)
        """,
        session.id,
        session.account_id,
        token_hash,
        session.practice_id,
        session.device,
        session.source,
        session.started_at,
        session.previous_login_at,
        session.proven_at,
    )


async def add_sign_in(db: Connection, session: Session) -> None:
    """Write down that somebody came in, for longer than the session lasts."""
    await db.execute(
        """
        INSERT INTO sign_in (account_id, at, session_id, source, device, staff)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        session.account_id,
        session.started_at,
        session.id,
        session.source,
        session.device,
        session.practice_id is not None,
    )


async def get_session(db: Connection, token_hash: bytes) -> Session:
    """The session of this token, over or not."""
    row: Any = await db.fetchrow(
        f"SELECT {COLUMNS} FROM session WHERE token_hash = $1",  # noqa: S608
        token_hash,
    )
    if row is None:
        raise Refused(Refusal.NO_SESSION)
    return Session(**row)


async def find_session(db: Connection, session_id: UUID) -> Session | None:
    """The session with this id, behind its account's wall."""
    row: Any = await db.fetchrow(
        f"SELECT {COLUMNS} FROM session WHERE id = $1",  # noqa: S608
        session_id,
    )
    return Session(**row) if row else None


async def save_proven(db: Connection, session_id: UUID, *, now: datetime) -> None:
    """Everything that a log-in asks for was shown just now."""
    await db.execute("UPDATE session SET proven_at = $2 WHERE id = $1", session_id, now)


async def touch(db: Connection, session: Session, *, now: datetime) -> None:
    """It was used just now."""
    await db.execute(
        "UPDATE session SET last_seen_at = greatest(last_seen_at, $2) WHERE id = $1",
        session.id,
        now,
    )


async def list_sessions(db: Connection, account_id: UUID, *, now: datetime) -> list[Session]:
    """The account's sessions that hold, newest first."""
    rows = await db.fetch(
        f"""
        SELECT {COLUMNS} FROM session
         WHERE account_id = $1 AND last_seen_at > $2 AND started_at > $3
         ORDER BY last_seen_at DESC, id DESC
        """,  # noqa: S608
        account_id,
        now - IDLE,
        now - LONGEST,
    )
    return [Session(**row) for row in rows]


async def end_session(db: Connection, token_hash: bytes) -> UUID | None:
    """End the session of this token; its id, or None if there was none."""
    ended: UUID | None = await db.fetchval(
        "DELETE FROM session WHERE token_hash = $1 RETURNING id", token_hash
    )
    return ended


async def end_one(db: Connection, account_id: UUID, session_id: UUID) -> list[UUID]:
    """End one of the account's own sessions."""
    rows = await db.fetch(
        "DELETE FROM session WHERE account_id = $1 AND id = $2 RETURNING id",
        account_id,
        session_id,
    )
    return [row["id"] for row in rows]


async def end_at_practice(db: Connection, account_id: UUID, practice_id: UUID) -> list[UUID]:
    """End the account's sessions at its seat there, behind its wall."""
    rows = await db.fetch(
        "DELETE FROM session WHERE account_id = $1 AND seat_practice_id = $2 RETURNING id",
        account_id,
        practice_id,
    )
    return [row["id"] for row in rows]


async def end_others(db: Connection, account_id: UUID, *, but: UUID | None) -> list[UUID]:
    """End every session of the account but this one."""
    rows = await db.fetch(
        "DELETE FROM session WHERE account_id = $1 AND id IS DISTINCT FROM $2 RETURNING id",
        account_id,
        but,
    )
    return [row["id"] for row in rows]
