"""Roles, schemas and walls in Postgres, as `carespace migrate` makes them."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from deploy import migrate
from libs.contracts import registry
from tests.servers import Servers

ROOT = Path(__file__).parents[2]
SERVICES = registry.services()


@pytest.fixture
async def admin(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    db = await asyncpg.connect(servers.database_url("admin"))
    yield db
    await db.close()


@pytest.fixture
async def empty(servers: Servers, admin: asyncpg.Connection) -> AsyncIterator[str]:
    """The name of a database in which nothing is yet."""
    name = f"empty_{uuid4().hex}"
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield name
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def test_a_second_time_applies_nothing(servers: Servers, empty: str) -> None:
    db = await asyncpg.connect(servers.database_url("admin", empty))
    assert await migrate.missing(db)
    await migrate.roles(db, servers.keys.postgres)
    applied = await migrate.migrations(db)
    assert set(SERVICES) == {name.split("/")[0] for name in applied}
    assert await migrate.missing(db) == []
    await migrate.roles(db, servers.keys.postgres)
    assert await migrate.migrations(db) == []
    await db.close()


async def test_two_at_once_do_each_other_no_harm(servers: Servers, empty: str) -> None:
    async def one() -> list[str]:
        db = await asyncpg.connect(servers.database_url("admin", empty))
        await migrate.roles(db, {})
        applied = await migrate.migrations(db)
        await db.close()
        return applied

    first, second = await asyncio.gather(one(), one())
    assert set(first).isdisjoint(second)
    assert len(first) + len(second) == len(set(first) | set(second)) > 0


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_owns_nothing_and_stands_behind_every_wall(
    admin: asyncpg.Connection, service: str
) -> None:
    role = await admin.fetchrow(
        """
        SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,
               EXISTS (SELECT FROM pg_class WHERE relowner = r.oid) AS owns,
               EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid) AS belongs,
               has_schema_privilege(oid, rolname::text, 'CREATE') AS may_create,
               has_schema_privilege(oid, 'public', 'CREATE') AS may_create_in_public
          FROM pg_roles r
         WHERE rolname = $1
        """,
        service,
    )
    assert role
    assert not any(role.values())


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_reads_no_other_services_table(servers: Servers, service: str) -> None:
    db = await asyncpg.connect(servers.database_url(service))
    for other in SERVICES:
        if other != service:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await db.fetch(f"SELECT * FROM {other}.outbox")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db.execute(f"SET ROLE {service}_owner")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db.execute(f"DELETE FROM {service}.migration")
    await db.close()


async def test_every_table_of_a_practice_has_its_wall(admin: asyncpg.Connection) -> None:
    """Enabled, forced on the owner too, and with a policy: whatever table comes later."""
    open_tables = await admin.fetch(
        """
        SELECT format('%I.%I', n.nspname, c.relname) AS name
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'practice_id'
         WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p')
           AND NOT (c.relrowsecurity AND c.relforcerowsecurity
                    AND EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid))
        """,
        list(SERVICES),
    )
    assert [row["name"] for row in open_tables] == []


async def test_no_view_or_function_goes_around_the_walls(admin: asyncpg.Connection) -> None:
    around = await admin.fetch(
        """
        SELECT format('%I.%I', n.nspname, p.proname) AS name
          FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE n.nspname = ANY($1) AND p.prosecdef
        UNION ALL
        SELECT format('%I.%I', n.nspname, c.relname)
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = ANY($1) AND c.relkind IN ('v', 'm')
           AND NOT coalesce('security_invoker=true' = ANY(c.reloptions), false)
        """,
        list(SERVICES),
    )
    assert [row["name"] for row in around] == []


def carespace(servers: Servers, database: str, *words: str) -> "subprocess.CompletedProcess[str]":
    passwords = ",".join(f"{role}:{servers.keys.postgres[role]}" for role in SERVICES)
    environ = {
        "CARESPACE_DATABASE_URL": servers.database_url("admin", database),
        "CARESPACE_NATS_URL": servers.nats_url,
        "CARESPACE_NATS_CREDENTIALS": servers.credentials("provisioner"),
        "CARESPACE_ROLE_PASSWORDS": passwords,
    }
    return subprocess.run(
        [sys.executable, "-m", "deploy", "migrate", *words],
        check=False,
        cwd=ROOT,
        env=dict(os.environ) | environ,
        capture_output=True,
        text=True,
    )


async def test_the_command_prepares_an_empty_database(servers: Servers, empty: str) -> None:
    before = await asyncio.to_thread(carespace, servers, empty, "--check", "--json")
    assert before.returncode == 1, before.stderr
    assert (
        "The migration delegation/0000_outbox.sql is not applied."
        in json.loads(before.stdout)["differs"]
    )
    done = await asyncio.to_thread(carespace, servers, empty)
    assert done.returncode == 0, done.stderr
    assert "delegation/0000_outbox.sql is applied." in done.stdout
    after = await asyncio.to_thread(carespace, servers, empty, "--check")
    assert (after.returncode, after.stdout) == (0, "All is as it should be.\n")
