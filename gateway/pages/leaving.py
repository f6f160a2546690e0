"""Leave this record: whoever was let in gives up their own access."""

from aiohttp import web

from gateway import reading, session, shell
from gateway.rendering import render
from libs.contracts.delegation import LeaveRecord
from libs.contracts.visa import Capacity
from libs.runtime.broker import BROKER, ask

routes = web.RouteTableDef()


@routes.get("/p/{patient}/leave", name="leave_record")
async def confirm_leaving(request: web.Request) -> web.Response:
    """What it means to leave, before it is done."""
    acting = await _let_in(request)
    chrome = await shell.record(request, acting, tab="", named=True)
    return render(request, "users/leave.html", chrome, access=acting.access.grant_id or "")


@routes.post("/p/{patient}/leave")
async def leave(request: web.Request) -> web.Response:
    """It ends at once; an access that was given since the page was opened does not."""
    acting = await _let_in(request)
    asked = LeaveRecord(
        visa=acting.visa,
        patient_id=acting.patient_id,
        grant_id=reading.form_id(await request.post(), "access"),
    )
    await ask(request.app[BROKER], asked)
    response = web.HTTPSeeOther(str(request.app.router["home"].url_for()))
    shell.notice(response, "record_left")
    raise response


async def _let_in(request: web.Request) -> session.Acting:
    """Somebody whom the patient let in: nobody leaves their own record."""
    acting = await session.acting(request)
    if acting.access.capacity is not Capacity.DELEGATE:
        raise web.HTTPNotFound
    return acting
