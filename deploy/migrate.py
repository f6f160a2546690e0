"""Databases, roles, schemas, streams: what has to be there before a service may start.

Each service has a schema, an owner role that nobody logs in as, and a runtime role that owns
nothing. Running it again changes nothing; running it while services run is safe.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg

from deploy.problem import Problem
from libs.contracts import registry
from libs.runtime import database, failover

DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
REFUSED = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
PATIENCE = 60
"""Seconds for a Postgres that is on its way up, maybe from a crash."""


async def connected(url: str) -> asyncpg.Connection:
    """A connection, as soon as there is one to be had."""
    hosts, until = failover.Hosts(url), asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            return await hosts.connect()
        except (OSError, asyncpg.CannotConnectNowError) as error:
            if asyncio.get_running_loop().time() > until:
                raise Problem(f"Postgres does not answer at {where(url)}.") from error
            await asyncio.sleep(0.1)
        except (*REFUSED, asyncpg.ClientConfigurationError) as error:
            raise Problem(
                f"Postgres at {where(url)} does not let us in: look at user, password and name of "
                "the database."
            ) from error


def where(url: str) -> str:
    """The hosts of an address, and no secret of it."""
    return urlsplit(url).netloc.rpartition("@")[2]


async def assure_durable(admin: asyncpg.Connection) -> None:
    """What Postgres has committed is on the disk, or nothing here is worth a thing."""
    for name in DURABLE:
        if await admin.fetchval("SELECT current_setting($1)", name) == "off":
            raise Problem(f"Postgres runs with {name} off and would lose what it has promised.")


@asynccontextmanager
async def _alone(admin: asyncpg.Connection) -> AsyncIterator[None]:
    """Another `carespace migrate` waits."""
    await admin.execute("SELECT pg_advisory_lock(hashtext('carespace migrate'))")
    try:
        yield
    finally:
        await admin.execute("SELECT pg_advisory_unlock(hashtext('carespace migrate'))")


async def roles(
    admin: asyncpg.Connection,
    passwords: Mapping[str, str],
    services: Sequence[str] = registry.services(),
) -> None:
    """Each service's owner role, runtime role and schema; a password only where one is given."""
    async with _alone(admin), admin.transaction():
        await admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        await _roles(admin, passwords, services)


async def _roles(
    admin: asyncpg.Connection, passwords: Mapping[str, str], services: Sequence[str]
) -> None:
    for service in services:
        if not await admin.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", service):
            await admin.execute(
                f"CREATE ROLE {service} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"
            )
            await admin.execute(f"CREATE ROLE {service}_owner NOLOGIN NOBYPASSRLS")
        if service in passwords:
            secret = await admin.fetchval("SELECT quote_literal($1)", passwords[service])
            await admin.execute(f"ALTER ROLE {service} PASSWORD {secret}")
        owner = f"{service}_owner"
        await admin.execute(
            f"""
            CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {owner};
            GRANT USAGE ON SCHEMA {service} TO {service};
            ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {service}
                GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {service};
            ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {service}
                GRANT USAGE, SELECT ON SEQUENCES TO {service};
            """
        )


async def migrations(
    admin: asyncpg.Connection, services: Sequence[str] = registry.services()
) -> list[str]:
    """Apply what each schema has not yet seen; the names of what was applied."""
    applied = []
    async with _alone(admin):
        for service in services:
            package = f"services.{service}"
            names = await database.migrate(admin, schema=service, package=package)
            applied += [f"{service}/{name}" for name in names]
            await admin.execute(
                f"REVOKE INSERT, UPDATE, DELETE ON {service}.migration FROM {service}"
            )
    return applied


async def missing(
    admin: asyncpg.Connection, services: Sequence[str] = registry.services()
) -> list[str]:
    """What `carespace migrate` would apply, a sentence each."""
    found = []
    for service in services:
        table = await admin.fetchval("SELECT to_regclass($1)", f"{service}.migration")
        rows = await admin.fetch(f"SELECT name FROM {service}.migration") if table else []  # noqa: S608
        seen = {row["name"] for row in rows}
        found += [
            f"The migration {service}/{file.name} is not applied."
            for file in database.migrations(f"services.{service}")
            if file.name not in seen
        ]
    return found
