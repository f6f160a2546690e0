"""How messaging comes up; read it backwards for how it goes down."""

from aiohttp import web

from libs.access.gate import Gate, hearing
from libs.runtime import broker, database, health, outbox
from services.messaging import handlers
from services.messaging.config import Config


def build(config: Config) -> web.Application:
    app = web.Application()
    app.add_routes(health.routes)
    gate = Gate(config.visa_keys)
    app.cleanup_ctx.extend(
        [
            database.connected(config.database_url, schema="messaging"),
            broker.connected(
                "messaging",
                config.nats_url,
                config.nats_credentials,
                handlers.router,
                context={"gate": gate},
            ),
            hearing(gate),
            outbox.relayed("messaging", config.database_url),
        ]
    )
    return app
