"""A part that does next to nothing, as a process that a test tells to stop."""

import asyncio
from dataclasses import dataclass

from aiohttp import web

from libs.runtime import health, service

WHILE = 0.5
"""Seconds that it takes to answer."""


@dataclass(frozen=True, kw_only=True)
class Config:
    host: str = "127.0.0.1"
    port: int
    log_level: str = "INFO"
    otlp_endpoint: str = ""


async def slow(_: web.Request) -> web.Response:
    await asyncio.sleep(WHILE)
    return web.Response(text="done")


async def for_ever(_: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


def build(_: object) -> web.Application:
    app = web.Application()
    app.add_routes([*health.routes, web.get("/slow", slow), web.get("/for-ever", for_ever)])
    return app


if __name__ == "__main__":
    service.run("stopping", Config, build)
