"""Where a portal answers, from the outside and from beneath."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from tests.servers import Servers


@dataclass(frozen=True, kw_only=True)
class Place:
    """A portal that is up."""

    url: str
    servers: Servers
    environment: Callable[[str], dict[str, str]]
    """The settings of each of its parts."""

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[asyncpg.Connection]:
        """Every table, without walls."""
        connection = await asyncpg.connect(self.servers.database_url("admin"))
        try:
            yield connection
        finally:
            await connection.close()
