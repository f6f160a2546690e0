"""Every statement about the passwords that are tried on a sent record.

A try is counted before it is looked at, and stands in `sending_try` until somebody knows whether it
was right. Whoever was killed meanwhile knows nothing, and has told nobody anything: the count is
given back after a while. Who finds a try given back that they were still at says nothing either, so
that there are never more answers than tries.
"""

from datetime import datetime, timedelta
from uuid import UUID

from libs.contracts.records.sending import TRIES
from libs.runtime.database import Connection
from services.records.domain.sending import Sending

LOST = timedelta(seconds=30)
"""After this long nobody looks at a try any more: whoever asked has been waiting for 10 at most."""


async def begin_try(db: Connection, sending: Sending, try_id: UUID, *, now: datetime) -> bool:
    """One more password is to be looked at; False if as many are, or were wrong, as may be."""
    await _hold(db, sending)
    await _give_back_lost(db, sending, now=now)
    counted = await db.fetchval(
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
    if counted:
        await db.execute(
            """
            INSERT INTO sending_try (practice_id, sending_id, id, begun_at)
            VALUES ($1, $2, $3, $4)
            """,
            sending.practice_id,
            sending.id,
            try_id,
            now,
        )
    return bool(counted)


async def count_open(db: Connection, sending: Sending) -> int:
    """How many that were counted are not known to be wrong."""
    count: int = await db.fetchval(
        "SELECT count(*) FROM sending_try WHERE practice_id = $1 AND sending_id = $2",
        sending.practice_id,
        sending.id,
    )
    return count


async def settle_try(db: Connection, sending: Sending, try_id: UUID) -> bool:
    """It is known what it was; False if it was given back, so that nobody may be told."""
    await _hold(db, sending)
    return bool(
        await db.fetchval(
            """
            DELETE FROM sending_try
             WHERE practice_id = $1 AND sending_id = $2 AND id = $3
            RETURNING true
            """,
            sending.practice_id,
            sending.id,
            try_id,
        )
    )


async def give_back_try(db: Connection, sending: Sending, try_id: UUID) -> None:
    """It was not looked at, so it is none."""
    if await settle_try(db, sending, try_id):
        await _uncount(db, sending, 1)


async def save_locked(db: Connection, sending: Sending) -> bool:
    """As many were wrong as may be; False if fewer, or if it was locked already."""
    return bool(
        await db.fetchval(
            """
            UPDATE sending
               SET state = 'locked'
             WHERE practice_id = $1 AND id = $2 AND state = 'sent'
               AND tries - (SELECT count(*) FROM sending_try
                             WHERE practice_id = $1 AND sending_id = $2) >= $3
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


async def remove_tries(db: Connection, practice_id: UUID, sending_id: UUID) -> None:
    """It is over, whatever they were."""
    await db.execute(
        "DELETE FROM sending_try WHERE practice_id = $1 AND sending_id = $2",
        practice_id,
        sending_id,
    )


async def _hold(db: Connection, sending: Sending) -> None:
    """No other try of it is counted or settled until the transaction ends."""
    await db.execute(
        "SELECT FROM sending WHERE practice_id = $1 AND id = $2 FOR UPDATE",
        sending.practice_id,
        sending.id,
    )


async def _give_back_lost(db: Connection, sending: Sending, *, now: datetime) -> None:
    """Nobody looks at these any more, and nobody has been told what they were."""
    lost = await db.fetch(
        """
        DELETE FROM sending_try
         WHERE practice_id = $1 AND sending_id = $2 AND begun_at <= $3
        RETURNING id
        """,
        sending.practice_id,
        sending.id,
        now - LOST,
    )
    await _uncount(db, sending, len(lost))


async def _uncount(db: Connection, sending: Sending, number: int) -> None:
    await db.execute(
        """
        UPDATE sending
           SET tries = greatest(tries - $3, 0)
         WHERE practice_id = $1 AND id = $2 AND state = 'sent'
        """,
        sending.practice_id,
        sending.id,
        number,
    )
