"""What the gateway counts of the pages that it serves, and where the trace of each begins."""

import time

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from prometheus_client import Counter, Gauge, Histogram

from libs.runtime import tracing
from libs.runtime.metrics import QUICK

REQUESTS = Counter(
    "carespace_http_requests_total",
    "Requests of browsers and machines; gone: whoever asked went away before the answer.",
    ("route", "method", "status"),
)
SECONDS = Histogram(
    "carespace_http_request_duration_seconds",
    "Time to answer them, without pages that stay open to hear of changes.",
    ("route", "method"),
    buckets=QUICK,
)
UNDER_WAY = Gauge("carespace_http_requests_under_way", "Requests that are being answered.")
LIVE = Gauge("carespace_live_pages", "Open pages that hear of changes at once.")

NO_ROUTE = "none"
"""The route of an address that no page has."""
METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"}
FAILURE, BROKEN = 500, "5xx"


@web.middleware
async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every request is counted by its route, never by its address, and is one trace.

    A trace that a browser claims to be part of is not believed.
    """
    route, method = _route(request), request.method if request.method in METHODS else "other"
    with (
        tracing.span(f"{method} {route}", "server", came_with={}) as span,
        UNDER_WAY.track_inprogress(),
    ):
        status, stays_open, start = "gone", False, time.perf_counter()
        try:
            response = await handler(request)
            status, stays_open = str(response.status), _stays_open(response)
        except web.HTTPException as answer:
            status = str(answer.status)
            raise
        finally:
            span.said("http.route", route)
            span.said("http.response.status_code", status)
            if status.isdigit() and int(status) >= FAILURE:
                span.failed(status)
            REQUESTS.labels(route, method, BROKEN)  # is 0, so that the first is seen as a change
            REQUESTS.labels(route, method, _kind(status)).inc()
            if not stays_open:
                SECONDS.labels(route, method).observe(time.perf_counter() - start)
    return response


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else NO_ROUTE


def _kind(status: str) -> str:
    """2xx and the like."""
    return f"{status[0]}xx" if status.isdigit() else status


def _stays_open(response: web.StreamResponse) -> bool:
    return response.headers.get(hdrs.CONTENT_TYPE, "").startswith("text/event-stream")
