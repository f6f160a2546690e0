"""Documents as they are handed to a browser: as data, under their own names, piece by piece."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote
from uuid import UUID

from aiohttp import web

from gateway import ahead, reading, shell
from gateway.protection import HEADERS
from gateway.rendering import render
from libs.contracts.content import CHUNK_SIZE
from libs.contracts.records.documents import (
    Document,
    Opening,
    ReadDocument,
    RenderDocument,
    ShowDocument,
)
from libs.runtime.broker import BROKER, EXPIRES, ask

SANDBOX = (
    "default-src 'none'; img-src 'self'; style-src 'self' 'unsafe-inline'; sandbox; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
"""For content in a frame of its own: it may be shown, and may do nothing."""
PDF = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'"
"""For a PDF, which browsers don't show in a sandbox: their viewer is one."""
CDA = "application/cda+xml"


@dataclass(frozen=True, kw_only=True)
class File:
    """Something that is handed over in chunks, each of which is asked for as it is due."""

    file_name: str
    media_type: str
    size: int
    tag: str
    """Another one for other content."""
    chunk: Callable[[int], Awaitable[bytes]]
    page: bool = False
    """A page that we made ourselves, which is shown as one; it may do nothing all the same."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Whose documents are read, and the visa that allows it."""

    visa: str
    patient_id: UUID


Reader: TypeAlias = Callable[[web.Request], Awaitable[Reading]]
"""Who reads, found out anew for each piece: an access may end in the middle of a file."""


async def document(
    request: web.Request, reader: Reader, *, opening: Opening | None = None
) -> Document:
    """The document in the address, without its content; and what that is opened for, if it is."""
    who = await reader(request)
    return await ask(
        request.app[BROKER],
        ShowDocument(
            visa=who.visa,
            patient_id=who.patient_id,
            document_id=reading.path_id(request),
            opening=None if request.method == "HEAD" else opening,
            goes_on="Range" in request.headers,
        ),
    )


async def content(request: web.Request, reader: Reader) -> web.StreamResponse:
    """What the frame shows: the content itself, or a C-CDA made readable."""
    shown = await document(request, reader, opening=Opening.VIEW)
    if not shown.viewable:
        raise web.HTTPNotFound
    if shown.document.media_type != CDA:
        return await stream(request, _file(request, reader, shown), kind="inline")
    who = await reader(request)
    asked = RenderDocument(
        visa=who.visa, patient_id=who.patient_id, document_id=reading.path_id(request)
    )
    page = await ask(request.app[BROKER], asked, within=10)
    response = render(request, "documents/cda.html", shell.plain(request), html=page.html)
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


async def download(request: web.Request, reader: Reader) -> web.StreamResponse:
    """The file, byte for byte as it was given to us."""
    shown = await document(request, reader, opening=Opening.DOWNLOAD)
    return await stream(request, _file(request, reader, shown), kind="attachment")


async def stream(request: web.Request, file: File, *, kind: str) -> web.StreamResponse:
    """The content chunk by chunk, or the part of it that was asked for (RFC 9110, 14.2).

    Each chunk is a request of its own, with a visa that holds at that moment.
    """
    size, headers = file.size, _headers(file, kind)
    start, stop = _range(request, size, headers["ETag"])
    response = web.StreamResponse(status=206 if stop - start < size else 200)
    response.headers.update(headers)
    response.headers["Content-Length"] = str(stop - start)
    if response.status == 206:  # noqa: PLR2004
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    if request.method == "HEAD" or stop <= start:
        return response
    EXPIRES.set(None)  # a large file on a slow line takes its time; each chunk has its own
    return await ahead.flow(request, response, _part(file, start, stop))


async def _part(file: File, start: int, stop: int) -> AsyncGenerator[bytes, None]:
    first, last = start // CHUNK_SIZE, (stop - 1) // CHUNK_SIZE
    begins = first * CHUNK_SIZE
    async with aclosing(ahead.pieces(file.chunk, first, last)) as pieces:
        async for data in pieces:
            yield data[max(start - begins, 0) : stop - begins]
            begins += CHUNK_SIZE


def _file(request: web.Request, reader: Reader, shown: Document) -> File:
    async def chunk(number: int) -> bytes:
        who = await reader(request)
        asked = ReadDocument(
            visa=who.visa,
            patient_id=who.patient_id,
            document_id=reading.path_id(request),
            number=number,
        )
        return (await ask(request.app[BROKER], asked)).data

    return File(
        file_name=shown.document.file_name,
        media_type=shown.document.media_type,
        size=shown.document.size,
        tag=shown.sha256,
        chunk=chunk,
    )


def _range(request: web.Request, size: int, tag: str) -> tuple[int, int]:
    """The first byte asked for, and the one after the last; all of it, if what the other side has
    the beginning of is another file than this one (RFC 9110, 13.1.5).
    """
    if request.headers.get("If-Range", tag) != tag:
        return 0, size
    try:
        wanted = request.http_range
    except ValueError:
        return 0, size
    start, stop, _ = slice(wanted.start, wanted.stop).indices(size)
    if wanted.start is not None and start >= size and size:
        raise web.HTTPRequestRangeNotSatisfiable(headers={"Content-Range": f"bytes */{size}"})
    return start, stop


def _headers(file: File, kind: str) -> dict[str, str]:
    inline = kind == "inline"
    media_type = file.media_type if inline else "application/octet-stream"
    if media_type.startswith("text/"):
        media_type = f"text/{'html' if file.page else 'plain'}; charset=utf-8"
    policy = PDF if inline and media_type == "application/pdf" else SANDBOX
    return HEADERS | {
        "Content-Type": media_type,
        "Content-Disposition": disposition(kind, file.file_name),
        "Content-Security-Policy": policy,
        "X-Frame-Options": "SAMEORIGIN",
        "Accept-Ranges": "bytes",
        "ETag": f'"{file.tag}"',
    }


def attachment(file_name: str) -> dict[str, str]:
    """The headers of a file that is kept, never opened here."""
    return {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": disposition("attachment", file_name),
        "Content-Security-Policy": SANDBOX,
    }


def disposition(kind: str, file_name: str) -> str:
    """The name in ASCII for old browsers and as it is beside it, unable to break out (RFC 6266)."""
    plain = "".join(
        character if character.isascii() and character.isprintable() and character not in '"\\/%;'
        else "_"
        for character in file_name
    )  # fmt: skip
    return (
        f"{kind}; filename=\"{plain or 'document'}\"; filename*=UTF-8''{quote(file_name, safe='')}"
    )
