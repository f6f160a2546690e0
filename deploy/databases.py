"""Where each service's schema lies: all in one Postgres, or some of them in one of their own."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import asyncpg

from deploy.migrate import connected
from deploy.problem import Problem
from libs.contracts import registry

Connections: TypeAlias = Mapping[str, asyncpg.Connection]
"""By service: an administrator's connection to where its schema lies."""


@dataclass(frozen=True, kw_only=True)
class Databases:
    """Addresses for an administrator. One that is empty is the first one."""

    database_url: str = field(repr=False)
    identity_database_url: str = field(default="", repr=False)
    records_database_url: str = field(default="", repr=False)
    messaging_database_url: str = field(default="", repr=False)
    delegation_database_url: str = field(default="", repr=False)
    notifier_database_url: str = field(default="", repr=False)

    def own_url(self, service: str) -> str:
        """Where its schema lies, if that is not with most others; else ""."""
        return str(getattr(self, f"{service}_database_url"))

    def url_of(self, service: str) -> str:
        """Where the schema of this service lies."""
        return self.own_url(service) or self.database_url

    def places(self) -> dict[str, tuple[str, ...]]:
        """Each Postgres, the first one first, and whose schemas lie there."""
        found: dict[str, tuple[str, ...]] = {}
        for service in sorted(registry.services(), key=lambda each: bool(self.own_url(each))):
            url = self.url_of(service)
            found[url] = (*found.get(url, ()), service)
        return found


def setting(service: str) -> str:
    """The variable that says where the schema of a service lies, if it is not with the others."""
    return f"CARESPACE_{service.upper()}_DATABASE_URL"


@asynccontextmanager
async def opened(there: Databases, *, preparing: bool = False) -> AsyncIterator[Connections]:
    """A connection for each service; those whose schemas lie together share one.

    A schema that was moved away is not taken for the one in use, whose rows would then be missed.
    Nor is one that is yet to be moved looked for where it will be, but by who prepares that.
    """
    made: dict[str, asyncpg.Connection] = {}
    try:
        for url, services in there.places().items():
            made[url] = await connected(url)
            await assure_not_moved(made[url], services)
            if url == there.database_url and not preparing:
                await _assure_arrived(made[url], services)
        yield {service: made[there.url_of(service)] for service in registry.services()}
    finally:
        for connection in made.values():
            connection.terminate()


def together(connections: Connections) -> list[tuple[asyncpg.Connection, tuple[str, ...]]]:
    """Each connection, with the services that share it."""
    found: dict[int, tuple[asyncpg.Connection, tuple[str, ...]]] = {}
    for service, db in connections.items():
        found[id(db)] = (db, (*found.get(id(db), (db, ()))[1], service))
    return list(found.values())


def only(db: asyncpg.Connection) -> Connections:
    """All schemas lie where this connection leads."""
    return dict.fromkeys(registry.services(), db)


async def assure_sees_everything(db: asyncpg.Connection) -> None:
    """Whoever sees one practice at a time would take its rows for all there are."""
    if not await db.fetchval(
        "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    ):
        raise Problem(
            "CARESPACE_DATABASE_URL names a role that sees one practice at a time: "
            "name an administrator."
        )


async def shut_out(db: asyncpg.Connection, services: Sequence[str]) -> list[str]:
    """Those of them that may not log in here: `carespace move` sees to it where a schema was."""
    return await _roles(db, services, may_log_in=False)


async def assure_not_moved(db: asyncpg.Connection, services: Sequence[str]) -> None:
    """Each of them may still log in here."""
    for service in await shut_out(db, services):
        raise Problem(
            f"The schema of {service} was moved away from here: set {setting(service)} to where "
            f"it is. If a move broke off: ALTER ROLE {service} LOGIN."
        )


async def let_in(db: asyncpg.Connection, services: Sequence[str]) -> list[str]:
    """Those that may log in here, where the schemas of `services` lie, though theirs does not."""
    others = [service for service in registry.services() if service not in services]
    return await _roles(db, others, may_log_in=True)


async def _roles(db: asyncpg.Connection, services: Sequence[str], *, may_log_in: bool) -> list[str]:
    rows = await db.fetch(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY($1) AND rolcanlogin = $2 ORDER BY 1",
        services,
        may_log_in,
    )
    return [row["rolname"] for row in rows]


async def _assure_arrived(db: asyncpg.Connection, services: Sequence[str]) -> None:
    """Whoever lies elsewhere may no longer log in here, so that its rows are all there."""
    for service in await let_in(db, services):
        raise Problem(
            f"{setting(service)} says that {service} lies elsewhere, and it may still log in where "
            f"it was. If it is yet to be moved: `carespace move {service}`, or leave the setting "
            f"out. If it was moved: ALTER ROLE {service} NOLOGIN where it was."
        )
