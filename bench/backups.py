"""A gigabyte of documents backed up and restored, beside a copy of as many bytes on this disk."""

import asyncio
import os
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from bench import downloads, load, portal
from bench.charts import Someone
from bench.figures import Finding
from bench.memory import MEGABYTE
from bench.terms import Terms
from deploy import administrator, keys, migrate, nats, nats_config, postgres, streams, waiting
from deploy.administrator import Administrator
from deploy.backup import checking, restoring, writing
from deploy.backup.folder import Manifest

DOCUMENTS = 1500
"""Of two thirds of a megabyte each."""
HOST = "127.0.0.1"
PIECE = 1024 * 1024


async def measure(terms: Terms) -> list[Finding]:
    """Written once for each round and restored once, into an installation of its own."""
    folder = Path(tempfile.mkdtemp(prefix="carespace-bench-"))
    try:
        return await _measured(terms, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _measured(terms: Terms, folder: Path) -> list[Finding]:
    written: list[float] = []
    copied: list[float] = []
    async with portal.up() as here:
        who = Someone(number=0)
        await here.registered([who])
        for start in range(0, DOCUMENTS, downloads.IN_A_FILE):
            terms.say(f"backups: {start} of {DOCUMENTS} documents are there")
            await downloads.scan(here, who, range(start, start + downloads.IN_A_FILE))
        there = administrator.of(here.here)
        backup, manifest = await _written(there, folder / "backup", [])
        for number in range(terms.rounds):
            terms.say(f"backups: round {number + 1} of {terms.rounds}")
            another, _ = await _written(there, folder / "another", written)
            copied.append(await asyncio.to_thread(_copied, another, folder / "copy"))
            shutil.rmtree(another)
    terms.say("backups: restoring")
    seconds, checked = await _restored(there, backup, folder / "elsewhere")
    size = _size(manifest) / 1000 / MEGABYTE
    what = f"{size:.1f} GB of {DOCUMENTS} documents"
    return [
        Finding(
            name="backup's rate",
            what=f"{what}: backup",
            unit="MB/s",
            ours=written,
            beside="a copy of the same bytes, synced",
            baseline=copied,
        ),
        Finding(
            name="backup's time",
            what="1 GB of it: backup",
            unit="s",
            ours=[1000 / rate for rate in written],
            beside="a copy of the same bytes, synced",
            baseline=[1000 / rate for rate in copied],
            at_least=False,
        ),
        Finding(
            name="restore's time",
            what="1 GB of it: restored",
            unit="s",
            ours=[seconds / size],
            beside="the same bytes at the rate of a copy",
            baseline=[1000 / copied[-1]],
            at_least=False,
        ),
        Finding(
            name="check's time",
            what="1 GB of it: every file opened and compared with its checksum",
            unit="s",
            ours=[checked / size],
            beside="the restore before it",
            baseline=[seconds / size],
            at_least=False,
        ),
    ]


async def _written(there: Administrator, backup: Path, rates: list[float]) -> tuple[Path, Manifest]:
    began = time.perf_counter()
    manifest = await writing.write(there, backup, tell=_nobody)
    rates.append(_size(manifest) / MEGABYTE / (time.perf_counter() - began))
    return backup, manifest


def _nobody(*_: object) -> None:
    """Is told how far it is."""


def _size(manifest: Manifest) -> int:
    return sum(table.bytes for table in manifest.tables)


def _copied(backup: Path, to: Path) -> float:
    began, size = time.perf_counter(), 0
    with to.open("wb") as target:
        for file in sorted(backup.iterdir()):
            with file.open("rb") as source:
                while piece := source.read(PIECE):
                    size += target.write(piece)
        target.flush()
        os.fsync(target.fileno())
    to.unlink()
    return size / MEGABYTE / (time.perf_counter() - began)


async def _restored(before: Administrator, backup: Path, folder: Path) -> tuple[float, float]:
    """Seconds for the restore, and for the check after it, on servers of their own."""
    folder.mkdir(mode=0o711)
    made = keys.kept(folder / "keys")
    ports = waiting.free_ports(2, but=[])
    database = await asyncio.to_thread(
        postgres.start, folder / "postgres", port=ports[0], password=made.postgres["admin"]
    )
    store = str(folder / "nats" / "store")
    config = nats_config.render(made.nats_public(), host=HOST, port=ports[1], store=store)
    server = await asyncio.to_thread(
        nats.start, folder / "nats", config=config, host=HOST, port=ports[1]
    )
    url = f"postgresql://{postgres.SUPERUSER}:{made.postgres['admin']}@{HOST}:{ports[0]}/postgres"
    there = replace(
        before,
        database_url=url,
        nats_url=f"nats://{HOST}:{ports[1]}",
        nats_credentials=str(keys.seed_file(folder / "keys", "provisioner")),
    )
    try:
        admin = await migrate.connected(url)
        await migrate.roles(admin, made.postgres)
        await migrate.migrations(admin)
        await admin.close()
        async with streams.provisioner(there.nats_url, there.nats_credentials) as jetstream:
            await streams.provision(jetstream)
        began = time.perf_counter()
        await restoring.restore(there, backup, replicas=1, tell=_nobody)
        restored = time.perf_counter()
        checked = await checking.check(there, there.ring())
        ended = time.perf_counter()
    finally:
        server.terminate()
        await asyncio.to_thread(server.wait, 10)
        await asyncio.to_thread(postgres.stop, database)
    if checked.bad or checked.files < DOCUMENTS:
        raise load.Failing(f"{checked.files} files hold. {' '.join(checked.bad)}")
    return restored - began, ended - restored
