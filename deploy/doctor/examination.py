"""All that is looked at, as far as each thing answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg

from deploy import streams
from deploy.administrator import Administrator
from deploy.doctor import database, events, secrets, surroundings, walls
from deploy.doctor.finding import Finding
from deploy.problem import Problem
from libs.runtime.keyring import KeyRing

WITHIN = 10
"""Seconds for Postgres to answer."""


async def examine(there: Administrator, *, replicas: int) -> list[Finding]:
    """What is wrong; nothing if all is well. One thing that is away hides no other."""
    ring, found = _ring(there)
    found += secrets.files()
    found += await _postgres(there, ring)
    found += await _nats(there, replicas=replicas)
    if there.smtp_url:
        found += await surroundings.mail(there.smtp_url, ca=there.smtp_ca)
    if there.public_url:
        found += surroundings.address(there.public_url)
    return found


def _ring(there: Administrator) -> tuple[KeyRing | None, list[Finding]]:
    if not there.key_ring:
        return None, []
    try:
        return there.ring(), []
    except Problem as problem:
        remedy = "Put it back from the copy that you keep apart."
        return None, [Finding(about="key ring", what=str(problem), remedy=remedy)]


async def _postgres(there: Administrator, ring: KeyRing | None) -> list[Finding]:
    try:
        async with _connected(there.database_url) as admin:
            found = await database.examined(admin) + await walls.examined(admin)
            if ring and all(each.about != "migrations" for each in found):
                found += await secrets.examined(admin, ring)
            return found
    except asyncpg.InvalidAuthorizationSpecificationError:
        what = "Postgres does not let us in with CARESPACE_DATABASE_URL."
        remedy = "Look at its user and password."
    except (OSError, TimeoutError, asyncpg.CannotConnectNowError) as error:
        what = f"Postgres does not answer ({type(error).__name__})."
        remedy = "Start it, or look at CARESPACE_DATABASE_URL and the network."
    return [Finding(about="postgres", what=what, remedy=remedy)]


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    admin = await asyncpg.connect(url, timeout=WITHIN)
    try:
        yield admin
    finally:
        with suppress(OSError, asyncpg.PostgresError, asyncio.TimeoutError):
            await admin.close(timeout=WITHIN)


async def _nats(there: Administrator, *, replicas: int) -> list[Finding]:
    try:
        async with streams.provisioner(
            there.nats_url, there.nats_credentials, ca=there.nats_ca
        ) as jetstream:
            return await events.examined(jetstream, replicas=replicas)
    except Problem as problem:
        remedy = (
            "Start it, or look at CARESPACE_NATS_URL, at CARESPACE_NATS_CREDENTIALS, and at the "
            "server's configuration: `carespace nats-config` makes it."
        )
        return [Finding(about="nats", what=str(problem), remedy=remedy)]
