"""Services as processes of their own, told of servers that a test may kill."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from deploy import waiting
from deploy.installation import HOST, Installation
from tests.servers import Servers
from tests.waiting import until


@dataclass(frozen=True, kw_only=True)
class Running:
    """A service that is up."""

    name: str
    port: int
    health_port: int
    process: asyncio.subprocess.Process

    async def ready(self) -> bool:
        return await asyncio.to_thread(waiting.ready, HOST, self.health_port)

    def assert_going_on(self) -> None:
        """It has not given up: nobody had to start it anew."""
        assert self.process.returncode is None, self.name


@asynccontextmanager
async def serving(
    servers: Servers, name: str, environ: Mapping[str, str]
) -> AsyncIterator[Running]:
    """This service, ready; told to stop in the end, and killed if it does not heed that."""
    port, health_port = waiting.free_ports(2)
    here = Installation(
        folder=servers.folder,
        port=port,
        keys=servers.keys,
        ports={
            "postgres": servers.postgres_port,
            "nats": servers.nats_port,
            name: port,
            "gateway health": health_port,
        },
        with_mailbox=False,
    )
    log = servers.folder / f"{name} {port}.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", name if name == "gateway" else f"services.{name}"),
            stdout=out,
            stderr=out,
            env=dict(os.environ) | here.environment(name) | dict(environ),
        )
    health = health_port if name == "gateway" else port
    running = Running(name=name, port=port, health_port=health, process=process)
    try:
        await until(running.ready, within=60)
        yield running
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 60)
        except TimeoutError:
            process.kill()
            await process.wait()
