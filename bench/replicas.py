"""One more process of a part, beside those that a portal of one machine has."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench import portal
from deploy import waiting
from deploy.installation import HOST, Installation


@dataclass(frozen=True, kw_only=True)
class Replica:
    """A process that is ready."""

    url: str
    process: asyncio.subprocess.Process


@asynccontextmanager
async def another(here: Installation, part: str) -> AsyncIterator[str]:
    """It is ready when this is entered; its address."""
    replica = await begun(here, part)
    try:
        yield replica.url
    finally:
        await portal.ended(replica.process)


async def begun(here: Installation, part: str) -> Replica:
    """Started, and ready; whoever asked for it ends it."""
    port, health_port = waiting.free_ports(2, but=here.ports.values())
    settings = here.environment(part) | {"CARESPACE_PORT": str(port)}
    if part == "gateway":
        settings["CARESPACE_HEALTH_PORT"] = str(health_port)
    health = health_port if part == "gateway" else port
    said = here.folder / "logs" / f"{part} {port}.log"
    package = part if part == "gateway" else f"services.{part}"
    with said.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", package, stdout=out, stderr=out, env=dict(os.environ) | settings
        )
    try:
        await portal.until(lambda: waiting.ready(HOST, health), process, said)
    except BaseException:
        await portal.ended(process)
        raise
    return Replica(url=f"http://{HOST}:{port}", process=process)
