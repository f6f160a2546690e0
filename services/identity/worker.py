"""Invitations whose four days are over say so by themselves, to whoever invited."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import structlog
from aiohttp import web

from libs.runtime.clock import utcnow
from libs.runtime.database import POOL, Pool, transaction
from libs.runtime.logs import describe
from services.identity.domain import invitation as rules
from services.identity.domain.session import LONGEST
from services.identity.means import announce_state
from services.identity.store import invitations, sessions

EVERY = 15.0
"""Seconds between looks."""
BATCH = 200

log = structlog.get_logger()


@asynccontextmanager
async def working(app: web.Application) -> AsyncIterator[None]:
    """Looks now and then, for as long as the application runs; any replica may."""
    task = asyncio.create_task(_look_now_and_then(app[POOL]))
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _look_now_and_then(pool: Pool) -> None:
    while True:
        try:
            await expire(pool, now=utcnow())
        except Exception as error:  # noqa: BLE001  (whatever it was, there is a next look)
            log.warning("could not look for what has expired", **describe(error))
        await asyncio.sleep(EVERY)


async def expire(pool: Pool, *, now: datetime) -> None:
    """Every invitation that is over is marked so, once; long dead sessions are forgotten."""
    async with transaction(pool, worker="expiry") as db:
        over = await invitations.list_expired(db, now=now, limit=BATCH)
        await sessions.forget_old(db, before=now - LONGEST - timedelta(days=1))
    for invitation_id in over:
        async with transaction(pool, invitation=invitation_id) as db:
            invitation = await invitations.lock_invitation(db, invitation_id)
            if now >= invitation.expires_at and rules.waits(invitation):
                expired = rules.expired(invitation)
                await invitations.save_invitation(db, expired)
                await announce_state(db, expired)
