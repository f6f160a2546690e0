"""What every answer carries and every form must bring: headers, request ids, proof of origin."""

import hashlib
import hmac
import ipaddress
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias
from uuid import UUID

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler
from multidict import MultiDictProxy
from uuid_utils.compat import uuid7
from yarl import URL

from gateway import session
from gateway.config import Config
from libs.runtime.broker import EXPIRES
from libs.runtime.logs import REQUEST_ID

CONFIG = web.AppKey("config", Config)
REQUEST = web.RequestKey("request_id", str)
VISIT = web.RequestKey("visit", str)
BEGUN = web.RequestKey("begun", str)
"""The token of a session that begins with this answer; its page's forms are bound to it."""
VISIT_COOKIE = "__Host-visit"
CSRF_FIELD = "csrf"
IDEMPOTENCY_FIELD = "key"
Page: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
PATIENCE = 12.0
"""Seconds for one page, all that it asks for included."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cache-Control": "no-store",
}
"""On every answer, errors and downloads included; a handler may say otherwise for its own."""


class Forged(Exception):
    """The form did not come from a page of ours, or its page is too old."""


@web.middleware
async def identified(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every request has an id that follows it everywhere, and a deadline for all that it asks."""
    request[REQUEST] = uuid7().hex
    REQUEST_ID.set(request[REQUEST])
    EXPIRES.set(time.time() + PATIENCE)
    return await handler(request)


async def put_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Every answer has the headers, whoever made it: pages, errors, files and streams alike."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if REQUEST in request:
        response.headers["Request-Id"] = request[REQUEST]
    if VISIT in request and request.cookies.get(VISIT_COOKIE) != request[VISIT]:
        # aiohttp has written a response's own cookies before it asks us, so this one is a header
        jar = web.Response()
        jar.set_cookie(
            VISIT_COOKIE, request[VISIT], path="/", secure=True, httponly=True, samesite="Lax"
        )
        response.headers.add(hdrs.SET_COOKIE, jar.cookies[VISIT_COOKIE].OutputString())


@web.middleware
async def only_our_forms(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A POST from another site, or without its page's proof, does nothing.

    What software asks takes no cookies, so there is nothing to borrow.
    """
    if request.method == "POST" and not request.path.startswith(FOR_SOFTWARE):
        check_origin(request)
        streamed = request.match_info.handler in STREAMED
        if not (streamed and request.content_type == "multipart/form-data"):
            check_proof(request, str((await _form(request)).get(CSRF_FIELD, "")))
    return await handler(request)


FOR_SOFTWARE = ("/api/", "/shl/")
STREAMED: set[Any] = set()
"""The pages that read their forms themselves."""


def streams_its_form(handler: Page) -> Page:
    """For a page whose form brings a large file: it is proven as `gateway.uploads` reads it."""
    STREAMED.add(handler)
    return handler


async def _form(request: web.Request) -> MultiDictProxy[Any]:
    try:
        return await request.post()
    except (ValueError, HttpProcessingError):  # multipart in name only
        raise web.HTTPBadRequest from None


def check_origin(request: web.Request) -> None:
    """The browser says that this came from a page of ours (OWASP: Fetch Metadata, then Origin)."""
    if site := request.headers.get("Sec-Fetch-Site"):
        if site not in ("same-origin", "none"):
            raise Forged
        return
    origin = request.headers.get(hdrs.ORIGIN)
    if origin and origin != str(URL(request.app[CONFIG].public_url).origin()):
        raise Forged


def check_proof(request: web.Request, given: str) -> None:
    """The form's hidden field belongs to this browser's cookie."""
    if not hmac.compare_digest(given.encode(), proof(request).encode()):
        raise Forged


def proof(request: web.Request) -> str:
    """The hidden field of every form: bound to the session, or to the visit of someone without."""
    begun = request.get(BEGUN) or request.cookies.get(session.COOKIE)
    secret = begun or _visit(request)
    digest = hmac.digest(secret.encode(), b"carespace form", hashlib.sha256)
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _visit(request: web.Request) -> str:
    if VISIT not in request:
        request[VISIT] = request.cookies.get(VISIT_COOKIE) or secrets.token_urlsafe(32)
    return request[VISIT]


def fresh_key() -> UUID:
    """A form's idempotency key: however often the form is sent, it does one thing."""
    return uuid7()


def source(request: web.Request) -> str:
    """Where a request comes from: an IPv4 address, or an IPv6 network of 64 bits.

    `X-Forwarded-For` is believed from trusted proxies only, and read from its end.
    """
    trusted = [
        ipaddress.ip_network(network.strip())
        for network in request.app[CONFIG].trusted_proxies.split(",")
        if network.strip()
    ]
    path = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    address = request.remote or ""
    while path and path[-1] and _within(address, trusted):
        address = path.pop()
    return _network(address)


def _within(address: str, networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 6:  # noqa: PLR2004
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
