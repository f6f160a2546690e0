"""An event as a service announces it: a row in its outbox, in a transaction."""

import asyncpg

from libs.contracts.base import Event, owner
from libs.runtime import outbox
from tests.servers import Servers


async def announce(servers: Servers, *events: Event) -> None:
    """Write the events down, in this order, and let the relay know."""
    service = owner(type(events[0]))
    db = await asyncpg.connect(
        servers.database_url(service), server_settings={"search_path": service}
    )
    try:
        async with db.transaction():
            for event in events:
                await outbox.announce(db, event)
    finally:
        await db.close()


async def waiting(servers: Servers, service: str) -> int:
    """How many events a service has announced that are not in NATS yet."""
    db = await asyncpg.connect(servers.database_url(service))
    try:
        count: int = await db.fetchval(f"SELECT count(*) FROM {service}.outbox")
    finally:
        await db.close()
    return count
