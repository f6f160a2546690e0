"""How the notifier comes up; read it backwards for how it goes down."""

from aiohttp import web

from libs.access.gate import Gate, hearing
from libs.runtime import broker, database, gauges, health, outbox
from services.notifier import handlers, watch, worker
from services.notifier.config import Config


def build(config: Config) -> web.Application:
    app = web.Application()
    app.add_routes(health.routes)
    app[gauges.LOOKS] = watch.LOOKS
    gate = Gate(config.visa_keys)
    app.cleanup_ctx.extend(
        [
            database.connected(config.database_url, schema="notifier"),
            broker.connected(
                "notifier",
                config.nats_url,
                config.nats_credentials,
                handlers.router,
                ca=config.nats_ca,
                context={"gate": gate},
            ),
            hearing(gate),
            outbox.relayed("notifier", config.database_url),
            worker.working(config),
        ]
    )
    return app
