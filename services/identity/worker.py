"""Invitations whose four days are over say so by themselves; what is long over is swept away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from aiohttp import web

from libs.runtime import background
from libs.runtime.clock import utcnow
from libs.runtime.database import POOL, Pool, transaction
from libs.runtime.logs import describe
from services.identity.domain import invitation as rules
from services.identity.means import announce_state
from services.identity.store import invitations, sweeping

EVERY = 15.0
"""Seconds between looks."""
BATCH = 200
SWEEP = 240
"""Looks between sweeps."""

log = structlog.get_logger()


@asynccontextmanager
async def working(app: web.Application) -> AsyncIterator[None]:
    """Looks now and then, for as long as the application runs; any replica may."""
    task = asyncio.create_task(_look_now_and_then(app[POOL]))
    yield
    await background.end(task)


async def _look_now_and_then(pool: Pool) -> None:
    looks = 0
    while True:
        try:
            while await expire(pool, now=utcnow()) == BATCH:
                pass
            if looks % SWEEP == 0:
                await sweep(pool, now=utcnow())
        except Exception as error:  # noqa: BLE001  (whatever it was, there is a next look)
            log.warning("could not look for what has expired", **describe(error))
        looks += 1
        await asyncio.sleep(EVERY)


async def expire(pool: Pool, *, now: datetime) -> int:
    """Every invitation that is over is marked so, once, whoever looks; how many there were."""
    async with transaction(pool, worker="sweeper") as db:
        over = await invitations.list_expired(db, now=now, limit=BATCH)
    for invitation_id in over:
        async with transaction(pool, invitation=invitation_id) as db:
            invitation = await invitations.find_invitation(db, invitation_id)
            if invitation and (expired := rules.expired(invitation, now=now)):
                await invitations.save_invitation(db, expired)
                await announce_state(db, expired)
    return len(over)


async def sweep(pool: Pool, *, now: datetime) -> None:
    """Forget what is long over."""
    async with transaction(pool, worker="sweeper") as db:
        await sweeping.sweep(db, now=now)
