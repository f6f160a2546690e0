"""Databases, roles, schemas, streams: what has to be there before a service may start.

Each service has a schema, an owner role that nobody logs in as, and a runtime role that owns
nothing. Running it again changes nothing; running it while services run is safe.
"""

from collections.abc import Mapping

import asyncpg

from libs.contracts import registry
from libs.runtime import database


async def roles(admin: asyncpg.Connection, passwords: Mapping[str, str]) -> None:
    """Every service's owner role, runtime role and schema."""
    await admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    for service in registry.services():
        if not await admin.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", service):
            await admin.execute(
                f"CREATE ROLE {service} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"
            )
            await admin.execute(f"CREATE ROLE {service}_owner NOLOGIN NOBYPASSRLS")
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


async def migrations(admin: asyncpg.Connection) -> list[str]:
    """Apply what each schema has not yet seen; the names of what was applied."""
    applied = []
    for service in registry.services():
        package = f"services.{service}"
        names = await database.migrate(admin, schema=service, package=package)
        applied += [f"{service}/{name}" for name in names]
    return applied
