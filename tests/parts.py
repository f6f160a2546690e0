"""Any part of CareSpace, running inside the test's own process, on the run's servers."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TypeVar

import nats
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer
from faststream.nats import NatsBroker

from deploy import reach
from libs.contracts.base import Event, owner
from libs.contracts.visa import Passport, Visa
from libs.runtime import broker, lifeline, outbox
from libs.runtime.seal import Seal
from tests.servers import Servers
from tests.waiting import until

E = TypeVar("E", bound=Event)


@asynccontextmanager
async def running(*apps: web.Application) -> AsyncIterator[list[BaseTestServer]]:
    """These applications, ready, each on its server."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(TestServer(app)) for app in apps]
        await until(lambda: all(app[lifeline.LINE].ready for app in apps))
        yield servers


@asynccontextmanager
async def asking(servers: Servers, part: str = "gateway") -> AsyncIterator[NatsBroker]:
    """A connection with this part's rights, to ask with."""
    if part == "operator":
        there = reach.Reach(nats_url=servers.nats_url, nats_credentials=servers.credentials(part))
        async with reach.asking(there) as operator:
            yield operator
        return
    app = web.Application()
    app.cleanup_ctx.append(broker.connected(part, servers.nats_url, servers.credentials(part)))
    async with TestServer(app):
        asker = app[broker.BROKER]
        await until(lambda: (client := lifeline.connection(asker)) and client.is_connected)
        yield asker


def sealed(servers: Servers, statement: Visa | Passport, *, by: str) -> str:
    """A statement as its issuer would seal it."""
    return Seal(by, servers.keys.signing[by]).close(statement)


def relay(
    servers: Servers,
    service: str,
    *,
    nats_port: int | None = None,
    postgres_port: int | None = None,
) -> web.Application:
    """Only the relay of a service: what is in its outbox reaches its stream."""
    here = replace(
        servers,
        nats_port=nats_port or servers.nats_port,
        postgres_port=postgres_port or servers.postgres_port,
    )
    app = web.Application()
    app.cleanup_ctx.append(broker.connected(service, here.nats_url, here.credentials(service)))
    app.cleanup_ctx.append(outbox.relayed(service, here.database_url(service)))
    return app


async def stored(servers: Servers, event: type[E]) -> list[E]:
    """Every such event in its stream, in the order in which NATS has it."""
    client = await nats.connect(
        servers.nats_url,
        nkeys_seed=servers.credentials("provisioner"),
        inbox_prefix=b"_INBOX_provisioner",
    )
    jetstream, stream = client.jetstream(), owner(event)
    state = (await jetstream.stream_info(stream)).state
    messages = [
        await jetstream.get_msg(stream, seq=number)
        for number in range(state.first_seq, state.last_seq + 1)
    ]
    await client.close()
    return [
        event.model_validate_json(message.data or b"")
        for message in messages
        if message.subject == event.subject
    ]
