"""Which tables there are, in an order in which they can be filled, and what they have seen."""

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter

import asyncpg

from deploy.databases import Connections
from libs.contracts import registry


async def ordered(dbs: Connections) -> list[tuple[str, str]]:
    """Schema and name of every table, each after those that it refers to."""
    order: list[tuple[str, str]] = []
    for service in registry.services():
        order += [(service, name) for name in await in_schema(dbs[service], service)]
    return order


async def in_schema(db: asyncpg.Connection, schema: str) -> list[str]:
    """The names of its tables, each after those that it refers to."""
    rows = await db.fetch(
        """
        SELECT c.relname AS name,
               array_remove(array_agg(DISTINCT f.relname), NULL) AS refers_to
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_constraint k
            ON k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid
          LEFT JOIN pg_class f ON f.oid = k.confrelid
         WHERE c.relkind = 'r' AND n.nspname = $1 AND c.relname <> 'migration'
         GROUP BY 1
         ORDER BY 1
        """,
        schema,
    )
    graph = {row["name"]: row["refers_to"] for row in rows}
    return list(TopologicalSorter(graph).static_order())


async def columns(db: asyncpg.Connection, schema: str, name: str) -> tuple[str, ...]:
    """A table's columns."""
    rows = await db.fetch(
        """
        SELECT attname AS name
          FROM pg_attribute
         WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
               AND attgenerated = ''
         ORDER BY attnum
        """,
        f"{schema}.{name}",
    )
    return tuple(row["name"] for row in rows)


async def migrations(dbs: Connections) -> Mapping[str, list[str]]:
    """By service: what its schema has seen."""
    return {service: await seen(db, service) for service, db in dbs.items()}


async def seen(db: asyncpg.Connection, schema: str) -> list[str]:
    """The migrations that this schema has seen."""
    rows = await db.fetch(f"SELECT name FROM {schema}.migration ORDER BY name")  # noqa: S608
    return [row["name"] for row in rows]


async def filled(dbs: Connections) -> list[str]:
    """The tables that hold anything."""
    return [
        f"{schema}.{name}"
        for schema, name in await ordered(dbs)
        if await dbs[schema].fetchval(f"SELECT EXISTS (SELECT FROM {schema}.{name})")  # noqa: S608
    ]


async def count_on(dbs: Connections, tables: Iterable[tuple[str, str]]) -> None:
    """Columns that count by themselves go on after the largest there is."""
    for schema, name in tables:
        db = dbs[schema]
        counting = await db.fetch(
            """
            SELECT attname AS column, pg_get_serial_sequence($1, attname) AS sequence
              FROM pg_attribute
             WHERE attrelid = to_regclass($1) AND attidentity <> ''
            """,
            f"{schema}.{name}",
        )
        for row in counting:
            largest = f"SELECT coalesce(max({row['column']}), 0) + 1 FROM {schema}.{name}"  # noqa: S608
            await db.execute(f"SELECT setval('{row['sequence']}', ({largest}), false)")
