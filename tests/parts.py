"""Any part of CareSpace, running inside the test's own process, on the run's servers."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer
from faststream.nats import NatsBroker

from libs.contracts.visa import Passport, Visa
from libs.runtime import broker, lifeline, outbox
from libs.runtime.seal import Seal
from tests.servers import Servers
from tests.waiting import until


@asynccontextmanager
async def running(*apps: web.Application) -> AsyncIterator[None]:
    """These applications, ready."""
    async with AsyncExitStack() as stack:
        for app in apps:
            await stack.enter_async_context(TestServer(app))
        await until(lambda: all(app[lifeline.LINE].ready for app in apps))
        yield


@asynccontextmanager
async def asking(servers: Servers, part: str = "gateway") -> AsyncIterator[NatsBroker]:
    """A connection with this part's rights, to ask with."""
    app = web.Application()
    app.cleanup_ctx.append(broker.connected(part, servers.nats_url, servers.credentials(part)))
    async with running(app):
        yield app[broker.BROKER]


def sealed(servers: Servers, statement: Visa | Passport, *, by: str) -> str:
    """A statement as its issuer would seal it."""
    return Seal(by, servers.keys.signing[by]).close(statement)


def relay(servers: Servers, service: str) -> web.Application:
    """Only the relay of a service: what is in its outbox reaches its stream."""
    app = web.Application()
    app.cleanup_ctx.append(
        broker.connected(service, servers.nats_url, servers.credentials(service))
    )
    app.cleanup_ctx.append(outbox.relayed(service, servers.database_url(service)))
    return app
