"""All that is looked at, as far as each thing answers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import asyncpg

from deploy import databases, migrate, streams
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
    for url, services in there.places().items():
        found += await _postgres(url, services, ring)
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


async def _postgres(url: str, services: Sequence[str], ring: KeyRing | None) -> list[Finding]:
    try:
        async with _connected(url) as admin:
            found = await _moved(admin, services)
            found += await database.examined(admin, services)
            found += await walls.examined(admin, services)
            if ring and all(each.about != "migrations" for each in found):
                found += await secrets.examined(admin, ring, services)
            return found
    except asyncpg.InvalidAuthorizationSpecificationError:
        what = f"Postgres at {migrate.where(url)} does not let us in."
        remedy = "Look at user and password in CARESPACE_DATABASE_URL."
    except (OSError, TimeoutError, asyncpg.CannotConnectNowError) as error:
        what = f"Postgres at {migrate.where(url)} does not answer ({type(error).__name__})."
        remedy = "Start it, or look at CARESPACE_DATABASE_URL and the network."
    return [Finding(about="postgres", what=what, remedy=remedy)]


async def _moved(admin: asyncpg.Connection, services: Sequence[str]) -> list[Finding]:
    """A schema is in use in one place only, and we look at that one."""
    found = [
        Finding(
            about="moved",
            what=f"{service} may not log in: its schema was moved away from here.",
            remedy=f"Set {databases.setting(service)} to where it is. If a move broke off: ALTER "
            f"ROLE {service} LOGIN.",
        )
        for service in await databases.shut_out(admin, services)
    ]
    return found + [
        Finding(
            about="moved",
            what=f"{service} may still log in here, though {databases.setting(service)} says that "
            "its schema lies elsewhere: it would write where nobody reads.",
            remedy=f"If it is yet to be moved: `carespace move {service}`, and it is well until "
            f"then. If it was moved: ALTER ROLE {service} NOLOGIN here.",
        )
        for service in await databases.let_in(admin, services)
    ]


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
