"""How identity comes up; read it backwards for how it goes down."""

import base64
import hashlib
import hmac

from aiohttp import web

from libs.access.gate import Gate, hearing
from libs.runtime import broker, database, health, outbox
from libs.runtime.keyring import KeyRing
from libs.runtime.seal import Seal
from services.identity import handlers, worker
from services.identity.config import Config
from services.identity.domain.link import Links
from services.identity.hashing import Hashing
from services.identity.means import Guesser


def build(config: Config) -> web.Application:
    app = web.Application()
    app.add_routes(health.routes)
    gate = Gate(config.visa_keys)
    key = base64.b64decode(config.link_key)
    context = {
        "gate": gate,
        "seal": Seal("identity", config.visa_signing_key),
        "links": Links(config.link_key),
        "key_ring": KeyRing.parse(config.key_ring),
        "guesser": Guesser(key=hmac.digest(key, b"carespace attempts", hashlib.sha256)),
        "hashing": Hashing(
            memory_kib=config.argon2_memory_kib,
            passes=config.argon2_passes,
            lanes=config.argon2_lanes,
        ),
    }
    app.cleanup_ctx.extend(
        [
            database.connected(config.database_url, schema="identity"),
            broker.connected(
                "identity",
                config.nats_url,
                config.nats_credentials,
                *handlers.routers,
                context=context,
            ),
            hearing(gate),
            outbox.relayed("identity", config.database_url),
            worker.working,
        ]
    )
    return app
