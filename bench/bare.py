"""python -m bench.bare: the Health page in one process that does the same with nothing between.

The same statements, the same template, the same packing; no NATS, no other service, no session, no
visa. Whoever asks gets the page.
"""

import sys
from datetime import timedelta
from uuid import UUID

import uvloop
from aiohttp import web
from uuid_utils.compat import uuid7

from gateway import app as gateway
from gateway import rendering, static_files
from gateway.pages import health
from gateway.rendering import Chrome
from libs.contracts.identity.practices import Practice
from libs.contracts.identity.sessions import Session
from libs.contracts.visa import Capacity, Limit, Visa
from libs.runtime import database
from libs.runtime.clock import utcnow
from libs.runtime.database import POOL
from services.records.handlers.health import at_a_glance

ALWAYS = timedelta(days=1)
routes = web.RouteTableDef()

VISA = web.AppKey("visa", Visa)
CHROME = web.AppKey("chrome", Chrome)


@routes.get("/p/{patient}/health", name="health")
async def show(request: web.Request) -> web.Response:
    """The page, and no question who asks."""
    patient_id = UUID(request.match_info["patient"])
    shown = await at_a_glance(
        request.app[POOL], request.app[VISA], patient_id, since=None, now=utcnow()
    )
    chrome = request.app[CHROME].about(shown)
    return rendering.render(request, "health/index.html", chrome, health=shown)


def build(database_url: str, practice: Practice) -> web.Application:
    """The page's address is among those of every other, so that its links are the same."""
    app = web.Application(middlewares=[static_files.compressed])
    app.add_routes(routes)
    for area in gateway.PAGES:
        app.add_routes(route for route in area.routes if route not in health.routes)
    app.add_routes([web.get("/p/{patient}/health/labs/{code}", show, name="test")])
    now = utcnow()
    app[VISA] = Visa(
        capacity=Capacity.SELF,
        practice_id=practice.practice_id,
        limits=frozenset(Limit),
        account_id=uuid7(),
        issued_at=now,
        expires_at=now + ALWAYS,
    )
    app[CHROME] = Chrome(
        practice=practice,
        session=Session(
            session_id=uuid7(),
            account_id=uuid7(),
            name="Rosa Bench0000",
            email="patient0@bench.example.com",
            passport="",
            idle_ends_at=now + ALWAYS,
            ends_at=now + ALWAYS,
        ),
        tab="health",
    )
    app.cleanup_ctx.append(database.connected(database_url, schema="records"))
    return app


def main() -> None:
    """Where the database is and whose practice it is comes on the standard input, not in sight."""
    port, database_url, practice = sys.stdin.read().split("\n", 2)
    uvloop.install()
    web.run_app(
        build(database_url, Practice.model_validate_json(practice)),
        host="127.0.0.1",
        port=int(port),
        print=None,
        access_log=None,
        handler_cancellation=False,
    )


if __name__ == "__main__":
    main()
