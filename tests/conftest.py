"""What every test can have: real servers, once per run, and clean before each test that asks."""

from collections.abc import Iterator

import asyncpg
import nats
import pytest

from libs.contracts import registry
from tests import servers as real
from tests.servers import Servers


def pytest_report_header() -> str:
    return f"servers: {real.kind()} (Postgres 18, NATS 2.15)"


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with real.running() as running:
        yield running


@pytest.fixture
async def clean(servers: Servers) -> Servers:
    """The servers, with no row in any table and no event in any stream."""
    await empty(servers)
    return servers


async def empty(servers: Servers) -> None:
    """No row in any table, and no event in any stream."""
    admin = await asyncpg.connect(servers.database_url("admin"))
    tables = await admin.fetch(
        """
        SELECT format('%I.%I', schemaname, tablename) AS name
          FROM pg_tables
         WHERE schemaname = ANY($1) AND tablename <> 'migration'
        """,
        list(registry.services()),
    )
    await admin.execute(f"TRUNCATE {', '.join(table['name'] for table in tables)} CASCADE")
    await admin.close()
    client = await nats.connect(
        servers.nats_url,
        nkeys_seed=servers.credentials("provisioner"),
        inbox_prefix=b"_INBOX_provisioner",
    )
    for stream in registry.services():
        await client.jetstream().purge_stream(stream)
    await client.close()
