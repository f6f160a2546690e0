"""A record that somebody sent, for whoever has the link and was told the password.

What the password gives lies with the recipient's browser alone, in a cookie of this very link, and
is handed over with each request. It holds for half an hour, whoever shows it.
"""

import base64
import binascii

from aiohttp import web

from gateway import files, health_link, reading, sent
from gateway.files import File
from gateway.protection import CONFIG
from gateway.rendering import Chrome, render
from libs.contracts.base import Refused
from libs.contracts.records.exports import Format
from libs.contracts.records.refusals import Refusal
from libs.contracts.records.sending import (
    NOTES_LIMIT,
    TRIES,
    Addressee,
    Door,
    Offered,
    SendingState,
    ShowDoor,
    Unlock,
    Unlocked,
    WriteBack,
)
from libs.runtime.broker import BROKER, ask

COOKIE = "__Secure-shared"
KEPT = 30 * 60
"""Seconds that a browser keeps the key."""
WORDS: dict[str, str] = {
    Refusal.WRONG_PASSWORD: "This is not the password. Check it with whoever sent you the record.",
    Refusal.BUSY: "We are very busy at this moment. Try again in a few seconds.",
}
NOTE_WORDS: dict[str, str] = {
    Refusal.NOTES_TOO_LONG: "Shorten your note to 1,000 characters.",
    Refusal.NOTES_NOT_USABLE: "Write a note first.",
    Refusal.WRITTEN_ALREADY: "You have written a note already.",
}
OVER = {Refusal.SENDING_OVER, Refusal.SENDING_LOCKED, Refusal.UNKNOWN_SENDING}

routes = web.RouteTableDef()


@routes.get("/shared/{token}", name="shared")
async def show(request: web.Request) -> web.Response:
    """The door, or what is behind it for whoever has unlocked it."""
    try:
        if key := _key(request):
            return _record(request, await _unlocked(request, key=key))
        return await _door(request)
    except Refused as refused:
        if refused.code == Refusal.WRONG_PASSWORD:
            return await _door(request)
        return _over(request, refused)


@routes.post("/shared/{token}")
async def unlock(request: web.Request) -> web.Response:
    """With the right password, the record; each wrong one is counted."""
    form = await request.post()
    try:
        opened = await _unlocked(request, password=reading.raw(form, "record_password"))
    except Refused as refused:
        if refused.code in OVER:
            return _over(request, refused)
        return await _door(request, problem=refused.worded(WORDS))
    response = web.HTTPSeeOther(request.path)
    response.set_cookie(
        COOKIE,
        base64.urlsafe_b64encode(opened.key).decode(),
        path=request.path,
        max_age=KEPT,
        secure=True,
        httponly=True,
        samesite="Lax",
    )
    raise response


@routes.get("/shared/{token}/files/{format}", name="shared_file")
async def file(request: web.Request) -> web.StreamResponse:
    """One of the files, or the page, piece by piece."""
    wanted = request.match_info["format"]
    key = _key(request)
    if wanted not in {*Format} or not key:
        raise web.HTTPSeeOther(_of(request, ""))
    try:
        opened = await _unlocked(request, key=key)
    except Refused:
        raise web.HTTPSeeOther(_of(request, "")) from None
    offered = next((one for one in opened.files if one.format == wanted), None)
    if offered is None:
        raise web.HTTPNotFound
    return await _stream(request, offered, opened)


@routes.post("/shared/{token}/note", name="shared_note")
async def note(request: web.Request) -> web.Response:
    """A word back to whoever sent it."""
    form = await request.post()
    key = _key(request)
    if not key:
        raise web.HTTPSeeOther(_of(request, ""))
    to_team = reading.text(form, "to") == Addressee.CARE_TEAM
    asked = WriteBack(
        token=request.match_info["token"],
        key=key,
        note=reading.raw(form, "note"),
        to=Addressee.CARE_TEAM if to_team else Addressee.SENDER,
    )
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        if refused.code in OVER or refused.code == Refusal.WRONG_PASSWORD:
            return _over(request, refused)
        opened = await _unlocked(request, key=key)
        return _record(request, opened, form=form, problem=refused.worded(NOTE_WORDS))
    raise web.HTTPSeeOther(_of(request, ""))


def _of(request: web.Request, rest: str) -> str:
    """An address under this link."""
    return f"/shared/{request.match_info['token']}{rest}"


def _key(request: web.Request) -> bytes:
    """The key that this browser keeps; b"" for none."""
    try:
        return base64.urlsafe_b64decode(request.cookies.get(COOKIE, ""))
    except (binascii.Error, ValueError):
        return b""


async def _unlocked(request: web.Request, *, password: str = "", key: bytes = b"") -> Unlocked:
    asked = Unlock(token=request.match_info["token"], password=password, key=key)
    return await ask(request.app[BROKER], asked, within=sent.UNLOCKING)


async def _door(request: web.Request, *, problem: str = "") -> web.Response:
    door = await ask(request.app[BROKER], ShowDoor(token=request.match_info["token"]))
    if door.state not in (SendingState.SENT, SendingState.OPENED):
        return _ended(request, door)
    return render(
        request,
        "shared/door.html",
        Chrome(practice=door.practice),
        door=door,
        link=health_link.link(
            request.app[CONFIG].public_url,
            request.match_info["token"],
            door.link_key,
            expires_at=door.expires_at,
            practice=door.practice.name,
        ),
        tries=TRIES,
        errors={"record_password": problem} if problem else {},
        status=400 if problem else 200,
    )


def _record(
    request: web.Request,
    opened: Unlocked,
    *,
    form: reading.Form | None = None,
    problem: str = "",
) -> web.Response:
    return render(
        request,
        "shared/record.html",
        Chrome(practice=opened.practice),
        opened=opened,
        here=_of(request, ""),
        form=form or {},
        longest=NOTES_LIMIT,
        errors={"note": problem} if problem else {},
        status=400 if problem else 200,
    )


def _ended(request: web.Request, door: Door) -> web.Response:
    why = door.state.value if door.state is not SendingState.PACKING else "over"
    return render(request, "shared/over.html", Chrome(practice=door.practice), why=why, status=410)


def _over(request: web.Request, refused: Refused) -> web.Response:
    why = {
        Refusal.SENDING_LOCKED.value: "locked",
        Refusal.SENDING_OVER.value: "over",
    }.get(refused.code, "unknown")
    status = 404 if why == "unknown" else 410
    return render(request, "shared/over.html", Chrome(), why=why, status=status)


async def _stream(request: web.Request, offered: Offered, opened: Unlocked) -> web.StreamResponse:
    made = File(
        file_name=offered.file_name,
        media_type=offered.media_type,
        size=offered.size,
        tag=f"{offered.format}-{offered.size}",
        chunk=sent.Reader(request, offered, opened).piece,
        page=offered.format is Format.HTML,
    )
    with request.app[sent.ENDINGS].reading(request, opened):
        return await files.stream(request, made, kind="inline" if made.page else "attachment")
