"""The walls between practices, and what a service's own role may do."""

import asyncio
from contextlib import nullcontext
from uuid import uuid4

import asyncpg
import pytest
from aiohttp import web

from libs.contracts import registry
from libs.runtime import database
from libs.runtime.database import transaction
from tests.servers import Servers


async def test_every_table_with_a_practice_is_behind_a_wall_even_for_its_owner(
    servers: Servers,
) -> None:
    admin = await asyncpg.connect(servers.database_url("admin"))
    open_tables = await admin.fetch(
        """
        SELECT c.oid::regclass::text AS name
          FROM pg_class c
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'practice_id'
         WHERE c.relkind IN ('r', 'p')
           AND c.relnamespace::regnamespace::text = ANY($1)
           AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
        """,
        list(registry.services()),
    )
    await admin.close()
    assert [table["name"] for table in open_tables] == []


async def test_a_services_role_owns_nothing_and_may_not_go_around_the_walls(
    servers: Servers,
) -> None:
    admin = await asyncpg.connect(servers.database_url("admin"))
    owned = await admin.fetch(
        """
        SELECT c.oid::regclass::text AS name
          FROM pg_class c
          JOIN pg_roles r ON r.oid = c.relowner
         WHERE r.rolname = ANY($1)
        """,
        list(registry.services()),
    )
    powers = await admin.fetch(
        """
        SELECT rolname FROM pg_roles
         WHERE rolname = ANY($1)
           AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)
        """,
        [*registry.services(), *(f"{name}_owner" for name in registry.services())],
    )
    await admin.close()
    assert (owned, powers) == ([], [])


async def test_without_a_wall_there_is_an_error_and_behind_another_there_is_nothing(
    clean: Servers,
) -> None:
    pool = await asyncpg.create_pool(
        clean.database_url("messaging"), server_settings={"search_path": "messaging"}
    )
    here, there, rosa = uuid4(), uuid4(), uuid4()
    add = "INSERT INTO mailbox (practice_id, patient_id, opened_at) VALUES ($1, $2, now())"
    async with pool:
        async with transaction(pool, practice=here) as db:
            await db.execute(add, here, rosa)
        async with transaction(pool, practice=there) as db:
            assert await db.fetch("SELECT * FROM mailbox") == []
            assert await db.execute("DELETE FROM mailbox") == "DELETE 0"
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await db.execute(add, here, uuid4())
        for _ in range(2):  # on a connection that had a wall before, and on a fresh one
            with pytest.raises((asyncpg.UndefinedObjectError, asyncpg.DataError)):
                async with transaction(pool) as db:
                    await db.fetch("SELECT * FROM mailbox")
            await pool.expire_connections()
        async with transaction(pool, practice=here) as db:
            assert len(await db.fetch("SELECT * FROM mailbox")) == 1


async def test_a_connection_keeps_nothing_of_whom_it_served_before(clean: Servers) -> None:
    """Whether that one ended well, failed, or was broken off."""
    app = web.Application()
    url = clean.database_url("messaging")
    async with database.connected(url, schema="messaging")(app):
        pool = app[database.POOL]
        for statement, ending in (
            ("SELECT 1", nullcontext()),
            ("SELECT 1 / 0", pytest.raises(asyncpg.DivisionByZeroError)),
            ("SELECT pg_sleep(9)", pytest.raises(TimeoutError)),
        ):
            with ending:
                async with asyncio.timeout(0.5), transaction(pool, practice=uuid4()) as db:
                    await db.execute(statement)
            async with transaction(pool) as db:
                assert not await db.fetchval("SELECT current_setting('app.practice', true)")
        assert pool.get_size() == 1
