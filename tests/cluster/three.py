"""Three NATS servers of one cluster, from the shipped configuration, with TLS, on this machine."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import nats.errors
from nats.js import JetStreamContext
from nats.js.api import PeerInfo, StreamInfo
from nats.js.errors import APIError

from deploy import nats as nats_server
from deploy import streams, waiting
from deploy.problem import Problem
from libs.contracts import registry
from tests import authority
from tests.authority import Authority
from tests.servers import Servers
from tests.waiting import until

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
NAMES = ("nats-1", "nats-2", "nats-3")
RECOVERS_WITHIN = 60


@dataclass
class Three:
    """The cluster, of which one server at a time may be killed."""

    servers: Servers
    """Postgres, and everybody's keys."""
    folder: Path
    authority: Authority
    ports: dict[str, int]
    configs: dict[str, str]
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return ",".join(f"tls://{HOST}:{port}" for port in self.ports.values())

    def environment(self, part: str) -> dict[str, str]:
        """How a part is told of the cluster."""
        return {
            "CARESPACE_NATS_URL": self.url,
            "CARESPACE_NATS_CREDENTIALS": self.servers.credentials(part),
            "CARESPACE_NATS_CA_FILE": str(self.authority.ca),
        }

    def start(self, name: str) -> None:
        self.processes[name] = nats_server.start(
            self.folder / name, config=self.configs[name], host=HOST, port=self.ports[name]
        )

    def kill(self, name: str) -> None:
        """It gets no chance to say goodbye."""
        self.processes[name].kill()
        self.processes[name].wait(10)

    @asynccontextmanager
    async def provisioner(self) -> AsyncIterator[JetStreamContext]:
        async with streams.provisioner(
            self.url,
            self.servers.credentials("provisioner"),
            ca=self.authority.believed,
            patience=30,
        ) as jetstream:
            yield jetstream

    async def leader(self, stream: str, *, but: str = "") -> str:
        """Who leads this stream, as soon as somebody does, other than the one that was killed."""

        async def led() -> str | None:
            cluster = (await self._told(stream)).cluster
            return cluster.leader if cluster and cluster.leader != but else None

        name: str = await until(_patient(led), within=RECOVERS_WITHIN)
        return name

    async def whole(self) -> None:
        """Every stream has a leader, and two others that have all that it has."""

        async def is_whole() -> bool:
            return all([_has_all(await self._told(name)) for name in registry.services()])

        await until(_patient(is_whole), within=RECOVERS_WITHIN)

    async def _told(self, stream: str) -> StreamInfo:
        async with self.provisioner() as jetstream:
            return await jetstream.stream_info(stream)


def _has_all(info: StreamInfo) -> bool:
    others: list[PeerInfo] = (info.cluster.replicas if info.cluster else None) or []
    return len(others) == len(NAMES) - 1 and all(
        one.current and not one.offline and not one.lag for one in others
    )


def _patient(condition: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T | None]]:
    """While there is no leader, nobody answers, or somebody says so."""

    async def met() -> T | None:
        try:
            return await condition()
        except (nats.errors.Error, APIError, Problem, OSError):
            return None

    return met


@contextmanager
def running(servers: Servers, names: Sequence[str] = NAMES) -> Iterator[Three]:
    """All three, or some of them, for as long as this is open."""
    folder = Path(tempfile.mkdtemp(prefix="carespace-nats-"))
    three = _written(servers, folder)
    try:
        for name in names:
            three.start(name)
        yield three
    finally:
        for process in three.processes.values():
            process.kill()
            process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _written(servers: Servers, folder: Path) -> Three:
    ports = waiting.free_ports(2 * len(NAMES))
    routes = [f"{HOST}:{port}" for port in ports[len(NAMES) :]]
    ours, configs = authority.founded(folder), {}
    for name, port, route in zip(NAMES, ports[: len(NAMES)], routes, strict=True):
        configs[name] = carespace(
            *("nats-config", "--keys", servers.folder / "keys", "--listen", f"{HOST}:{port}"),
            *("--store", folder / name / "store", "--tls-cert", ours.cert, "--tls-key", ours.key),
            *("--tls-ca", ours.ca, "--cluster-name", "carespace", "--server-name", name),
            *("--cluster-listen", route, *(word for to in routes for word in ("--route", to))),
        )
    return Three(
        servers=servers,
        folder=folder,
        authority=ours,
        ports=dict(zip(NAMES, ports, strict=False)),
        configs=configs,
    )


def carespace(*words: object, environ: dict[str, str] | None = None) -> str:
    """What the operator's command says, as the guide has it typed."""
    done = subprocess.run(
        [sys.executable, "-m", "deploy", *map(str, words)],
        check=False,
        cwd=ROOT,
        env=dict(os.environ) | (environ or {}),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def migrated(three: Three) -> None:
    """Streams and consumers, three times each."""
    environ = three.environment("provisioner") | {
        "CARESPACE_DATABASE_URL": three.servers.database_url("admin")
    }
    await asyncio.to_thread(carespace, "migrate", "--replicas", "3", environ=environ)
    await asyncio.to_thread(carespace, "migrate", "--replicas", "3", "--check", environ=environ)
