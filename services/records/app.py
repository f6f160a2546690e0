"""How records comes up; read it backwards for how it goes down."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from aiohttp import web

from libs.access.gate import Gate, hearing
from libs.runtime import broker, database, health, outbox
from libs.runtime.keyring import KeyRing
from services.records import handlers, worker
from services.records.config import Config
from services.records.exporting.making import Makers
from services.records.reading.apart import Readers


def build(config: Config) -> web.Application:
    app = web.Application()
    app.add_routes(health.routes)
    gate, readers = Gate(config.visa_keys), Readers()
    key_ring = KeyRing.parse(config.key_ring)
    makers = Makers(key_ring)
    context = {"gate": gate, "key_ring": key_ring, "readers": readers, "makers": makers}
    app.cleanup_ctx.extend(
        [
            database.connected(config.database_url, schema="records"),
            reading(readers),
            making(makers),
            broker.connected(
                "records",
                config.nats_url,
                config.nats_credentials,
                *handlers.routers,
                context=context,
            ),
            hearing(gate),
            outbox.relayed("records", config.database_url),
            worker.working(config.database_url, key_ring, readers),
        ]
    )
    return app


def making(makers: Makers) -> Callable[[web.Application], AbstractAsyncContextManager[None]]:
    """What is being made as the application ends has failed."""

    @asynccontextmanager
    async def context(_: web.Application) -> AsyncIterator[None]:
        yield
        await makers.close()

    return context


def reading(
    readers: Readers,
) -> Callable[[web.Application], AbstractAsyncContextManager[None]]:
    """Readers are started as they are needed, and none outlives the application."""

    @asynccontextmanager
    async def context(_: web.Application) -> AsyncIterator[None]:
        yield
        readers.close()

    return context
