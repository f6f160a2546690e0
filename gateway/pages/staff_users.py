"""Staff: who may see a patient's record beside the patient. They look, and may end it."""

import asyncio

from aiohttp import web

from gateway import reading, session, shell
from gateway.pages.users import everyone
from gateway.rendering import render
from libs.contracts.base import Refused
from libs.contracts.delegation import Refusal, RevokeAccess
from libs.contracts.records.patients import NamePatients
from libs.runtime.broker import BROKER, ask

WORDS: dict[str, str] = {
    Refusal.REASON_MISSING: "Say why. The patient reads it.",
    Refusal.REASON_TOO_LONG: "The reason can have up to 500 characters.",
}

routes = web.RouteTableDef()


@routes.get("/staff/patients/{patient}/users", name="patient_users")
async def users(request: web.Request) -> web.Response:
    return await _page(request, await session.at_work(request))


@routes.post("/staff/patients/{patient}/users/{id}/end", name="end_access")
async def end_access(request: web.Request) -> web.Response:
    """The practice ends an access; the patient reads why."""
    staff = await session.at_work(request)
    form = await request.post()
    wanted, reason = reading.path_id(request), reading.raw(form, "reason")
    asked = RevokeAccess(
        visa=staff.visa,
        patient_id=reading.path_id(request, "patient"),
        invitation_id=wanted,
        version=reading.number(form, "version"),
        reason=reason,
        letter=True,
    )
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        errors = {f"reason-{wanted}": refused.worded(WORDS)}
        return await _page(request, staff, errors=errors, reason=reason)
    there = request.app.router["patient_users"].url_for(patient=request.match_info["patient"])
    response = web.HTTPSeeOther(str(there))
    shell.notice(response, "access_revoked")
    raise response


async def _page(
    request: web.Request,
    staff: session.AtWork,
    *,
    errors: dict[str, str] | None = None,
    reason: str = "",
) -> web.Response:
    asked = NamePatients(visa=staff.visa, patient_ids=(reading.path_id(request, "patient"),))
    chrome, named, listed = await asyncio.gather(
        shell.staff(request, staff, tab="patients"),
        ask(request.app[BROKER], asked),
        everyone(request, staff),
    )
    if not named.people:
        raise web.HTTPNotFound
    return render(
        request,
        "staff/users.html",
        chrome,
        person=named.people[0],
        people=listed,
        errors=errors or {},
        reason=reason,
        status=400 if errors else 200,
    )
