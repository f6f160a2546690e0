"""The two addresses of a SMART Health Link: its manifest, and the file that it names.

They are for software anywhere, browsers included; neither reads a cookie.
"""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import wraps
from typing import Any

from aiohttp import hdrs, web

from gateway import ahead, health_link, protection, sent
from gateway.protection import Page
from libs.contracts.base import Refused
from libs.contracts.content import CHUNK_SIZE
from libs.contracts.records.exports import Format
from libs.contracts.records.refusals import Refusal
from libs.contracts.records.sending import (
    Door,
    Offered,
    SendingState,
    ShowDoor,
    Unlock,
    Unlocked,
)
from libs.runtime.broker import BROKER, EXPIRES, Unavailable, ask
from libs.runtime.clock import utcnow

REQUEST_LIMIT = 4_096
"""Bytes of a manifest request."""
EMBEDDED_LIMIT = 256 * 1024
"""Characters that are embedded in a manifest at most, whatever the other side would take."""
FROM_ANYWHERE = {
    hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
GONE = 404, "This link is not active."
BUSY = 503, "We are very busy at this moment. Ask again in a few seconds."

routes = web.RouteTableDef()


class Problem(Exception):
    """Why a request is not answered: a status, and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


def for_software(handler: Page) -> Page:
    """Whatever happens is said as JSON, and any site's page may read it."""

    @wraps(handler)
    async def answered(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Problem as problem:
            response = _answer({"error": problem.sentence}, status=problem.status)
        except Unavailable:
            response = _answer({"error": BUSY[1]}, status=BUSY[0])
        if response.status == BUSY[0]:
            response.headers[hdrs.RETRY_AFTER] = "5"
        return response

    return answered


def _answer(said: dict[str, Any], *, status: int = 200) -> web.Response:
    return web.json_response(said, status=status, headers=FROM_ANYWHERE)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A manifest request."""

    recipient: str
    passcode: str
    embedded_length_max: int


@routes.options("/shl/{token}")
async def preflight(request: web.Request) -> web.Response:  # noqa: ARG001
    """A browser asks whether another site's page may ask here."""
    allowed = {
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: "POST",
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "content-type",
    }
    return web.Response(status=204, headers=FROM_ANYWHERE | allowed)


@routes.post("/shl/{token}", name="manifest")
@for_software
async def manifest(request: web.Request) -> web.StreamResponse:
    """What there is to fetch, for whoever knows the password."""
    token = request.match_info["token"]
    question = await _question(request)
    door = await _door(request)
    if not question.passcode:
        return _answer({"remainingAttempts": door.tries_left}, status=401)
    try:
        opened = await _unlocked(request, password=question.passcode, opener=question.recipient)
    except Refused as refused:
        if refused.code == Refusal.WRONG_PASSWORD:
            left = (await ask(request.app[BROKER], ShowDoor(token=token))).tries_left
            return _answer({"remainingAttempts": left}, status=401)
        if refused.code == Refusal.BUSY:
            raise Problem(*BUSY) from None
        raise Problem(*GONE) from None
    bundle = next(file for file in opened.files if file.format is Format.FHIR)
    there = {"contentType": bundle.media_type, "status": "finalized", "fhirVersion": "4.0.1"}
    most = min(question.embedded_length_max, EMBEDDED_LIMIT)
    if health_link.length(bundle.size) <= most:
        written = health_link.jwe(door.link_key, _pieces(request, opened, bundle))
        there["embedded"] = b"".join([piece async for piece in written]).decode()
    else:
        ticket = health_link.ticket(door.link_key, token, opened.key, now=utcnow())
        here = request.app[protection.CONFIG].public_url
        there["location"] = f"{here}/shl/{token}/{ticket}"
    return _answer({"files": [there]})


@routes.get("/shl/{token}/{ticket}", name="linked_file")
@for_software
async def file(request: web.Request) -> web.StreamResponse:
    """The record as a FHIR bundle, encrypted under the link's key."""
    token, ticket = request.match_info["token"], request.match_info["ticket"]
    door = await _door(request)
    if not (key := health_link.redeem(door.link_key, token, ticket, now=utcnow())):
        raise Problem(*GONE)
    try:
        opened = await _unlocked(request, key=key)
    except Refused:
        raise Problem(*GONE) from None
    bundle = next(file for file in opened.files if file.format is Format.FHIR)
    response = web.StreamResponse(headers=protection.HEADERS | FROM_ANYWHERE)
    response.content_type = "application/jose"
    response.content_length = health_link.length(bundle.size)
    if request.method == hdrs.METH_HEAD:
        return response
    EXPIRES.set(None)  # a large file on a slow line takes its time; each chunk has its own
    content = health_link.jwe(door.link_key, _pieces(request, opened, bundle))
    with request.app[sent.ENDINGS].reading(request, opened):
        return await ahead.flow(request, response, content)


async def _question(request: web.Request) -> Question:
    raw = await request.content.read(REQUEST_LIMIT + 1)
    if len(raw) > REQUEST_LIMIT:
        raise Problem(413, "A request has 4,096 bytes at most.")
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or not _text(said, "recipient"):
        raise Problem(400, 'The body is a JSON object with "recipient" and "passcode".')
    most = said.get("embeddedLengthMax", 0)
    return Question(
        recipient=_text(said, "recipient"),
        passcode=_text(said, "passcode"),
        embedded_length_max=most if isinstance(most, int) else 0,
    )


def _text(said: dict[str, Any], name: str) -> str:
    """A text of the body; half of a character, which JSON can spell, is none."""
    value = said.get(name)
    return value.encode(errors="ignore").decode() if isinstance(value, str) else ""


async def _door(request: web.Request) -> Door:
    """The link, while it leads to something."""
    try:
        door = await ask(request.app[BROKER], ShowDoor(token=request.match_info["token"]))
    except Refused:
        raise Problem(*GONE) from None
    if door.state not in (SendingState.SENT, SendingState.OPENED):
        raise Problem(*GONE)
    return door


async def _unlocked(request: web.Request, **said: Any) -> Unlocked:
    asked = Unlock(token=request.match_info["token"], **said)
    return await ask(request.app[BROKER], asked, within=sent.UNLOCKING)


def _pieces(request: web.Request, opened: Unlocked, file: Offered) -> AsyncGenerator[bytes, None]:
    piece = sent.Reader(request, file, opened).piece
    return ahead.pieces(piece, 0, (file.size - 1) // CHUNK_SIZE)
