"""Writing a backup, while the portal runs."""

import json
import os
import shutil
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from importlib import metadata
from pathlib import Path

import asyncpg
import nats.errors
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig
from uuid_utils.compat import uuid7

from deploy import streams
from deploy.administrator import Administrator
from deploy.backup import tables
from deploy.backup.folder import Backup, Manifest, Stream, Table, write_manifest
from deploy.backup.moment import moment
from deploy.databases import Databases
from deploy.problem import Problem
from libs.runtime.clock import utcnow
from libs.runtime.keyring import new_data_key

FETCHED = 500
"""Events fetched at a time."""
ANSWERS_WITHIN = 10

Told = Callable[[str, int], None]
"""Who wants to know how far we are: of which file, and how many bytes more."""


async def write(there: Administrator, folder: Path, *, tell: Told) -> Manifest:
    """All of it, as it is now, in a folder that is not there yet.

    Until it is whole it has another name, so that nobody takes what broke off for a backup.
    """
    ring = there.ring()
    try:
        unfinished = _begun(folder)
        backup = Backup(folder=unfinished, id=uuid7(), key=new_data_key())
        async with streams.provisioner(
            there.nats_url, there.nats_credentials, ca=there.nats_ca
        ) as jetstream:
            manifest = await _all(backup, there, jetstream, tell)
        write_manifest(backup, ring, manifest)
        _end(unfinished, folder)
    except OSError as error:
        raise Problem(f"The folder {folder} can't be written: {error.strerror}.") from None
    return manifest


def _begun(folder: Path) -> Path:
    if folder.exists():
        raise Problem(f"{folder} is there already: name a folder that is not.")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o700)
    return unfinished


async def _all(
    backup: Backup, there: Databases, jetstream: JetStreamContext, tell: Told
) -> Manifest:
    async with moment(there, jetstream) as then:
        return Manifest(
            made_at=utcnow(),
            release=metadata.version("carespace"),
            migrations=await tables.migrations(then.dbs),
            tables=tuple(
                [
                    await _table(backup, then.dbs[schema], schema, name, tell)
                    for schema, name in await tables.ordered(then.dbs)
                ]
            ),
            streams=tuple(
                [
                    await _stream(backup, jetstream, name, end, tell)
                    for name, end in then.ends.items()
                ]
            ),
        )


async def _table(
    backup: Backup, db: asyncpg.Connection, schema: str, name: str, tell: Told
) -> Table:
    columns = await tables.columns(db, schema, name)
    table = Table(schema=schema, name=name, columns=columns, rows=0, bytes=0)
    with backup.writer(table.file) as file:

        async def add(data: bytes) -> None:
            await file.add(data)
            tell(table.full_name, len(data))

        copied = await db.copy_from_table(
            name, schema_name=schema, columns=columns, output=add, format="binary", timeout=None
        )
    rows = int(copied.split()[1])
    return Table(schema=schema, name=name, columns=columns, rows=rows, bytes=file.bytes)


async def _stream(
    backup: Backup, jetstream: JetStreamContext, name: str, end: int, tell: Told
) -> Stream:
    events = 0
    with backup.writer(Stream(name=name, events=0, bytes=0).file) as file:
        async for line in _events(jetstream, name, end):
            await file.add(line)
            tell(f"the events of {name}", len(line))
            events += 1
    return Stream(name=name, events=events, bytes=file.bytes)


async def _events(jetstream: JetStreamContext, stream: str, end: int) -> AsyncIterator[bytes]:
    """A line of JSON for each, in their order, up to that end."""
    if not (await jetstream.stream_info(stream)).state.messages:
        return
    wanted = ConsumerConfig(ack_policy=AckPolicy.NONE, mem_storage=True, inactive_threshold=60)
    consumer = (await jetstream.add_consumer(stream, wanted)).name
    pulled = await jetstream.pull_subscribe_bind(consumer, stream=stream)
    try:
        pending = 1
        while pending:
            for message in await pulled.fetch(FETCHED, timeout=ANSWERS_WITHIN):
                if message.metadata.sequence.stream > end:
                    return
                pending = message.metadata.num_pending
                headers = message.headers or {}
                told = {
                    "subject": message.subject,
                    "id": headers.get("Nats-Msg-Id", ""),
                    "body": b64encode(message.data).decode(),
                }
                yield json.dumps(told).encode() + b"\n"
    except nats.errors.TimeoutError:
        return  # the last ones were older than 14 days, and went while we looked
    finally:
        await pulled.unsubscribe()
        await jetstream.delete_consumer(stream, consumer)


def _end(unfinished: Path, folder: Path) -> None:
    """From here on it is a backup; the new name is on the disk."""
    unfinished.rename(folder)
    opened = os.open(folder.parent, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
