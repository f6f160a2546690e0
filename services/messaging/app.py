"""How messaging comes up; read it backwards for how it goes down."""

from aiohttp import web

from libs.access.gate import Gate, hearing
from libs.runtime import broker, database, health, outbox
from libs.runtime.keyring import KeyRing
from services.messaging import handlers
from services.messaging.config import Config


def build(config: Config) -> web.Application:
    app = web.Application()
    app.add_routes(health.routes)
    gate, key_ring = Gate(config.visa_keys), KeyRing.parse(config.key_ring)
    app.cleanup_ctx.extend(
        [
            database.connected(config.database_url, schema="messaging"),
            broker.connected(
                "messaging",
                config.nats_url,
                config.nats_credentials,
                *handlers.routers,
                ca=config.nats_ca,
                context={"gate": gate, "key_ring": key_ring},
            ),
            hearing(gate),
            outbox.relayed("messaging", config.database_url, key=key_ring.newest),
        ]
    )
    return app
