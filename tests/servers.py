"""A real Postgres and a real NATS for a test run, made as an installation makes them.

They run in containers where a Docker engine answers and has our images, else from the same
packages that one-machine mode uses. `CARESPACE_TEST_SERVERS=embedded` asks for the latter.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import nats

from deploy import keys, migrate, nats_config, postgres, streams, waiting
from deploy import nats as nats_server

NATS_IMAGE = "carespace/nats:2.15"
POSTGRES_IMAGE = "carespace/postgres:18"
DATABASE = "postgres"


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Where they answer, and every secret."""

    kind: str
    folder: Path
    keys: keys.Keys
    postgres_port: int
    nats_port: int

    def database_url(self, role: str, database: str = DATABASE) -> str:
        """The address for a service's role, or for "admin"."""
        user = postgres.SUPERUSER if role == "admin" else role
        password = self.keys.postgres[role]
        return f"postgresql://{user}:{password}@127.0.0.1:{self.postgres_port}/{database}"

    @property
    def nats_url(self) -> str:
        return f"nats://127.0.0.1:{self.nats_port}"

    def credentials(self, part: str) -> str:
        return str(keys.seed_file(self.folder / "keys", part))


def kind() -> str:
    """`containers` or `embedded`: which of the two this run will use."""
    if os.environ.get("CARESPACE_TEST_SERVERS") == "embedded" or not shutil.which("docker"):
        return "embedded"
    images = ["docker", "image", "inspect", NATS_IMAGE, POSTGRES_IMAGE]
    found = subprocess.run(images, capture_output=True, check=False).returncode == 0
    return "containers" if found else "embedded"


@contextmanager
def running() -> Iterator[Servers]:
    """Both servers, provisioned, for as long as this is open."""
    folder = Path(tempfile.mkdtemp(prefix="carespace-test-"))
    made = keys.kept(folder / "keys")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        how = kind()
        start = _in_containers if how == "containers" else _embedded
        postgres_port, nats_port = start(stack, folder, made)
        servers = Servers(
            kind=how,
            folder=folder,
            keys=made,
            postgres_port=postgres_port,
            nats_port=nats_port,
        )
        asyncio.run(_provision(servers))
        yield servers


def _embedded(stack: ExitStack, folder: Path, made: keys.Keys) -> tuple[int, int]:
    postgres_port, nats_port = waiting.free_port(), waiting.free_port()
    database = postgres.start(
        folder / "postgres", port=postgres_port, password=made.postgres["admin"]
    )
    stack.callback(postgres.stop, database)
    config = nats_config.render(
        made.nats_public(), host="127.0.0.1", port=nats_port, store=str(folder / "nats/store")
    )
    server = nats_server.start(folder / "nats", config=config, host="127.0.0.1", port=nats_port)
    stack.callback(server.wait, 10)
    stack.callback(server.terminate)
    return postgres_port, nats_port


def _in_containers(stack: ExitStack, folder: Path, made: keys.Keys) -> tuple[int, int]:
    # Its helper image can't be pulled everywhere; what we start we stop.
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    os.environ.setdefault("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")
    from testcontainers.core.container import DockerContainer

    config = nats_config.render(made.nats_public(), host="0.0.0.0", port=4222, store="/data")
    settings = folder / "nats.conf"
    settings.write_text(config)
    server = (
        DockerContainer(NATS_IMAGE)
        .with_exposed_ports(4222)
        .with_volume_mapping(str(settings), "/nats.conf", "ro")
        .with_command("-c /nats.conf")
        .with_tmpfs_mount("/data")  # other tests' writing to the disk would hold up its syncs
    )
    options = " ".join(
        f"-c {name}={value}"
        for name, value in postgres.SETTINGS.items()
        if value and name not in ("listen_addresses", "unix_socket_directories")
    )
    database = (
        DockerContainer(POSTGRES_IMAGE)
        .with_exposed_ports(5432)
        .with_env("POSTGRES_USER", postgres.SUPERUSER)
        .with_env("POSTGRES_PASSWORD", made.postgres["admin"])
        .with_command(options)
    )
    ports = []
    for container, port in ((database, 5432), (server, 4222)):
        stack.enter_context(container)
        ports.append(int(container.get_exposed_port(port)))
    return ports[0], ports[1]


async def _provision(servers: Servers) -> None:
    admin = await _connected(servers)
    try:
        await migrate.roles(admin, servers.keys.postgres)
        await migrate.migrations(admin)
    finally:
        await admin.close()
    client = await nats.connect(
        servers.nats_url,
        nkeys_seed=servers.credentials("provisioner"),
        inbox_prefix=b"_INBOX_provisioner",
        allow_reconnect=True,
    )
    await streams.provision(client.jetstream())
    await client.close()


async def _connected(servers: Servers) -> asyncpg.Connection:
    """A port that answers may still belong to a server that is coming up."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await asyncpg.connect(servers.database_url("admin"))
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.1)
