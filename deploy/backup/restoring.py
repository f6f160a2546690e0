"""Putting a backup into an empty installation."""

import json
from base64 import b64decode
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from deploy import databases, streams
from deploy.administrator import Administrator
from deploy.backup import tables
from deploy.backup.folder import Backup, Manifest, Stream, Table, opened
from deploy.backup.writing import ANSWERS_WITHIN, Told
from deploy.databases import Connections, Databases
from deploy.problem import Problem, SaidNo

HELD = "Not sent: it may have been, before the restore."
"""What staff read beside a letter that waited when the backup was made."""


async def restore(there: Administrator, folder: Path, *, replicas: int, tell: Told) -> Manifest:
    """Everything as it was, in one transaction, and the streams before it is committed.

    Where schemas lie in several Postgres, each has a transaction, and all end when all is there.
    Three things are not as they were. Everybody has to log in again, and links to change a
    password or an address are void, for what was ended after the backup was made is not known. No
    letter that was owed is sent, for it may have been; staff see it and may send it again. And what
    services have heard counts as heard just now: none does again what its stream still holds.
    """
    backup, manifest = opened(folder, there.ring())
    async with (
        _empty(there, manifest) as dbs,
        streams.provisioner(there.nats_url, there.nats_credentials, ca=there.nats_ca) as jetstream,
    ):
        async with AsyncExitStack() as begun:
            for db, _ in databases.together(dbs):
                await begun.enter_async_context(db.transaction())
            for table in manifest.tables:
                await _fill(dbs[table.schema], backup, table, tell)
            await tables.count_on(dbs, [(table.schema, table.name) for table in manifest.tables])
            await _settle(dbs)
            await _anew(jetstream, replicas=replicas)
            for stream in manifest.streams:
                await _publish(jetstream, backup, stream, tell)
        for db, _ in databases.together(dbs):
            await db.execute("ANALYZE")
    return manifest


async def read_through(there: Administrator, folder: Path, *, tell: Told) -> Manifest:
    """Whether all of it opens; nothing is restored."""
    backup, manifest = opened(folder, there.ring())
    parts: tuple[Table | Stream, ...] = (*manifest.tables, *manifest.streams)
    for part in parts:
        size = 0
        async for piece in backup.pieces(part.file):
            size += len(piece)
            tell(part.file, len(piece))
        if size != part.bytes:
            raise SaidNo(f"{part.file} has {size} bytes, not {part.bytes}.")
    return manifest


@asynccontextmanager
async def _empty(there: Databases, manifest: Manifest) -> AsyncIterator[Connections]:
    """Connections to databases that are ready to be filled, and that nobody uses."""
    async with databases.opened(there) as dbs:
        for db, services in databases.together(dbs):
            await _at_rest(db, services)
        if await tables.migrations(dbs) != manifest.migrations:
            raise SaidNo(
                f"The backup was made by release {manifest.release}, whose tables differ: restore "
                "it with that release, then upgrade."
            )
        if filled := await tables.filled(dbs):
            raise SaidNo(f"This installation is not empty: {filled[0]} holds something.")
        yield dbs


async def _at_rest(db: asyncpg.Connection, services: Sequence[str]) -> None:
    working = await db.fetch(
        "SELECT DISTINCT usename AS name FROM pg_stat_activity WHERE usename = ANY($1)", services
    )
    if working:
        names = ", ".join(sorted(row["name"] for row in working))
        raise SaidNo(f"Stop {names} first: a restore needs an installation at rest.")
    for service in services:
        if not await db.fetchval("SELECT to_regclass($1)", f"{service}.migration"):
            raise Problem("There are no tables yet: run `carespace migrate` first.")


async def _fill(db: asyncpg.Connection, backup: Backup, table: Table, tell: Told) -> None:
    async def told() -> AsyncIterator[bytes]:
        async for piece in backup.pieces(table.file):
            tell(table.full_name, len(piece))
            yield piece

    copied = await db.copy_to_table(
        table.name,
        schema_name=table.schema,
        columns=table.columns,
        source=told(),
        format="binary",
        timeout=None,
    )
    if int(copied.split()[1]) != table.rows:
        raise SaidNo(f"{table.full_name} has {copied.split()[1]} rows, not {table.rows}.")


async def _settle(dbs: Connections) -> None:
    for service, db in dbs.items():
        await db.execute(f"UPDATE {service}.inbox SET heard_at = now()")  # noqa: S608
        await db.execute(f"UPDATE {service}.answered SET answered_at = now()")  # noqa: S608
    notifier, identity = dbs["notifier"], dbs["identity"]
    await notifier.execute(
        """
        UPDATE notifier.mail_job
           SET state = 'failed', answer = $1, due_at = NULL, leased_until = NULL
         WHERE due_at IS NOT NULL
        """,
        HELD,
    )
    await notifier.execute("INSERT INTO notifier.restored (at, words) VALUES (now(), $1)", HELD)
    await identity.execute("DELETE FROM identity.session")
    await identity.execute("UPDATE identity.reset SET void = true WHERE used_at IS NULL")
    await identity.execute("UPDATE identity.email_change SET void = true WHERE used_at IS NULL")


async def _anew(jetstream: JetStreamContext, *, replicas: int) -> None:
    """Streams that hold nothing, and remember nothing that they have held."""
    for stream in streams.streams(replicas=replicas):
        try:
            await jetstream.delete_stream(stream.name or "")
        except NotFoundError:
            continue
    await streams.provision(jetstream, replicas=replicas)


async def _publish(jetstream: JetStreamContext, backup: Backup, stream: Stream, tell: Told) -> None:
    async for line in _lines(backup, stream):
        told = json.loads(line)
        try:
            await jetstream.publish(
                told["subject"],
                b64decode(told["body"]),
                stream=stream.name,
                timeout=ANSWERS_WITHIN,
                headers={"Nats-Msg-Id": told["id"]} if told["id"] else None,
            )
        except nats.errors.Error as error:
            raise SaidNo(f"NATS does not take an event of {stream.name}: {error}.") from None
        tell(f"the events of {stream.name}", len(line))


async def _lines(backup: Backup, stream: Stream) -> AsyncIterator[bytes]:
    rest = b""
    async for piece in backup.pieces(stream.file):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line
