"""What went wrong, as a page: what happened, what to do, and the request's id."""

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from gateway import again, carrying, session, shell
from gateway.protection import Forged
from gateway.rendering import render
from libs.contracts.base import Refused
from libs.contracts.records.refusals import Refusal
from libs.runtime.broker import Unavailable
from libs.runtime.logs import describe

log = structlog.get_logger()

PAGES = {400, 403, 404, 409, 413, 429, 500, 503}


@web.middleware
async def explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A refusal without words is a page that does not exist, so a stranger learns nothing.

    Staff whose role does not include a chart are led to where they can open it in an emergency.
    """
    try:
        return await _carried(request, handler)
    except Forged:
        return await _page(request, 403)
    except Refused as refused:
        return await _refused(request, refused)
    except Unavailable:
        response = await _away(request)
        response.headers["Retry-After"] = "10"
        return response
    except web.HTTPException as answer:
        if answer.status in PAGES and answer.content_type != "application/json":
            response = await _page(request, answer.status)
            if later := answer.headers.get(hdrs.RETRY_AFTER):
                response.headers[hdrs.RETRY_AFTER] = later
            return response
        raise
    except (ConnectionResetError, TimeoutError) as error:
        log.info("a browser went away", **describe(error))
        raise
    except Exception as error:  # noqa: BLE001  (the person gets a page, the log the kind and place)
        log.error("a page failed", **describe(error))
        return await _page(request, 500)


async def _carried(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A form of somebody whose session has ended goes with them through the log-in."""
    try:
        return await handler(request)
    except session.AtTheDoor as door:
        if not again.takes(request):
            raise
        return await carrying.at_the_door(request, door)


async def _refused(request: web.Request, refused: Refused) -> web.StreamResponse:
    if refused.code == Refusal.CHART_CLOSED and "patient" in request.match_info:
        return shell.to_patient(request, "chart_closed")
    return await _page(request, 404)


async def _away(request: web.Request) -> web.StreamResponse:
    """What somebody sent stays in the page; where it can't be read, the page says only that."""
    if not again.takes(request):
        return await _page(request, 503)
    try:
        return await again.page(request)
    except Forged:
        return await _page(request, 403)
    except web.HTTPException as answer:
        return await _page(request, answer.status)


async def _page(request: web.Request, status: int) -> web.StreamResponse:
    if request.path.startswith("/api/"):
        return web.json_response({"error": SENTENCES[status]}, status=status)
    return render(request, f"errors/{status}.html", shell.plain(request), status=status)


SENTENCES = {
    400: "This could not be read.",
    403: "This is not allowed.",
    404: "There is no such thing here.",
    409: "This was changed in the meantime.",
    413: "This is too large.",
    429: "There were too many tries.",
    500: "Something went wrong on our side.",
    503: "This is away for the moment. Try again soon.",
}
"""The same for machines."""
