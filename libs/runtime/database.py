"""Postgres: a pool per service, a schema per service, walls between practices.

A wall is a setting that row-level security compares each row with: `app.practice` and the like. It
lasts for one transaction. A table behind a wall that was not named gives an error, never rows.
"""

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, TypeAlias

import asyncpg
from aiohttp import web
from asyncpg.pool import PoolConnectionProxy

from libs.runtime import failover, metrics
from libs.runtime.context import Context

Connection: TypeAlias = asyncpg.Connection | PoolConnectionProxy
Pool: TypeAlias = asyncpg.Pool

POOL = web.AppKey("pool", asyncpg.Pool)
POOL_SIZE = 16


def connected(
    url: str, *, schema: str
) -> Callable[[web.Application], AbstractAsyncContextManager[None]]:
    """The application holds a pool that sees only its own schema. It comes up without Postgres."""

    @asynccontextmanager
    async def context(app: web.Application) -> AsyncIterator[None]:
        async with asyncpg.create_pool(
            url,
            min_size=0,
            max_size=POOL_SIZE,
            init=_speak_json,
            reset=_leave_as_it_is,
            command_timeout=failover.COMMAND_WITHIN,
            connect=failover.Hosts(url).connect,
            server_settings={"search_path": schema, "application_name": schema, "jit": "off"},
        ) as pool:
            app[POOL] = pool
            yield

    return context


Database = Annotated[Pool, Context("pool")]
"""A handler's pool. It opens a `transaction` for what it does."""


@asynccontextmanager
async def transaction(pool: Pool, **walls: object) -> AsyncIterator[Connection]:
    """One transaction behind these walls: committed as it ends, rolled back if it raises.

    A server that no longer takes writes is left; the next transaction looks for the one that does.
    """
    asked = time.perf_counter()
    try:
        async with pool.acquire(timeout=failover.COMMAND_WITHIN) as db:
            metrics.POOL_WAIT.observe(time.perf_counter() - asked)
            async with db.transaction():
                if walls:
                    await wall(db, **walls)
                yield db
    except asyncpg.ReadOnlySQLTransactionError:
        await pool.expire_connections()
        raise


async def wall(db: Connection, **walls: object) -> None:
    """Name walls for what is left of the transaction, once it is known whose they are."""
    await db.execute(
        """
        SELECT set_config('app.' || name, value, true)
          FROM unnest($1::text[], $2::text[]) AS w (name, value)
        """,
        list(walls),
        [str(value) for value in walls.values()],
    )


async def migrate(admin: Connection, *, schema: str, package: str) -> list[str]:
    """Apply what this schema has not yet seen, in the order of the files' names.

    The schema and its tables belong to `<schema>_owner`; the service's own role, `<schema>`, owns
    nothing and may read and write rows where no migration took that away.
    """
    applied = []
    async with admin.transaction():
        await admin.execute("SELECT pg_advisory_xact_lock(hashtext($1))", schema)
        await admin.execute(f"SET LOCAL ROLE {schema}_owner")
        await admin.execute(f"SET LOCAL search_path TO {schema}")
        await admin.execute("SET LOCAL lock_timeout = '4s'")
        await admin.execute("SET LOCAL statement_timeout = '60s'")
        await admin.execute("CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY)")
        seen = {row["name"] for row in await admin.fetch("SELECT name FROM migration")}
        for file in migrations(package):
            if file.name not in seen:
                await admin.execute(file.read_text())
                await admin.execute("INSERT INTO migration VALUES ($1)", file.name)
                applied.append(file.name)
    return applied


def migrations(package: str) -> list[Traversable]:
    """The migration files of a service: first those that every service has, then its own."""
    return [*migrations_of("libs.runtime"), *migrations_of(package)]


def migrations_of(owner: str) -> list[Traversable]:
    """The migration files that lie in this package, in the order of their names."""
    folder = resources.files(owner) / "migrations"
    files = (file for file in folder.iterdir() if file.name.endswith(".sql"))
    return sorted(files, key=lambda file: file.name)


async def _speak_json(connection: Connection) -> None:
    await connection.set_type_codec(
        "jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
    )


async def _leave_as_it_is(_: Connection) -> None:
    """A transaction leaves nothing behind that would have to be undone at the server.

    What it sets and locks is its own, and an open one has been rolled back by now; to ask for a
    reset all the same is one round trip more for each.
    """
