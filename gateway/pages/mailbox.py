"""The mailbox of one-machine mode: what would have been sent. Elsewhere there is no such page."""

from typing import Any

import aiohttp
from aiohttp import web

from gateway import shell
from gateway.protection import CONFIG
from gateway.rendering import render

routes = web.RouteTableDef()


@routes.get("/mailbox", name="mailbox")
async def mailbox(request: web.Request) -> web.Response:
    """Every e-mail, newest first."""
    mails = await _mails(request)
    return render(request, "mailbox/index.html", await shell.door(request), mails=mails)


@routes.get("/mailbox.json", name="mailbox_json")
async def mailbox_json(request: web.Request) -> web.Response:
    """The same as JSON: `to`, `subject`, `text`, `html`, `sent_at`, `id`."""
    return web.json_response(await _mails(request))


@routes.get("/mailbox/{id}", name="mail")
async def mail(request: web.Request) -> web.Response:
    """One letter, as text and in a frame as HTML."""
    return render(
        request, "mailbox/letter.html", await shell.door(request), mail=await _mail(request)
    )


@routes.get("/mailbox/{id}/html", name="mail_html")
async def mail_html(request: web.Request) -> web.Response:
    """The letter's HTML, for the frame: it may be shown, and its links open outside of it."""
    letter = await _mail(request)
    return web.Response(
        text=letter["html"].replace("<head>", '<head><base target="_top">', 1),
        content_type="text/html",
        headers={
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
            "frame-ancestors 'self'; sandbox allow-top-navigation-by-user-activation allow-popups",
            "X-Frame-Options": "SAMEORIGIN",
        },
    )


async def _mail(request: web.Request) -> dict[str, Any]:
    for letter in await _mails(request):
        if str(letter["id"]) == request.match_info["id"]:
            return letter
    raise web.HTTPNotFound


async def _mails(request: web.Request) -> list[dict[str, Any]]:
    url = request.app[CONFIG].mailbox_url
    if not url:
        raise web.HTTPNotFound
    async with aiohttp.ClientSession() as client, client.get(f"{url}/mails") as answer:
        mails: list[dict[str, Any]] = await answer.json()
        return mails
