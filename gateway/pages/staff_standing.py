"""Staff: a patient's record is closed to the patient, and opened again."""

import asyncio

from aiohttp import web

from gateway import reading, session, shell
from gateway.rendering import render
from libs.contracts.base import Refused
from libs.contracts.records.patients import NamePatients
from libs.contracts.records.refusals import Refusal
from libs.contracts.records.standing import DeactivatePatient, ReactivatePatient
from libs.contracts.visa import Role
from libs.runtime.broker import BROKER, ask

WHO_MAY = (Role.ADMINISTRATOR, Role.CLINICIAN)
WORDS: dict[str, str] = {
    Refusal.REASON_MISSING: "Say why. It stands in the patient's log.",
    Refusal.REASON_TOO_LONG: "The reason can have up to 500 characters.",
}

routes = web.RouteTableDef()


@routes.get("/staff/patients/{patient}/deactivate", name="deactivate_patient")
async def show(request: web.Request) -> web.Response:
    """What comes of it, before it is done."""
    return await _page(request, await session.at_work(request))


@routes.post("/staff/patients/{patient}/deactivate")
async def deactivate(request: web.Request) -> web.Response:
    """Closed to the patient and everyone they let in, at once and everywhere."""
    staff = await session.at_work(request)
    patient_id = reading.path_id(request, "patient")
    reason = reading.raw(await request.post(), "reason")
    asked = DeactivatePatient(visa=staff.visa, patient_id=patient_id, reason=reason)
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        if refused.code not in WORDS:
            raise
        return await _page(request, staff, reason=reason, problem=refused.worded(WORDS))
    return shell.back_to_patient(request, patient_id, "patient_deactivated")


@routes.post("/staff/patients/{patient}/reactivate", name="reactivate_patient")
async def reactivate(request: web.Request) -> web.Response:
    """Open again, as it was."""
    staff = await session.at_work(request)
    patient_id = reading.path_id(request, "patient")
    await ask(request.app[BROKER], ReactivatePatient(visa=staff.visa, patient_id=patient_id))
    return shell.back_to_patient(request, patient_id, "patient_reactivated")


async def _page(
    request: web.Request, staff: session.AtWork, *, reason: str = "", problem: str = ""
) -> web.Response:
    asked = NamePatients(visa=staff.visa, patient_ids=(reading.path_id(request, "patient"),))
    chrome, named = await asyncio.gather(
        shell.staff(request, staff, tab="patients"), ask(request.app[BROKER], asked)
    )
    if not named.people:
        raise web.HTTPNotFound
    return render(
        request,
        "staff/deactivate.html",
        chrome,
        person=named.people[0],
        may_close=staff.seat.role in WHO_MAY,
        reason=reason,
        errors={"reason": problem} if problem else {},
        status=400 if problem else 200,
    )
