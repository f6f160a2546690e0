"""Forms with files, read as they come and never held whole.

The fields of such a form come before its files, the proof of origin first of all, so that nothing
of a forged form is ever passed on.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from aiohttp import BodyPartReader, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from gateway.protection import CSRF_FIELD, Forged, check_proof
from libs.runtime.broker import EXPIRES

FIELD_LIMIT = 64 * 1024
"""Bytes of one field."""
FIELDS_LIMIT = 50
FIELDS = web.RequestKey("form_fields", dict[str, str])
FILES = web.RequestKey("form_files", set[str])
"""What a form has brought so far, for a page that says that a part was away."""
DRAINED = 64 * 1024 * 1024
"""Bytes of files that are read though nobody wants them, so that the browser hears why."""
_PARAMETER = re.compile(r'; *(name|filename)="([^"]*)"')


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A file, as it comes."""

    file_name: str
    media_type: str
    """What the browser says it is."""
    pieces: AsyncIterator[bytes]


class Drain:
    """Reads what is left of a form's files and keeps nothing of it; 413 where there is too much."""

    def __init__(self) -> None:
        self._drained = 0

    async def __call__(self, incoming: Incoming) -> None:
        async for piece in incoming.pieces:
            self._drained += len(piece)
            if self._drained > DRAINED:
                raise web.HTTPRequestEntityTooLarge(DRAINED, self._drained)


async def read(
    request: web.Request, fields: dict[str, str], take: Callable[[Incoming], Awaitable[None]]
) -> None:
    """Read the form's fields into `fields`, and hand over each file as it comes.

    Raises `Forged`, 413 for a form of too many or too large fields, and whatever `take` raises.
    """
    EXPIRES.set(None)  # a large file on a slow line takes its time; each chunk has its own
    if request.content_type != "multipart/form-data":
        form = await request.post()  # it proved itself on the way in, and holds no file
        fields |= {name: str(value) for name, value in form.items()}
        return
    proven = False
    request[FIELDS], request[FILES] = fields, set()
    async for part in _parts(request):
        described = _described(part)
        name, file_name = described.get("name"), described.get("filename")
        if not name:
            continue
        if file_name is None:
            if len(fields) >= FIELDS_LIMIT:
                raise web.HTTPRequestEntityTooLarge(FIELDS_LIMIT, len(fields))
            fields[name] = await _field(part)
            if name == CSRF_FIELD:
                check_proof(request, fields[CSRF_FIELD])
                proven = True
        elif not proven:
            raise Forged
        elif file_name:
            request[FILES].add(name)
            declared = part.headers.get("Content-Type", "")[:100]
            incoming = Incoming(
                file_name=file_name[-255:], media_type=declared, pieces=_pieces(part)
            )
            await take(incoming)
    if not proven:
        raise Forged


async def _parts(request: web.Request) -> AsyncIterator[BodyPartReader]:
    """Each field and file; what only says that it is a form is not one."""
    try:
        form = await request.multipart()
        while part := await form.next():
            if isinstance(part, BodyPartReader):
                yield part
    except (ValueError, HttpProcessingError):
        raise web.HTTPBadRequest from None


def _described(part: BodyPartReader) -> dict[str, str]:
    """The name of a part and of its file, written as browsers write them (HTML, 4.10.22.8).

    A backslash stands for itself there, and `%22`, `%0D` and `%0A` for what would end the name;
    a reader of quoted strings (RFC 2183) loses the one and keeps the others.
    """
    said = part.headers.get(hdrs.CONTENT_DISPOSITION, "")
    return {
        key: value.replace("%22", '"').replace("%0D", " ").replace("%0A", " ")
        for key, value in _PARAMETER.findall(said)
    }


async def _field(part: BodyPartReader) -> str:
    data = bytearray()
    async for piece in _pieces(part):
        data += piece
        if len(data) > FIELD_LIMIT:
            raise web.HTTPRequestEntityTooLarge(FIELD_LIMIT, len(data))
    return data.decode("utf-8", "replace")


async def _pieces(part: BodyPartReader) -> AsyncIterator[bytes]:
    while piece := await part.read_chunk(64 * 1024):
        yield piece
