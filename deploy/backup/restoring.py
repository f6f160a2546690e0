"""Putting a backup into an empty installation."""

import json
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from deploy import streams
from deploy.administrator import Administrator
from deploy.backup import tables
from deploy.backup.folder import Backup, Manifest, Stream, Table, opened
from deploy.backup.writing import ANSWERS_WITHIN, Told
from deploy.migrate import connected
from deploy.problem import Problem, SaidNo
from libs.contracts import registry

HELD = "Not sent: it may have been, before the restore."
"""What staff read beside a letter that waited when the backup was made."""


async def restore(there: Administrator, folder: Path, *, replicas: int, tell: Told) -> Manifest:
    """Everything as it was, in one transaction, and the streams before it is committed.

    Three things are not as they were. Everybody has to log in again, and links to change a
    password or an address are void, for what was ended after the backup was made is not known. No
    letter that was owed is sent, for it may have been; staff see it and may send it again. And what
    services have heard counts as heard just now: none does again what its stream still holds.
    """
    backup, manifest = opened(folder, there.ring())
    async with (
        _empty(there.database_url, manifest) as db,
        streams.provisioner(there.nats_url, there.nats_credentials, ca=there.nats_ca) as jetstream,
    ):
        async with db.transaction():
            for table in manifest.tables:
                await _fill(db, backup, table, tell)
            await tables.count_on(db, [(table.schema, table.name) for table in manifest.tables])
            await _settle(db)
            await _anew(jetstream, replicas=replicas)
            for stream in manifest.streams:
                await _publish(jetstream, backup, stream, tell)
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
async def _empty(url: str, manifest: Manifest) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database that is ready to be filled, and that nobody uses."""
    db = await connected(url)
    try:
        working = await db.fetch(
            "SELECT DISTINCT usename AS name FROM pg_stat_activity WHERE usename = ANY($1)",
            registry.services(),
        )
        if working:
            names = " and ".join(sorted(row["name"] for row in working))
            raise SaidNo(f"Stop {names} first: a restore needs an installation at rest.")
        for service in registry.services():
            if not await db.fetchval("SELECT to_regclass($1)", f"{service}.migration"):
                raise Problem("There are no tables yet: run `carespace migrate` first.")
        if await tables.migrations(db) != manifest.migrations:
            raise SaidNo(
                f"The backup was made by release {manifest.release}, whose tables differ: restore "
                "it with that release, then upgrade."
            )
        if there := await tables.filled(db):
            raise SaidNo(f"This installation is not empty: {there[0]} holds something.")
        yield db
    finally:
        db.terminate()


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


async def _settle(db: asyncpg.Connection) -> None:
    for service in registry.services():
        await db.execute(f"UPDATE {service}.inbox SET heard_at = now()")  # noqa: S608
        await db.execute(f"UPDATE {service}.answered SET answered_at = now()")  # noqa: S608
    await db.execute(
        """
        UPDATE notifier.mail_job
           SET state = 'failed', answer = $1, due_at = NULL, leased_until = NULL
         WHERE due_at IS NOT NULL
        """,
        HELD,
    )
    await db.execute("INSERT INTO notifier.restored (at, words) VALUES (now(), $1)", HELD)
    await db.execute("DELETE FROM identity.session")
    await db.execute("UPDATE identity.reset SET void = true WHERE used_at IS NULL")
    await db.execute("UPDATE identity.email_change SET void = true WHERE used_at IS NULL")


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
