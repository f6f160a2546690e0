"""Reset links, sent to those who have an account, out of the sight of whoever asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime

import structlog
from aiohttp import web

from libs.contracts.identity import LetterKind
from libs.runtime import wake
from libs.runtime.clock import utcnow
from libs.runtime.database import POOL, Connection, Pool, transaction, wall
from libs.runtime.logs import describe
from services.identity.domain.account_link import MOST_LETTERS, RESET_LIFETIME, Reset, one_more
from services.identity.means import new_id, owe
from services.identity.store import account_links, accounts, forgotten

BELL = "resets"

log = structlog.get_logger()


def working(database_url: str) -> Callable[[web.Application], AbstractAsyncContextManager[None]]:
    """Links go out for as long as the application runs; any replica may take the next."""

    @asynccontextmanager
    async def context(app: web.Application) -> AsyncIterator[None]:
        async with wake.listening(database_url, schema="identity", bell=BELL) as bell:
            task = asyncio.create_task(_send(app[POOL], bell))
            yield
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return context


async def _send(pool: Pool, bell: wake.Bell) -> None:
    while True:
        try:
            while await send_one(pool, now=utcnow()):
                pass
        except Exception as error:  # noqa: BLE001  (it is still written down, and there is a next look)
            log.warning("a reset link has to wait", **describe(error))
        await bell.wait()


async def send_one(pool: Pool, *, now: datetime) -> bool:
    """Whether somebody had asked. A letter is due if they have an account and did not just ask."""
    async with transaction(pool, worker="resets") as db:
        email = await forgotten.take_forgotten(db)
        if email:
            await wall(db, email=email)
            await _owe(db, email, now=now)
    return email is not None


async def _owe(db: Connection, email: str, *, now: datetime) -> None:
    found = await accounts.find_by_email(db, email)
    if found is None or not found.active:
        return
    await wall(db, account=found.id)
    await accounts.lock_account(db, found.id)
    sent = await account_links.count_resets(db, found.id, now=now, spans=MOST_LETTERS)
    if one_more(sent):
        reset = Reset(id=new_id(), account_id=found.id, expires_at=now + RESET_LIFETIME)
        await account_links.void_resets(db, found.id)
        await account_links.add_reset(db, reset, now=now)
        await owe(db, LetterKind.PASSWORD_RESET, reset.id)
