"""How delegation comes up; read it backwards for how it goes down."""

from aiohttp import web

from libs.access.gate import Gate, hearing
from libs.runtime import broker, database, health, outbox
from libs.runtime.seal import Seal
from services.delegation import handlers
from services.delegation.config import Config


def build(config: Config) -> web.Application:
    app = web.Application()
    app.add_routes(health.routes)
    gate = Gate(config.visa_keys)
    app.cleanup_ctx.extend(
        [
            database.connected(config.database_url, schema="delegation"),
            broker.connected(
                "delegation",
                config.nats_url,
                config.nats_credentials,
                handlers.router,
                ca=config.nats_ca,
                context={"gate": gate, "seal": Seal("delegation", config.visa_signing_key)},
            ),
            hearing(gate),
            outbox.relayed("delegation", config.database_url),
        ]
    )
    return app
