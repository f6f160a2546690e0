"""What a container's health check says of the part beside it."""

import asyncio
import os
import sys

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer


async def asked(**settings: str) -> tuple[int, str]:
    """The exit code, and what is said."""
    asking = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.ready"),
        env={"PATH": os.environ["PATH"]} | settings,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await asyncio.wait_for(asking.communicate(), 30)
    return asking.returncode or 0, said.decode().strip()


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
@pytest.mark.parametrize("told_at", ["CARESPACE_PORT", "CARESPACE_HEALTH_PORT"])
async def test_a_part_is_as_ready_as_it_says(status: int, code: int, told_at: str) -> None:
    async def ready(_: web.Request) -> web.Response:
        return web.Response(status=status, text=f"so it says with {status}")

    app = web.Application()
    app.router.add_get("/health/ready", ready)
    async with TestServer(app) as part:
        settings = {"CARESPACE_PORT": "1"} | {told_at: str(part.port)}
        assert await asked(**settings) == (code, f"so it says with {status}")


async def test_a_part_that_does_not_answer_is_not_ready() -> None:
    assert await asked(CARESPACE_PORT="1") == (1, "no answer")
    assert await asked() == (1, "")
