"""Is it alive, is it ready, and how is it doing?"""

import asyncio

import asyncpg
import prometheus_client
from aiohttp import web

from libs.runtime import gauges
from libs.runtime.database import POOL
from libs.runtime.lifeline import LINE

OPEN = web.AppKey("open", asyncio.Event)
"""Set while new connections are taken; there where a process serves."""

WITHIN = 2.0
"""Seconds for Postgres, a connection to it included; who asks for our health waits one more."""

routes = web.RouteTableDef()


@routes.get("/health/live")
async def live(_: web.Request) -> web.Response:
    """The process answers. What it depends on may be away."""
    return web.Response(text="alive")


@routes.get("/health/ready")
async def ready(request: web.Request) -> web.Response:
    """It can do its work: NATS carries, Postgres answers. Else 503, naming what is away.

    And somebody new is let in: not before we listen, and no more once we are told to stop.
    """
    away = []
    if OPEN in request.app and not request.app[OPEN].is_set():
        away.append("its door")
    if LINE in request.app and not request.app[LINE].ready:
        away.append("nats")
    if POOL in request.app:
        try:
            async with asyncio.timeout(WITHIN):
                await request.app[POOL].fetchval("SELECT 1")
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            away.append("postgres")
    if away:
        return web.Response(status=503, text=f"waiting for {', '.join(away)}")
    return web.Response(text="ready")


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """How this replica is doing, for Prometheus."""
    await gauges.refresh(request.app)
    return web.Response(
        body=prometheus_client.generate_latest(),
        headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST},
    )
