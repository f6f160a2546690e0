"""Health: laboratory results with their history, and the newest documents."""

import asyncio

from aiohttp import web

from gateway import session, shell
from gateway.rendering import render
from libs.contracts.base import Refused
from libs.contracts.records.health import Health, ShowHealth, ShowTest
from libs.contracts.records.refusals import Refusal
from libs.contracts.visa import Limit
from libs.runtime.broker import BROKER, Unavailable, ask

routes = web.RouteTableDef()


@routes.get("/p/{patient}/health", name="health")
async def health(request: web.Request) -> web.Response:
    """The record at a glance. What can't be had just now leaves a gap that says so."""
    acting = await session.acting(request)
    chrome, shown = await asyncio.gather(
        shell.record(request, acting, tab="health"), _health(request, acting)
    )
    return render(request, "health/index.html", chrome.about(shown), health=shown)


async def _health(request: web.Request, acting: session.Acting) -> Health | None:
    try:
        return await ask(
            request.app[BROKER],
            ShowHealth(
                visa=acting.visa,
                patient_id=acting.patient_id,
                since=acting.person.session.previous_login_at,
            ),
        )
    except Unavailable:
        return None


@routes.get("/p/{patient}/health/labs/{code}", name="test")
async def test(request: web.Request) -> web.Response:
    """One test's history: what the drop-down shows, as a page of its own."""
    acting = await session.acting(request, Limit.RESULTS)
    asked = ShowTest(
        visa=acting.visa, patient_id=acting.patient_id, test_key=request.match_info["code"]
    )
    try:
        chrome, history = await asyncio.gather(
            shell.record(request, acting, tab="health"), ask(request.app[BROKER], asked)
        )
    except Refused as refused:
        if refused.code == Refusal.UNKNOWN_TEST:
            raise web.HTTPNotFound from None
        raise
    return render(
        request,
        "health/test.html",
        chrome.about(history),
        person=history.person,
        test=history.test,
    )
