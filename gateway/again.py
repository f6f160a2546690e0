"""A form that a service was away for is not lost: its page carries it and sends it again.

What was typed travels as hidden fields, with the form's own key, so that however often it is sent
it does one thing. Passwords, codes and files don't travel: the page asks for them again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from aiohttp import web

from gateway import multipart, shell
from gateway.protection import CSRF_FIELD, FOR_SOFTWARE, IDEMPOTENCY_FIELD, STREAMED
from gateway.rendering import here, render

PASSWORDS = {
    "password": "Password",
    "confirm_password": "Confirm password",
    "current_password": "Current password",
    "proof_password": "Your password",
    "record_password": "Password of the record",
}
CODES = {"code": "One-time code", "proof_code": "One-time code"}
MADE = ("passkey", "enrolment")
"""What a browser or another page has made of a secret; nobody can type it."""
SECRET = frozenset({*PASSWORDS, *CODES, *MADE})
CARRIED = 1024 * 1024
"""Bytes that a page carries, as a browser sends them. Of our forms only a list of patients can hold
more, and that is in a file of theirs."""
LOOKED_AT = 20_000
"""Characters; nobody reads through more, and a page is not made twice as long by it."""


@dataclass(kw_only=True)
class Carried:
    """A form on its way to be sent again."""

    address: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    passwords: dict[str, str] = field(default_factory=dict)
    """Those that were typed, by name, with what to call them."""
    codes: dict[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    """The names of the fields in which files were chosen."""
    streamed: bool = False
    """It came with room for files, and goes the same way."""
    began_elsewhere: bool = False
    """It held what only the page before it can make."""

    @property
    def words(self) -> list[str]:
        return words(self.fields)

    @property
    def counts_once(self) -> bool:
        """It has a key of its own, by which it is known again."""
        return IDEMPOTENCY_FIELD in dict(self.fields)

    @property
    def fits(self) -> bool:
        return len(urlencode(self.fields)) <= CARRIED


def words(fields: Iterable[tuple[str, str]]) -> list[str]:
    """What somebody wrote, to be seen; ids and choices are not words."""
    return [value for _, value in fields if len(value.split()) > 1 and len(value) <= LOOKED_AT]


def takes(request: web.Request) -> bool:
    """Whether this is a form of a person's, and not what software sends."""
    return request.method == "POST" and not request.path.startswith(FOR_SOFTWARE)


async def page(request: web.Request) -> web.Response:
    """The form again, for a service that was away. Raises `Forged` where it isn't one of ours."""
    carried = await read(request)
    return render(
        request,
        "errors/again.html",
        shell.plain(request),
        carried=carried,
        status=503,
    )


async def read(request: web.Request) -> Carried:
    """What the form brought, however much of it the page had read before it failed."""
    fields, files = await _brought(request)
    address = here(request)
    if request.rel_url.raw_query_string:
        address += f"?{request.rel_url.raw_query_string}"
    filled = {name for name, value in fields if value}
    return Carried(
        address=address,
        fields=[(name, value) for name, value in fields if name not in SECRET | {CSRF_FIELD}],
        passwords={name: label for name, label in PASSWORDS.items() if name in filled},
        codes={name: label for name, label in CODES.items() if name in filled},
        files=files,
        streamed=request.content_type == "multipart/form-data",
        began_elsewhere=bool(filled.intersection(MADE)) and not filled.intersection(PASSWORDS),
    )


async def _brought(request: web.Request) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    streamed = request.match_info.handler in STREAMED
    if not (streamed and request.content_type == "multipart/form-data"):
        return _parted((await request.post()).items())
    if multipart.FIELDS not in request:  # the page failed before it read its form
        await multipart.read(request, {}, multipart.Drain())
    files: set[str] = request[multipart.FILES]
    return list(request[multipart.FIELDS].items()), tuple(sorted(files))


def _parted(
    items: Iterable[tuple[str, object]],
) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """What was typed, and the names of the fields in which there was a file."""
    listed = list(items)
    fields = [(name, value) for name, value in listed if isinstance(value, str)]
    chosen = (name for name, value in listed if isinstance(value, web.FileField))
    return fields, tuple(dict.fromkeys(chosen))
