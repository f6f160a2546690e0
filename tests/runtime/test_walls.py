"""The walls between practices, and what a service's own role may do."""

from uuid import uuid4

import asyncpg
import pytest

from libs.contracts import registry
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
