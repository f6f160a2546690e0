"""What somebody wrote whose session had ended goes with them through the log-in, and is not lost.

The form's words travel as hidden fields of the log-in page, for as long as it takes to log in, and
are sent on from the page after it, by the person who is logged in then. Files don't travel.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from gateway import multipart, session, shell
from gateway.multipart import Incoming
from gateway.protection import Page
from gateway.rendering import render

TYPED = ("draft", "version", "about", "category", "subject", "body")
PREFIX = "kept_"
ADDRESS, FILES = "kept_for", "kept_files"
ID = "[0-9a-f-]{36}"
TAKEN_ON = re.compile(
    rf"/p/{ID}/messages/(compose|{ID}/reply)"
    rf"|/staff/(messages/{ID}/answer|patients/{ID}/messages/new)"
)
"""Where words are carried on to: the forms in which somebody writes a message."""
DRAINED = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Words on their way."""

    address: str
    fields: Mapping[str, str]
    files: bool = False
    """There were files too; they have to be chosen again."""

    @property
    def body(self) -> str:
        return self.fields.get("body", "")

    @property
    def hidden(self) -> dict[str, str]:
        """As the log-in page carries them."""
        carried = {PREFIX + name: value for name, value in self.fields.items()}
        return carried | {ADDRESS: self.address} | ({FILES: "yes"} if self.files else {})


def kept_in(form: Mapping[str, Any]) -> Kept | None:
    """What a log-in form carries, if it carries anything."""
    address = str(form.get(ADDRESS, ""))
    if not TAKEN_ON.fullmatch(address):
        return None
    fields = {name: str(form.get(PREFIX + name, "")) for name in TYPED}
    fields = {name: value for name, value in fields.items() if value}
    return Kept(address=address, fields=fields, files=bool(form.get(FILES)))


def through_the_door(handler: Page) -> Page:
    """For a form in which somebody writes: without a session, its words wait for the log-in."""

    @functools.wraps(handler)
    async def carried(request: web.Request) -> web.StreamResponse:
        if await session.find(request):
            return await handler(request)
        return await _at_the_door(request)

    return carried


async def _at_the_door(request: web.Request) -> web.Response:
    fields: dict[str, str] = {}
    files = drained = 0

    async def leave(incoming: Incoming) -> None:
        nonlocal files, drained
        files += 1
        async for piece in incoming.pieces:
            drained += len(piece)
            if drained > DRAINED:
                raise web.HTTPRequestEntityTooLarge(DRAINED, drained)

    await multipart.read(request, fields, leave)
    typed = {name: fields[name] for name in TYPED if fields.get(name)}
    staff = request.path.startswith("/staff/")
    if not (typed.get("subject") or typed.get("body")):
        raise session.to_the_door(request, staff=staff)
    return render(
        request,
        "door/staff_login.html" if staff else "door/login.html",
        await shell.door(request),
        form={},
        problem="",
        code_wanted=False,
        passkey_options="",
        kept=Kept(address=request.path, fields=typed, files=bool(files)),
        status=401,
    )
