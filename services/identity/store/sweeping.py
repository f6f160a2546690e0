"""What is long over, by when it was; swept now and then, whosesoever it was."""

from datetime import datetime, timedelta

from libs.runtime.database import Connection
from services.identity.domain.session import LONGEST
from services.identity.domain.throttle import IN_A_ROW

KEPT = {
    "session": ("last_seen_at", LONGEST),
    "reset": ("asked_at", timedelta(days=30)),
    "email_change": ("asked_at", timedelta(days=30)),
    "password_change": ("at", timedelta(days=30)),
    "factor_change": ("at", timedelta(days=30)),
    "pending_code": ("begun_at", timedelta(hours=1)),
    "challenge": ("asked_at", timedelta(hours=1)),
    "chart_opened": ("at", timedelta(days=30)),
    "access_ended": ("at", timedelta(days=30)),
    "sign_in": ("at", timedelta(days=400)),
    "attempt": ("latest", timedelta(days=400)),
    "familiar": ("latest", timedelta(days=90)),
}
"""How long rows are of use after the moment in that column."""
WINDOWS = timedelta(days=1)
"""How long a count is kept that a pause ends; those that only the owner ends are kept longer."""


async def sweep(db: Connection, *, now: datetime) -> None:
    """Forget what is long over."""
    for table, (column, kept) in KEPT.items():
        await db.execute(f"DELETE FROM {table} WHERE {column} < $1", now - kept)  # noqa: S608
    await db.execute(
        "DELETE FROM attempt WHERE latest < $1 AND scope <> ALL ($2)", now - WINDOWS, list(IN_A_ROW)
    )
