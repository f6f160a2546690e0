"""How identity comes up; read it backwards for how it goes down."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypedDict

from aiohttp import web

from libs.access.gate import Gate, hearing
from libs.runtime import broker, database, health, outbox
from libs.runtime.keyring import KeyRing
from libs.runtime.seal import Seal
from services.identity import handlers, resets, worker
from services.identity.config import Config
from services.identity.domain.link import Links
from services.identity.domain.passkey import Site
from services.identity.domain.recovery_code import Blind
from services.identity.factors import Factors
from services.identity.guessing import Guesser
from services.identity.hashing import Hashing


class Means(TypedDict):
    """What handlers are given by name, beside the database and the clock."""

    gate: Gate
    seal: Seal
    links: Links
    key_ring: KeyRing
    guesser: Guesser
    hashing: Hashing
    factors: Factors


def build(config: Config) -> web.Application:
    app = web.Application()
    app.add_routes(health.routes)
    given = means(config)
    app.cleanup_ctx.extend(
        [
            database.connected(config.database_url, schema="identity"),
            hashed(given["hashing"]),
            broker.connected(
                "identity",
                config.nats_url,
                config.nats_credentials,
                *handlers.routers,
                ca=config.nats_ca,
                context=given,
            ),
            hearing(given["gate"]),
            outbox.relayed("identity", config.database_url, key=given["key_ring"].newest),
            worker.working,
            resets.working(config.database_url),
        ]
    )
    return app


def means(config: Config) -> Means:
    """All of it, from the settings."""
    key = base64.b64decode(config.link_key)
    key_ring = KeyRing.parse(config.key_ring)
    blind = Blind(key=hmac.digest(key, b"carespace recovery codes", hashlib.sha256))
    return {
        "gate": Gate(config.visa_keys),
        "seal": Seal("identity", config.visa_signing_key),
        "links": Links(config.link_key),
        "key_ring": key_ring,
        "factors": Factors(key_ring=key_ring, blind=blind, site=Site(config.public_url)),
        "guesser": Guesser(key=hmac.digest(key, b"carespace attempts", hashlib.sha256)),
        "hashing": Hashing(
            memory_kib=config.argon2_memory_kib,
            passes=config.argon2_passes,
            lanes=config.argon2_lanes,
        ),
    }


def hashed(
    hashing: Hashing,
) -> Callable[[web.Application], AbstractAsyncContextManager[None]]:
    """Threads that hash, for as long as the application runs."""

    @asynccontextmanager
    async def context(_: web.Application) -> AsyncIterator[None]:
        yield
        hashing.close()

    return context
