"""Failures, counted where every replica sees them."""

from collections.abc import Mapping
from datetime import datetime

from libs.runtime.database import Connection
from services.identity.domain.throttle import WINDOW, Count, Scope


async def list_counts(db: Connection, who: Mapping[Scope, bytes]) -> list[Count]:
    rows = await db.fetch(
        """
        SELECT a.scope, a.failures, a.since
          FROM attempt a
          JOIN unnest($1::text[], $2::bytea[]) AS w (scope, who)
            ON a.scope = w.scope AND a.who = w.who
        """,
        list(who),
        list(who.values()),
    )
    return [
        Count(scope=Scope(row["scope"]), failures=row["failures"], since=row["since"])
        for row in rows
    ]


async def add_failure(db: Connection, who: Mapping[Scope, bytes], *, now: datetime) -> None:
    """One more for each; a count whose window is over begins anew, but for an account's own."""
    await db.execute(
        """
        INSERT INTO attempt AS a (scope, who, failures, since)
        SELECT scope, who, 1, $3::timestamptz
          FROM unnest($1::text[], $2::bytea[]) AS w (scope, who)
         ORDER BY scope, who
            ON CONFLICT (scope, who) DO UPDATE
           SET (failures, since) = (
                SELECT CASE WHEN anew THEN 1 ELSE a.failures + 1 END,
                       CASE WHEN anew THEN $3::timestamptz ELSE a.since END
                  FROM (SELECT a.scope <> 'account'
                           AND a.since + $4::interval <= $3::timestamptz AS anew) AS window_over)
        """,
        list(who),
        list(who.values()),
        now,
        WINDOW,
    )


async def forget(db: Connection, who: Mapping[Scope, bytes]) -> None:
    """The right person came: what was counted of them is forgotten."""
    await db.execute(
        """
        DELETE FROM attempt a
         USING unnest($1::text[], $2::bytea[]) AS w (scope, who)
         WHERE a.scope = w.scope AND a.who = w.who
        """,
        list(who),
        list(who.values()),
    )
