"""How records comes up; read it backwards for how it goes down."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from aiohttp import web

from libs.access.gate import Gate, hearing
from libs.contracts.delegation import AccessRevoked
from libs.runtime import broker, database, health, lifeline, outbox
from libs.runtime.keyring import KeyRing
from services.records import handlers, worker
from services.records.config import Config
from services.records.exporting.making import Makers
from services.records.reading.apart import Readers
from services.records.sending.locking import Locks
from services.records.sending.packing import Packers


def build(config: Config) -> web.Application:
    app = web.Application()
    app.add_routes(health.routes)
    gate, readers = Gate(config.visa_keys), Readers()
    key_ring = KeyRing.parse(config.key_ring)
    makers, packers, locks = Makers(key_ring), Packers(key_ring), Locks()
    context = {
        "gate": gate,
        "key_ring": key_ring,
        "readers": readers,
        "makers": makers,
        "packers": packers,
        "locks": locks,
    }
    app.cleanup_ctx.extend(
        [
            database.connected(config.database_url, schema="records"),
            reading(readers),
            making(makers, packers, locks),
            broker.connected(
                "records",
                config.nats_url,
                config.nats_credentials,
                *handlers.routers,
                ca=config.nats_ca,
                context=context,
            ),
            hearing(gate),
            heeding(packers),
            outbox.relayed("records", config.database_url, key=key_ring.newest),
            worker.working(config.database_url, key_ring, readers),
        ]
    )
    return app


def making(
    makers: Makers, packers: Packers, locks: Locks
) -> Callable[[web.Application], AbstractAsyncContextManager[None]]:
    """What is being made as the application ends has failed."""

    @asynccontextmanager
    async def context(_: web.Application) -> AsyncIterator[None]:
        yield
        await makers.close()
        await packers.close()
        locks.close()

    return context


def heeding(packers: Packers) -> Callable[[web.Application], AbstractAsyncContextManager[None]]:
    """Nothing is sent by somebody whose access was revoked while it was packed."""

    @asynccontextmanager
    async def context(app: web.Application) -> AsyncIterator[None]:
        app[lifeline.LINE].listen(AccessRevoked, packers.hear_revoked)
        yield

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
