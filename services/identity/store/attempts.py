"""Failures, counted where every replica sees them, and where people came in from before."""

from collections.abc import Collection
from datetime import datetime

from libs.runtime.database import Connection
from services.identity.domain.throttle import IN_A_ROW, PAUSED, WINDOW, Count, Guess, Scope

ROWS = """
    SELECT scope,
           CASE WHEN scope IN ('source', 'asking') THEN ''::bytea ELSE $2::bytea END AS who,
           CASE WHEN scope IN ('strangers', 'inside') THEN ''::bytea ELSE $3::bytea END AS source
      FROM unnest($1::text[]) AS s (scope)
"""
"""The row of each scope, for who tries ($2) and from where ($3)."""
IS_OVER = """
    a.scope <> ALL ($6::text[])
    AND CASE WHEN a.scope = ANY ($7::text[]) THEN a.latest ELSE a.since END
        <= $4::timestamptz - $5::interval
"""
"""Whether a count's window ($5) is over now ($4): never for those in a row ($6), for those with a
pause ($7) a window after the latest."""


async def is_familiar(db: Connection, guess: Guess) -> bool:
    """Whether somebody came in as this one from this source before."""
    return bool(
        await db.fetchval(
            "SELECT true FROM familiar WHERE who = $1 AND source = $2", guess.who, guess.source
        )
    )


async def list_counts(
    db: Connection, guess: Guess, scopes: Collection[Scope], *, now: datetime
) -> list[Count]:
    """The failures so far, without those whose window is over."""
    rows = await db.fetch(
        f"""
        SELECT a.scope, a.failures
          FROM attempt AS a
          JOIN ({ROWS}) AS tried USING (scope, who, source)
         WHERE NOT ({IS_OVER})
        """,  # noqa: S608
        list(scopes),
        guess.who,
        guess.source,
        now,
        WINDOW,
        list(IN_A_ROW),
        list(PAUSED),
    )
    return [Count(scope=Scope(row["scope"]), failures=row["failures"]) for row in rows]


async def count_try(
    db: Connection, guess: Guess, scopes: Collection[Scope], *, now: datetime
) -> list[Count]:
    """One more for each, this try included; a count whose window is over begins anew."""
    rows = await db.fetch(
        f"""
        INSERT INTO attempt AS a (scope, who, source, failures, since, latest)
        SELECT scope, who, source, 1, $4::timestamptz, $4::timestamptz
          FROM ({ROWS}) AS tried
         ORDER BY scope
            ON CONFLICT (scope, who, source) DO UPDATE
           SET (failures, since, latest) = (
                   SELECT CASE WHEN anew THEN 1 ELSE a.failures + 1 END,
                          CASE WHEN anew THEN $4 ELSE a.since END,
                          greatest(a.latest, $4)
                     FROM (SELECT {IS_OVER}) AS is_over (anew)
               )
        RETURNING scope, failures
        """,  # noqa: S608
        list(scopes),
        guess.who,
        guess.source,
        now,
        WINDOW,
        list(IN_A_ROW),
        list(PAUSED),
    )
    return [Count(scope=Scope(row["scope"]), failures=row["failures"]) for row in rows]


async def give_back(db: Connection, guess: Guess, scopes: Collection[Scope]) -> None:
    """That was no try: nothing was checked, or nobody guessed."""
    for scope in scopes:
        await db.execute(
            f"""
            UPDATE attempt AS a SET failures = a.failures - 1
              FROM ({ROWS}) AS tried
             WHERE a.scope = tried.scope AND a.who = tried.who AND a.source = tried.source
               AND a.failures > 0
            """,  # noqa: S608
            [scope],
            guess.who,
            guess.source,
        )


async def forget(db: Connection, guess: Guess, scopes: Collection[Scope]) -> None:
    """The right person came: what was counted of these is forgotten."""
    for scope in scopes:
        await db.execute(
            f"""
            DELETE FROM attempt AS a
             USING ({ROWS}) AS tried
             WHERE a.scope = tried.scope AND a.who = tried.who AND a.source = tried.source
            """,  # noqa: S608
            [scope],
            guess.who,
            guess.source,
        )


async def lift(db: Connection, who: Collection[bytes]) -> None:
    """The owner came by the link in an e-mail: everything counted of them is forgotten."""
    await db.execute(
        """
        WITH held AS (
            SELECT scope, who, source FROM attempt WHERE who = ANY ($1)
             ORDER BY scope, who, source
               FOR UPDATE
        )
        DELETE FROM attempt a USING held
         WHERE a.scope = held.scope AND a.who = held.who AND a.source = held.source
        """,
        list(who),
    )


async def remember(db: Connection, guess: Guess, *, now: datetime) -> None:
    """The owner came in from here."""
    await db.execute(
        """
        INSERT INTO familiar (who, source, latest) VALUES ($1, $2, $3)
            ON CONFLICT (who, source) DO UPDATE SET latest = $3
        """,
        guess.who,
        guess.source,
        now,
    )


async def move_familiar(db: Connection, *, before: bytes, after: bytes) -> None:
    """The owner has another address now, and comes in from where they always did."""
    await db.execute(
        """
        WITH known AS (DELETE FROM familiar WHERE who = $1 RETURNING source, latest)
        INSERT INTO familiar (who, source, latest) SELECT $2, source, latest FROM known
            ON CONFLICT (who, source) DO UPDATE SET latest = excluded.latest
        """,
        before,
        after,
    )
