"""Messages: the mailbox, which opens with the registration."""

import asyncio

from aiohttp import web

from gateway import session, shell
from gateway.rendering import render
from libs.contracts.base import Refused
from libs.contracts.messaging import Mailbox, ShowMailbox
from libs.runtime.broker import BROKER, Unavailable, ask

routes = web.RouteTableDef()


@routes.get("/p/{patient}/messages", name="messages")
async def messages(request: web.Request) -> web.Response:
    acting = await session.acting(request)
    chrome, mailbox = await asyncio.gather(
        shell.record(request, acting, tab="messages"), _mailbox(request, acting)
    )
    return render(request, "messages/index.html", chrome, mailbox=mailbox)


async def _mailbox(request: web.Request, acting: session.Acting) -> Mailbox | None:
    try:
        return await ask(request.app[BROKER], ShowMailbox(visa=acting.visa))
    except (Unavailable, Refused):
        return None
