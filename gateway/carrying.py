"""What somebody sent whose session had ended goes with them through the log-in, and is not lost.

The form's words travel as hidden fields of the log-in page, for as long as it takes to log in, and
are sent on from the page after it, by the person who is logged in then. Passwords, codes and files
don't travel.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from gateway import again, session, shell
from gateway.protection import CSRF_FIELD, IDEMPOTENCY_FIELD
from gateway.rendering import here, render

PREFIX = "kept_"
ADDRESS, FILES, SECRETS = "kept_for", "kept_files", "kept_secrets"
TAKEN_ON = re.compile(r"(?!/staff/login)/(p|staff|account|invitations)(/[\w-]+)+", re.ASCII)
"""Where words are carried on to: the forms of those who are logged in."""
ID = "[0-9a-f-]{36}"
MESSAGE = re.compile(
    rf"/p/{ID}/messages/(compose|{ID}/reply)"
    rf"|/staff/(messages/{ID}/answer|patients/{ID}/messages/new)"
)
"""The forms in which somebody writes a message: it becomes a draft first, to be looked at."""
PRESSED = frozenset({"do", "remove", IDEMPOTENCY_FIELD})
"""What a message's draft does without, and what nobody typed."""
NOT_TYPED = PRESSED | {"draft", "version", "revision", "about", "category", "step", "confirmed"}


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Words on their way."""

    address: str
    fields: Sequence[tuple[str, str]]
    """Name and value, as the form had them: of boxes to tick, one name comes several times."""
    files: bool = False
    """There were files too; they have to be chosen again."""
    secrets: bool = False
    """And passwords or codes, which have to be typed again."""

    @property
    def message(self) -> bool:
        return bool(MESSAGE.fullmatch(self.address))

    @property
    def words(self) -> list[str]:
        """What somebody wrote, to be seen before it is sent on."""
        if self.message:
            return [value for name, value in self.fields if name == "body" and value]
        return again.words(self.fields)

    @property
    def counts_once(self) -> bool:
        """It has a key of its own."""
        return IDEMPOTENCY_FIELD in dict(self.fields)

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """As the log-in page carries them."""
        also = [
            (name, "yes") for name, was in ((FILES, self.files), (SECRETS, self.secrets)) if was
        ]
        return [
            *((PREFIX + name, value) for name, value in self.fields),
            (ADDRESS, self.address),
            *also,
        ]


def kept_in(form: Mapping[str, Any]) -> Kept | None:
    """What a log-in form carries, if it carries anything."""
    address = str(form.get(ADDRESS, ""))
    if not TAKEN_ON.fullmatch(address):
        return None
    never = {PREFIX + name for name in again.SECRET | {CSRF_FIELD}}
    never |= {ADDRESS, FILES, SECRETS}
    fields = [
        (name.removeprefix(PREFIX), str(value))
        for name, value in form.items()
        if name.startswith(PREFIX) and name not in never
    ]
    return Kept(
        address=address,
        fields=fields,
        files=bool(form.get(FILES)),
        secrets=bool(form.get(SECRETS)),
    )


async def at_the_door(request: web.Request, door: session.AtTheDoor) -> web.Response:
    """The log-in page with what was typed; where that is nothing, or too much, the way to it."""
    brought = await again.read(request)
    address, fields = here(request), brought.fields
    if MESSAGE.fullmatch(address):
        fields = [(name, value) for name, value in fields if name not in PRESSED]
    typed = any(value for name, value in fields if name not in NOT_TYPED)
    if not (typed and brought.fits and TAKEN_ON.fullmatch(address)):
        raise door
    return render(
        request,
        "door/staff_login.html" if door.staff else "door/login.html",
        await shell.door(request),
        form={},
        problem="",
        code_wanted=False,
        passkey_options="",
        kept=Kept(
            address=address,
            fields=fields,
            files=bool(brought.files),
            secrets=bool(brought.passwords or brought.codes),
        ),
        status=401,
    )
