"""Staff: the key with which the practice's own systems bring in results and documents."""

import asyncio

from aiohttp import web

from gateway import proving, reading, session, shell
from gateway.rendering import render
from libs.contracts.base import Refused
from libs.contracts.identity.import_keys import ListImportKeys, RenewImportKey
from libs.contracts.identity.refusals import Refusal
from libs.contracts.visa import Role
from libs.runtime.broker import BROKER, ask

routes = web.RouteTableDef()


@routes.get("/staff/settings/import-key", name="import_key")
async def show(request: web.Request) -> web.Response:
    """Which keys there are, since when, and when each was last used."""
    return await _page(request, await session.at_work(request))


@routes.post("/staff/settings/import-key", name="renew_import_key")
async def renew(request: web.Request) -> web.Response:
    """A new key, on the page that comes back and nowhere else."""
    staff = await session.at_work(request)
    form = await request.post()
    at_once = reading.text(form, "older") == "at_once"
    administers = staff.seat.role is Role.ADMINISTRATOR
    if administers and (errors := await proving.proven_with(request, staff.person, form)):
        return await _page(request, staff, at_once=at_once, errors=errors)
    try:
        made = await ask(request.app[BROKER], RenewImportKey(visa=staff.visa, at_once=at_once))
    except Refused as refused:
        if refused.code != Refusal.PROOF_NEEDED:
            raise
        errors = proving.explained(refused)
        return await _page(request, staff, at_once=at_once, errors=errors)
    chrome = await shell.staff(request, staff, tab="settings")
    return render(request, "staff/import_key_made.html", chrome, made=made, at_once=at_once)


async def _page(
    request: web.Request,
    staff: session.AtWork,
    *,
    at_once: bool = False,
    errors: dict[str, str] | None = None,
) -> web.Response:
    chrome, listed = await asyncio.gather(
        shell.staff(request, staff, tab="settings"),
        ask(request.app[BROKER], ListImportKeys(visa=staff.visa)),
    )
    return render(
        request,
        "staff/import_key.html",
        chrome,
        keys=listed.keys,
        at_once=at_once,
        proof=proving.proof_for(staff.person),
        errors=errors or {},
        status=400 if errors else 200,
    )
