"""Each event does what it does once, however often it comes."""

from libs.contracts.base import Event
from libs.runtime.database import Connection


async def first_time(db: Connection, event: Event, *, by: str) -> bool:
    """Whether `by` has not done this yet. It is the first statement of the effect's transaction."""
    return bool(
        await db.fetchval(
            """
            INSERT INTO inbox (consumer, event_id)
            VALUES ($1, $2)
                ON CONFLICT DO NOTHING
            RETURNING true
            """,
            f"{by} {event.subject}",
            event.id,
        )
    )
