"""A form sent twice, or twenty times at once, does one thing and gets one answer."""

from typing import cast
from uuid import UUID

from libs.contracts.base import R, Reply, Request
from libs.runtime.database import Connection


async def earlier(db: Connection, key: UUID, *, by: UUID, what: type[Request[R]]) -> R | None:
    """The reply this form got before; None the first time, which is then ours to answer.

    Of several at once, the others wait here until the first has committed or rolled back.
    """
    mine = await db.fetchval(
        """
        INSERT INTO answered (key, asker, subject)
        VALUES ($1, $2, $3)
            ON CONFLICT DO NOTHING
        RETURNING true
        """,
        key,
        by,
        what.subject,
    )
    if mine:
        return None
    reply = await db.fetchval(
        "SELECT reply FROM answered WHERE key = $1 AND asker = $2 AND subject = $3",
        key,
        by,
        what.subject,
    )
    return what.reply().model_validate_json(cast("str", reply))


async def keep(
    db: Connection, key: UUID, *, by: UUID, what: type[Request[R]], reply: Reply
) -> None:
    """Keep the answer, in the transaction that made it true."""
    await db.execute(
        "UPDATE answered SET reply = $4 WHERE key = $1 AND asker = $2 AND subject = $3",
        key,
        by,
        what.subject,
        reply.model_dump_json(),
    )
