"""Every statement about the passwords that are tried on a sent record."""

from datetime import datetime

from libs.contracts.records.sending import TRIES
from libs.runtime.database import Connection
from services.records.domain.sending import Sending


async def count_try(db: Connection, sending: Sending) -> bool:
    """One more password is tried, before it is looked at; False if there were too many."""
    return bool(
        await db.fetchval(
            """
            UPDATE sending
               SET tries = tries + 1
             WHERE practice_id = $1 AND id = $2 AND state = 'sent' AND tries < $3
            RETURNING true
            """,
            sending.practice_id,
            sending.id,
            TRIES,
        )
    )


async def give_back_try(db: Connection, sending: Sending) -> None:
    """It was not looked at, so it is none."""
    await db.execute(
        """
        UPDATE sending
           SET tries = greatest(tries - 1, 0)
         WHERE practice_id = $1 AND id = $2 AND state = 'sent'
        """,
        sending.practice_id,
        sending.id,
    )


async def save_locked(db: Connection, sending: Sending) -> bool:
    """The last try was wrong; False if that was so already, or another one is still looked at."""
    return bool(
        await db.fetchval(
            """
            UPDATE sending
               SET state = 'locked'
             WHERE practice_id = $1 AND id = $2 AND state = 'sent' AND tries >= $3
            RETURNING true
            """,
            sending.practice_id,
            sending.id,
            TRIES,
        )
    )


async def save_opened(db: Connection, sending: Sending, *, now: datetime) -> bool:
    """The password fits, so this try does not count; False if it is over or locked by now."""
    return bool(
        await db.fetchval(
            """
            UPDATE sending
               SET tries = greatest(tries - 1, 0), opened_at = coalesce(opened_at, $3)
             WHERE practice_id = $1 AND id = $2 AND state = 'sent' AND expires_at > $3
            RETURNING true
            """,
            sending.practice_id,
            sending.id,
            now,
        )
    )
