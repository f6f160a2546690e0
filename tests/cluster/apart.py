"""Two Postgres that know nothing of each other; the schema of records may lie in the second."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
from click.testing import CliRunner

from deploy import installation, migrate, postgres, waiting
from deploy.administrator import Administrator
from deploy.backup import tables
from deploy.command import commands
from deploy.problem import Problem
from tests.servers import Servers


@dataclass(frozen=True, kw_only=True)
class Apart:
    """Both, as those who use the one and those who use the other see them."""

    first: Servers
    second: Servers

    @property
    def together(self) -> Administrator:
        """All is in the first one."""
        return Administrator(
            database_url=self.first.database_url("admin"),
            nats_url=self.first.nats_url,
            nats_credentials=self.first.credentials("provisioner"),
            key_ring=self.first.keys.key_ring,
        )

    @property
    def apart(self) -> Administrator:
        """All but records is."""
        return replace(self.together, records_database_url=self.second.database_url("admin"))

    async def says(self, *words: str, there: Administrator | None = None) -> str:
        """What `carespace` answers to an operator; a no is a `Problem`."""
        given = there or self.apart
        settings = {
            "CARESPACE_DATABASE_URL": given.database_url,
            "CARESPACE_RECORDS_DATABASE_URL": given.records_database_url,
            "CARESPACE_NATS_URL": given.nats_url,
            "CARESPACE_NATS_CREDENTIALS": given.nats_credentials,
            "CARESPACE_KEY_RING": given.key_ring,
            "CARESPACE_ROLE_PASSWORDS": ",".join(
                f"{role}:{word}" for role, word in self.first.keys.postgres.items()
            ),
        }
        done = await asyncio.to_thread(CliRunner(env=settings).invoke, commands, words)
        if isinstance(done.exception, Problem):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output


@asynccontextmanager
async def running(servers: Servers) -> AsyncIterator[Apart]:
    """The first with every schema, the second with nothing."""
    folder = Path(tempfile.mkdtemp(prefix="carespace-postgres-"))
    os.chmod(folder, installation.PASSABLE)  # noqa: PTH101
    both = [replace(servers, postgres_port=port) for port in waiting.free_ports(2)]
    started = []
    try:
        for name, here in zip(("first", "second"), both, strict=True):
            password = here.keys.postgres["admin"]
            started.append(
                await asyncio.to_thread(
                    postgres.start, folder / name, port=here.postgres_port, password=password
                )
            )
        async with connected(both[0]) as admin:
            await migrate.roles(admin, servers.keys.postgres)
            await migrate.migrations(admin)
        yield Apart(first=both[0], second=both[1])
    finally:
        for server in started:
            await asyncio.to_thread(postgres.stop, server)
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def connected(here: Servers, role: str = "admin") -> AsyncIterator[asyncpg.Connection]:
    db = await asyncpg.connect(here.database_url(role))
    try:
        yield db
    finally:
        with suppress(asyncpg.InterfaceError):
            await db.close()


async def rows(here: Servers, schema: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    async with connected(here) as db:
        return {
            name: sorted(
                (tuple(row) for row in await db.fetch(f"SELECT * FROM {schema}.{name}")), key=repr
            )
            for name in await tables.in_schema(db, schema)
        }


async def emptied(here: Servers, *schemas: str) -> None:
    async with connected(here) as db:
        names = [
            f"{schema}.{name}" for schema in schemas for name in await tables.in_schema(db, schema)
        ]
        await db.execute(f"TRUNCATE {', '.join(names)} CASCADE")
