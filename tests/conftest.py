"""What every test can have: real servers, once per run, and clean before each test that asks."""

import asyncio
from collections.abc import Iterator

import asyncpg
import nats
import pytest

from libs.contracts import registry
from libs.runtime import lifeline
from tests import servers as real
from tests.servers import Servers
from tests.waiting import until


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--on-servers",
        action="store_true",
        help="Only what is tried on the run's own servers; all else is the same on any.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Before Python 3.11.5 a line that a library lets go of (nats-py does, where a server goes as it
    connects) is closed all the same, but not by its writer, and complains."""
    if not hasattr(asyncio.StreamWriter, "__del__"):
        config.addinivalue_line("filterwarnings", "ignore:unclosed:ResourceWarning")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--on-servers"):
        asked = {one for one in items if "servers" in getattr(one, "fixturenames", ())}
        config.hook.pytest_deselected(items=[one for one in items if one not in asked])
        items[:] = [one for one in items if one in asked]


def pytest_report_header() -> str:
    return f"servers: {real.kind()} (Postgres 18, NATS 2.15)"


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with real.running() as running:
        yield running


@pytest.fixture(scope="session", autouse=True)
def stays() -> Iterator[None]:
    """A part that gives up ends the test that it runs in, and not the whole run."""

    def leave() -> None:
        raise RuntimeError("this part has given up: its process would end here")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lifeline, "leave", leave)
        yield


async def _emptied(admin: asyncpg.Connection, tables: list[str]) -> bool:
    """Postgres may still be at the last statement of a service that has stopped."""
    try:
        await admin.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
    except asyncpg.DeadlockDetectedError:
        return False
    return True


@pytest.fixture
async def clean(servers: Servers) -> Servers:
    """The servers, with no row in any table and no event in any stream."""
    await empty(servers)
    return servers


async def empty(servers: Servers) -> None:
    """No row in any table, and no event in any stream."""
    admin = await asyncpg.connect(servers.database_url("admin"))
    try:
        tables = await admin.fetch(
            """
            SELECT format('%I.%I', schemaname, tablename) AS name
              FROM pg_tables
             WHERE schemaname = ANY($1) AND tablename <> 'migration'
            """,
            list(registry.services()),
        )
        await until(lambda: _emptied(admin, [table["name"] for table in tables]))
    finally:
        await admin.close()
    client = await nats.connect(
        servers.nats_url,
        nkeys_seed=servers.credentials("provisioner"),
        inbox_prefix=b"_INBOX_provisioner",
    )
    for stream in registry.services():
        await client.jetstream().purge_stream(stream)
    await client.close()
