"""A service's schema moved to another Postgres, while all other services go on.

Not with pg_dump: the tables there are those that `carespace migrate` made, with their owner,
policies and rights; only rows are copied, in one transaction, and nothing is let in meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import asyncpg

from deploy import databases
from deploy.backup import tables
from deploy.databases import Databases
from deploy.doctor import walls
from deploy.migrate import assure_durable, connected
from deploy.problem import Problem, SaidNo

PIECES = 16
"""Of what was read and is not yet written; a piece is some tens of kilobytes."""

HELD_WITHIN = 5
"""Seconds for another command to end what it has begun."""

Told = Callable[[str, int], None]
"""Who wants to know how far we are: in which table, and how many bytes more."""


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What was copied."""

    service: str
    tables: int
    rows: int
    bytes: int


async def move(there: Databases, service: str, *, tell: Told) -> Moved:
    """All rows, or none of them. The service may not log in any more where they were."""
    to = there.own_url(service)
    if not to:
        raise Problem(f"{databases.setting(service)} is not set: it says where {service} goes.")
    source, target = await connected(there.database_url), await connected(to)
    try:
        await _fit(source, target, service)
        await source.execute(f"ALTER ROLE {service} NOLOGIN")
        try:
            return await _copied(source, target, service, tell)
        except BaseException:
            source.terminate()
            await _let_in(there.database_url, service)
            raise
    finally:
        source.terminate()
        target.terminate()


async def _fit(source: asyncpg.Connection, target: asyncpg.Connection, service: str) -> None:
    """Two servers, the same release on both, and nothing there yet."""
    for db in (source, target):
        await databases.assure_sees_everything(db)
        if not await db.fetchval("SELECT to_regclass($1)", f"{service}.migration"):
            raise Problem(f"The tables of {service} are not in both: run `carespace migrate`.")
    await assure_durable(target)
    await databases.assure_not_moved(source, [service])
    one, other = [
        await db.fetchval("SELECT system_identifier FROM pg_control_system()")
        for db in (source, target)
    ]
    if one == other:
        raise Problem(f"{databases.setting(service)} names the Postgres that {service} is in.")
    if await tables.seen(source, service) != await tables.seen(target, service):
        raise Problem("The tables differ: run `carespace migrate` of this release against both.")
    for name in await tables.in_schema(target, service):
        if await target.fetchval(f"SELECT EXISTS (SELECT FROM {service}.{name})"):  # noqa: S608
            raise SaidNo(f"{service}.{name} holds something already where it should go.")
    if bad := await walls.examined(target, [service]):
        raise SaidNo(f"{bad[0].what} {bad[0].remedy}")


async def _copied(
    source: asyncpg.Connection, target: asyncpg.Connection, service: str, tell: Told
) -> Moved:
    for db in (source, target):
        working = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE usename = $1)"
        if await db.fetchval(working, service):
            raise SaidNo(f"Stop {service} first.")
    names = await tables.in_schema(source, service)
    rows = size = 0
    async with (
        source.transaction(isolation="repeatable_read", readonly=True),
        target.transaction(),
    ):
        await _hold(source, [f"{service}.{name}" for name in names])
        for name in names:
            more, bytes_ = await _table(source, target, f"{service}.{name}", tell)
            rows, size = rows + more, size + bytes_
        await tables.count_on({service: target}, [(service, name) for name in names])
        await target.execute("ANALYZE")
    return Moved(service=service, tables=len(names), rows=rows, bytes=size)


async def _hold(source: asyncpg.Connection, names: list[str]) -> None:
    """Nobody changes a row until we have all of them, not even another command."""
    try:
        await source.execute(f"SET LOCAL lock_timeout = '{HELD_WITHIN}s'")
        await source.execute(f"LOCK TABLE {', '.join(names)} IN SHARE MODE")
    except asyncpg.LockNotAvailableError:
        raise SaidNo("Another command is changing what should go: try again.") from None


async def _table(
    source: asyncpg.Connection, target: asyncpg.Connection, full_name: str, tell: Told
) -> tuple[int, int]:
    """Its rows and bytes, read from one and written to the other at the same time."""
    schema, _, name = full_name.partition(".")
    columns = await tables.columns(source, schema, name)
    read: asyncio.Queue[bytes] = asyncio.Queue(PIECES)
    size = 0

    async def add(piece: bytes) -> None:
        nonlocal size
        size += len(piece)
        tell(full_name, len(piece))
        await read.put(piece)

    async def out() -> str:
        said = await source.copy_from_table(
            name, schema_name=schema, columns=columns, output=add, format="binary", timeout=None
        )
        await read.put(b"")
        return said

    async def pieces() -> AsyncIterator[bytes]:
        while piece := await read.get():
            yield piece

    async with asyncio.TaskGroup() as both:
        reading = both.create_task(out())
        writing = both.create_task(
            target.copy_to_table(
                name,
                schema_name=schema,
                columns=columns,
                source=pieces(),
                format="binary",
                timeout=None,
            )
        )
    taken, written = (int(task.result().split()[1]) for task in (reading, writing))
    if taken != written:
        raise SaidNo(f"{full_name} has {taken} rows, and {written} arrived.")
    return taken, size


async def _let_in(url: str, service: str) -> None:
    """Nothing was moved: the service goes on where it was."""
    db = await connected(url)
    try:
        await db.execute(f"ALTER ROLE {service} LOGIN")
    finally:
        db.terminate()
