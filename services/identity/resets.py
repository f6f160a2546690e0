"""Reset links, sent to those who have an account, out of the sight of whoever asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import UUID

import structlog
from aiohttp import web

from libs.contracts.identity.letters import LetterKind
from libs.runtime import background, wake
from libs.runtime.database import POOL, Connection, Pool, transaction, wall
from libs.runtime.logs import describe
from services.identity.domain.account_link import (
    MOST_FOR_STRANGERS,
    MOST_LETTERS,
    RESET_LIFETIME,
    Reset,
    one_more,
)
from services.identity.means import new_id, owe
from services.identity.store import account_links, accounts, forgotten
from services.identity.store.forgotten import Forgotten

BELL = "resets"

log = structlog.get_logger()


def working(database_url: str) -> Callable[[web.Application], AbstractAsyncContextManager[None]]:
    """Links go out for as long as the application runs; any replica may take the next."""

    @asynccontextmanager
    async def context(app: web.Application) -> AsyncIterator[None]:
        async with wake.listening(database_url, schema="identity", bell=BELL) as bell:
            task = asyncio.create_task(_send(app[POOL], bell))
            yield
            await background.end(task)

    return context


async def _send(pool: Pool, bell: wake.Bell) -> None:
    while True:
        try:
            while await send_one(pool):
                pass
        except Exception as error:  # noqa: BLE001  (it is still written down, and there is a next look)
            log.warning("a reset link has to wait", **describe(error))
        await bell.wait()


async def send_one(pool: Pool) -> bool:
    """Whether somebody had asked. A letter is due if they have an account and did not just ask."""
    async with transaction(pool, worker="resets") as db:
        asked = await forgotten.take_forgotten(db)
        if asked:
            await wall(db, email=asked.email)
            await _owe(db, asked)
    return asked is not None


async def _owe(db: Connection, asked: Forgotten) -> None:
    """The link's hour is counted from when it was asked for."""
    now = asked.asked_at
    found = await accounts.find_by_email(db, asked.email)
    if found is None or not found.active:
        return
    await wall(db, account=found.id)
    await accounts.lock_account(db, found.id)
    if await _too_many(db, found.id, asked):
        return
    reset = Reset(
        id=new_id(),
        account_id=found.id,
        familiar=asked.familiar,
        expires_at=now + RESET_LIFETIME,
    )
    await account_links.void_resets(db, found.id)
    await account_links.add_reset(db, reset, now=now)
    await owe(db, LetterKind.PASSWORD_RESET, reset.id)


async def _too_many(db: Connection, account_id: UUID, asked: Forgotten) -> bool:
    """Whether letters have gone to this account already, as many as may."""
    now = asked.asked_at
    sent = await account_links.count_resets(db, account_id, now=now, spans=MOST_LETTERS)
    if not one_more(sent):
        return True
    if asked.familiar:
        return False
    strange = await account_links.count_resets(
        db, account_id, now=now, spans=MOST_FOR_STRANGERS, for_strangers=True
    )
    return not one_more(strange, most=MOST_FOR_STRANGERS)
