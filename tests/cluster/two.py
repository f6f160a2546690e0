"""A Postgres that takes writes, and another that has each of them before they are acknowledged."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg

from deploy import installation, migrate, postgres, waiting
from tests.servers import DATABASE, Servers
from tests.waiting import until

HOST = "127.0.0.1"


@dataclass
class Two:
    """Both, and who is who; one of them may be killed."""

    servers: Servers
    """NATS, and everybody's keys; its Postgres is the one that takes writes at first."""
    folder: Path
    standby_port: int
    primary: "subprocess.Popen[bytes]"
    standby: "subprocess.Popen[bytes]"

    @property
    def primary_port(self) -> int:
        return self.servers.postgres_port

    @property
    def after(self) -> Servers:
        """The same servers, with the Postgres that takes writes in the end."""
        return replace(self.servers, postgres_port=self.standby_port)

    def url(self, role: str, *, primary_port: int | None = None) -> str:
        """Both hosts in one address."""
        one = self.servers.database_url(role)
        port = primary_port or self.primary_port
        return one.replace(
            f"{HOST}:{self.primary_port}", f"{HOST}:{port},{HOST}:{self.standby_port}"
        )

    def kill_primary(self) -> None:
        self.primary.kill()
        self.primary.wait(10)

    async def promote(self) -> None:
        """From now on the other takes writes, and waits for nobody."""
        admin = await asyncpg.connect(self.after.database_url("admin"))
        try:
            assert await admin.fetchval("SELECT pg_promote(wait => true)")
        finally:
            await admin.close()

    async def fence(self) -> None:
        """The first one lives on and takes no more writes, as a careful operator sees to."""
        await _said(self.servers, "ALTER SYSTEM SET synchronous_standby_names = ''")
        await _said(self.servers, "ALTER SYSTEM SET default_transaction_read_only = on")


@asynccontextmanager
async def running(servers: Servers) -> AsyncIterator[Two]:
    """Both, with every schema, for as long as this is open."""
    folder = Path(tempfile.mkdtemp(prefix="carespace-postgres-"))
    os.chmod(folder, installation.PASSABLE)  # noqa: PTH101
    port, standby_port = waiting.free_ports(2)
    here = replace(servers, postgres_port=port)
    running: list[subprocess.Popen[bytes]] = []
    try:
        running.append(await _started(folder / "primary", here))
        admin = await migrate.connected(here.database_url("admin"))
        await migrate.roles(admin, servers.keys.postgres)
        await migrate.migrations(admin)
        await admin.close()
        await asyncio.to_thread(_copied, here, folder / "standby")
        running.append(
            await _started(folder / "standby", replace(here, postgres_port=standby_port))
        )
        await _said(here, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        await until(lambda: _in_step(here))
        yield Two(
            servers=here,
            folder=folder,
            standby_port=standby_port,
            primary=running[0],
            standby=running[1],
        )
    finally:
        for server in running:
            if server.poll() is None:
                await asyncio.to_thread(postgres.stop, server)
        shutil.rmtree(folder, ignore_errors=True)


async def _started(folder: Path, here: Servers) -> "subprocess.Popen[bytes]":
    return await asyncio.to_thread(
        postgres.start, folder, port=here.postgres_port, password=here.keys.postgres["admin"]
    )


def _copied(here: Servers, folder: Path) -> None:
    """As the guide has it: the whole of the first one, and where to read on from."""
    folder.mkdir(mode=0o700)
    subprocess.run(
        [
            *(postgres.binaries() / "pg_basebackup", "--pgdata", folder / "data"),
            *("--dbname", here.database_url("admin").removesuffix(f"/{DATABASE}")),
            *("--write-recovery-conf", "--checkpoint=fast"),
        ],
        check=True,
        capture_output=True,
    )


async def _in_step(here: Servers) -> bool:
    admin = await asyncpg.connect(here.database_url("admin"))
    try:
        states = await admin.fetch("SELECT sync_state FROM pg_stat_replication")
    finally:
        await admin.close()
    return [row["sync_state"] for row in states] == ["sync"]


async def _said(here: Servers, statement: str) -> None:
    admin = await asyncpg.connect(here.database_url("admin"))
    try:
        await admin.execute(statement)
        await admin.execute("SELECT pg_reload_conf()")
    finally:
        await admin.close()
