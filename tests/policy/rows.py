"""Whether anything changed in any table: a sum over every row of every service."""

from uuid import UUID

import asyncpg

from libs.contracts import registry

NOT_WATCHED = {
    "identity.session": ("last_seen_at",),
    "identity.practice_key": ("last_used_at",),
    "notifier.mail_job": ("leased_until", "due_at", "tries", "state", "sent_at", "answer"),
}
"""Columns that change by themselves: a session or a key that is used, a letter on its way."""

ONES_OWN = ("delegation.ended_invitation",)
"""An end is written down before it is known whether there is anything to end, so that an acceptance
which is still on its way comes late; behind the wall of the practice that said so, and never about
another's invitation."""

SEEN = ("records.activity", "records.activity_head")
"""What somebody saw who may see it stands in the log: a form that is refused in words comes back on
the page that it was on. `test_requests` watches these, where no page is around a refusal."""


async def sums(
    admin: asyncpg.Connection, *, practice_id: UUID | None = None
) -> dict[str, tuple[int, int]]:
    """Of each table, how many rows it has and what they come to; all, or those of a practice."""
    tables = await admin.fetch(
        """
        SELECT format('%s.%s', schemaname, tablename) AS name FROM pg_tables
         WHERE schemaname = ANY($1) AND tablename NOT IN ('migration', 'outbox', 'inbox')
        """,
        list(registry.services()),
    )
    found = {}
    for table in {row["name"] for row in tables} - {*ONES_OWN, *SEEN}:
        left_out = list(NOT_WATCHED.get(table, ()))
        row = await admin.fetchrow(
            f"""
            SELECT count(*),
                   coalesce(sum(hashtextextended((to_jsonb(t) - $1::text[])::text, 0)), 0) AS sum
              FROM {table} AS t
             WHERE $2::text IS NULL OR to_jsonb(t) ->> 'practice_id' = $2
            """,
            left_out,
            str(practice_id) if practice_id else None,
        )
        assert row
        found[table] = (row["count"], int(row["sum"]))
    return found


async def quiet(admin: asyncpg.Connection) -> dict[str, tuple[int, int]]:
    """The sums, once what was begun before has come to rest."""
    from tests.waiting import until

    before: dict[str, tuple[int, int]] = {}

    async def at_rest() -> bool:
        nonlocal before
        earlier, before = before, await sums(admin)
        waiting = await admin.fetchval(
            " UNION ALL ".join(
                f"SELECT position FROM {name}.outbox" for name in registry.services()
            )
        )
        return earlier == before and waiting is None

    await until(at_rest, within=30)
    return before
