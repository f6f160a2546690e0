"""Every service's database role at every table of every service: what the policy says, no more."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest

from deploy import postgres
from libs.contracts import registry
from libs.runtime.database import wall
from tests.policy.policy import POLICY, VERBS
from tests.servers import Servers

STATEMENTS = {
    "SELECT": "EXPLAIN SELECT * FROM {table}",
    "INSERT": "EXPLAIN INSERT INTO {table} DEFAULT VALUES",
    "UPDATE": "EXPLAIN UPDATE {table} SET {column} = DEFAULT",
    "DELETE": "EXPLAIN DELETE FROM {table}",
    "TRUNCATE": "TRUNCATE {table} CASCADE",
    "ALTER": "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    "OPEN": "CREATE POLICY open ON {table} USING (true)",
    "TRIGGER": "CREATE TRIGGER spy AFTER INSERT ON {table} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "DROP": "DROP TABLE {table} CASCADE",
}
"""What can be done to a table and its rows; an explained statement is judged and not done."""


@asynccontextmanager
async def connected(servers: Servers, role: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(servers.database_url(role))
    try:
        yield connection
    finally:
        await connection.close()


async def tables(servers: Servers) -> dict[str, str]:
    """Every table and view, with the name of one of its columns."""
    async with connected(servers, "admin") as admin:
        rows = await admin.fetch(
            """
            SELECT format('%I.%I', n.nspname, c.relname) AS name, quote_ident(a.attname) AS column
              FROM pg_class c
              JOIN pg_namespace n ON n.oid = c.relnamespace
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1
             WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
            """,
            list(registry.services()),
        )
    return {row["name"]: row["column"] for row in rows}


async def may(db: asyncpg.Connection, statement: str) -> bool:
    """Whether the role is let do it; nothing of it stays."""
    attempt = db.transaction()
    await attempt.start()
    try:
        await wall(db, practice=uuid4())
        await db.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return False
    finally:
        await attempt.rollback()
    return True


async def test_every_table_is_in_the_policy_and_no_other(servers: Servers) -> None:
    assert set(await tables(servers)) == POLICY.tables.keys()


@pytest.mark.parametrize("role", registry.services())
async def test_a_services_role_may_do_what_the_policy_says_and_nothing_else(
    servers: Servers, role: str
) -> None:
    tried, done = 0, set()
    async with connected(servers, role) as db:
        for table, column in (await tables(servers)).items():
            for verb, statement in STATEMENTS.items():
                tried += 1
                if await may(db, statement.format(table=table, column=column)):
                    done.add((table, verb))
    allowed = {
        (table, verb)
        for table, verbs in POLICY.tables.items()
        if table.startswith(f"{role}.")
        for verb in verbs
    }
    print(f"{role}: {tried} statements, {len(done)} of them its own")
    assert done == allowed
    assert {verb for _, verb in done} <= {*VERBS.values()}


@pytest.mark.parametrize("role", registry.services())
async def test_a_services_role_makes_nothing_and_becomes_nobody_else(
    servers: Servers, role: str
) -> None:
    others = [
        f"SET ROLE {other}" for other in (*registry.services(), postgres.SUPERUSER) if other != role
    ]
    owners = [f"SET ROLE {owner}_owner" for owner in registry.services()]
    made = [f"CREATE TABLE {schema}.mine (id int)" for schema in (*registry.services(), "public")]
    async with connected(servers, role) as db:
        for statement in (*others, *owners, *made, "CREATE SCHEMA mine", "CREATE ROLE mine"):
            assert not await may(db, statement), statement


async def test_nothing_runs_with_anothers_rights(servers: Servers) -> None:
    """No function and no view that a wall does not hold for."""
    async with connected(servers, "admin") as admin:
        functions = await admin.fetch(
            "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace::regnamespace::text = ANY($1)",
            list(registry.services()),
        )
        views = await admin.fetch(
            """
            SELECT relname FROM pg_class
             WHERE relkind IN ('v', 'm') AND relnamespace::regnamespace::text = ANY($1)
               AND NOT coalesce('security_invoker=true' = ANY(reloptions), false)
            """,
            list(registry.services()),
        )
    assert (functions, views) == ([], [])


async def test_nobody_can_pass_on_what_they_may(servers: Servers) -> None:
    """And nothing is everyone's."""
    async with connected(servers, "admin") as admin:
        rights = await admin.fetch(
            """
            SELECT c.relname, a.privilege_type
              FROM pg_class c, aclexplode(c.relacl) a
             WHERE c.relnamespace::regnamespace::text = ANY($1)
               AND (a.grantee = 0
                    OR a.is_grantable AND a.grantee <> c.relowner
                    OR a.grantee NOT IN (c.relowner, c.relnamespace::regnamespace::text::regrole))
            """,
            list(registry.services()),
        )
    assert rights == []
