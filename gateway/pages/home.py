"""Where someone lands, and the pages that are the same for everyone."""

import asyncio

from aiohttp import web

from gateway import session, shell
from gateway.rendering import render
from libs.contracts.visa import Capacity

routes = web.RouteTableDef()


@routes.get("/", name="home")
async def home(request: web.Request) -> web.Response:
    """One record: its Health page. Several: a choice. None yet, or a closed one: a word about it."""
    person = await session.signed_in(request)
    if person.session.seat:
        raise web.HTTPSeeOther("/staff")
    held = await session.access_of(request, person)
    records = held.records
    if len(records) == 1 and not held.closed:
        raise web.HTTPSeeOther(shell.health_of(request, records[0].patient_id))
    chrome = await shell.person(request, person)
    closed = await asyncio.gather(
        *(session.practice(request, own.practice_id) for own in held.closed)
    )
    if not records and not closed:
        return render(request, "home/no_record.html", chrome)
    people = await asyncio.gather(*(shell.whose(request, access) for access in records))
    choices = [
        {
            "url": shell.health_of(request, access.patient_id),
            "own": access.capacity is Capacity.SELF,
            "practice": await session.practice(request, access.practice_id),
            "person": person,
        }
        for access, person in zip(records, people, strict=True)
    ]
    return render(request, "home/choose_record.html", chrome, choices=choices, closed=closed)


@routes.get("/session", name="stay")
async def stay(request: web.Request) -> web.Response:
    """Stay logged in: asking for anything keeps the session awake, and this is the least."""
    person = await session.find(request)
    if person is None:
        raise web.HTTPUnauthorized
    return web.json_response({"idle_ends_at": person.session.idle_ends_at.isoformat()})


@routes.get("/terms", name="terms")
async def terms(request: web.Request) -> web.Response:
    return render(request, "legal/terms.html", await shell.door(request))


@routes.get("/privacy", name="privacy")
async def privacy(request: web.Request) -> web.Response:
    return render(request, "legal/privacy.html", await shell.door(request))


@routes.get("/accessibility", name="accessibility")
async def accessibility(request: web.Request) -> web.Response:
    return render(request, "legal/accessibility.html", await shell.door(request))
