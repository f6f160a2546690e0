"""Which tables there are, in an order in which they can be filled, and what they have seen."""

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter

import asyncpg

from libs.contracts import registry


async def ordered(db: asyncpg.Connection) -> list[tuple[str, str]]:
    """Schema and name of every table, each after those that it refers to."""
    rows = await db.fetch(
        """
        SELECT n.nspname AS schema, c.relname AS name,
               array_remove(array_agg(DISTINCT f.relname), NULL) AS refers_to
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_constraint k
            ON k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid
          LEFT JOIN pg_class f ON f.oid = k.confrelid
         WHERE c.relkind = 'r' AND n.nspname = ANY($1) AND c.relname <> 'migration'
         GROUP BY 1, 2
         ORDER BY 1, 2
        """,
        registry.services(),
    )
    order: list[tuple[str, str]] = []
    for service in registry.services():
        graph = {row["name"]: row["refers_to"] for row in rows if row["schema"] == service}
        order += [(service, name) for name in TopologicalSorter(graph).static_order()]
    return order


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


async def migrations(db: asyncpg.Connection) -> Mapping[str, list[str]]:
    """By service: what its schema has seen."""
    return {
        service: [
            row["name"]
            for row in await db.fetch(f"SELECT name FROM {service}.migration ORDER BY name")  # noqa: S608
        ]
        for service in registry.services()
    }


async def filled(db: asyncpg.Connection) -> list[str]:
    """The tables that hold anything."""
    return [
        f"{schema}.{name}"
        for schema, name in await ordered(db)
        if await db.fetchval(f"SELECT EXISTS (SELECT FROM {schema}.{name})")  # noqa: S608
    ]


async def count_on(db: asyncpg.Connection, tables: Iterable[tuple[str, str]]) -> None:
    """Columns that count by themselves go on after the largest there is."""
    for schema, name in tables:
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
