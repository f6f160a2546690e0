"""Documents: the list, one of them in its page, and its content as it is."""

import asyncio
from uuid import UUID

from aiohttp import web

from gateway import reading, session, shell
from gateway.files import SANDBOX, disposition
from gateway.protection import HEADERS
from gateway.rendering import render
from libs.contracts.records import (
    CHUNK_SIZE,
    Document,
    ListDocuments,
    ReadDocument,
    RenderDocument,
    ShowDocument,
)
from libs.runtime.broker import BROKER, EXPIRES, ask

PDF = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'"
"""For a PDF, which browsers don't show in a sandbox: their viewer is one."""
CDA = "application/cda+xml"

routes = web.RouteTableDef()


@routes.get("/p/{patient}/health/documents", name="documents")
async def documents(request: web.Request) -> web.Response:
    """View All Documents, by type, dates and text."""
    acting = await session.acting(request)
    asked = ListDocuments(
        visa=acting.visa,
        patient_id=acting.patient_id,
        kind=reading.text(request.query, "type"),
        start=reading.day(request.query, "from"),
        end=reading.day(request.query, "to"),
        q=reading.text(request.query, "q")[:200],
        after=reading.text(request.query, "after"),
    )
    chrome, listed = await asyncio.gather(
        shell.record(request, acting, tab="health"), ask(request.app[BROKER], asked)
    )
    return render(
        request, "documents/index.html", chrome.about(listed), listed=listed, query=request.query
    )


@routes.get("/p/{patient}/health/documents/{id}", name="document")
async def document(request: web.Request) -> web.Response:
    """One document: its name, its date, and its content in a frame."""
    acting = await session.acting(request)
    chrome, shown = await asyncio.gather(
        shell.record(request, acting, tab="health"), _document(request, acting)
    )
    return render(request, "documents/show.html", chrome.about(shown), shown=shown)


@routes.get("/p/{patient}/health/documents/{id}/content", name="document_content")
async def content(request: web.Request) -> web.StreamResponse:
    """What the frame shows: the content itself, or a C-CDA made readable."""
    acting = await session.acting(request)
    shown = await _document(request, acting)
    if not shown.viewable:
        raise web.HTTPNotFound
    if shown.document.media_type == CDA:
        asked = RenderDocument(
            visa=acting.visa, patient_id=acting.patient_id, document_id=_id(request)
        )
        page = await ask(request.app[BROKER], asked, within=10)
        response = render(request, "documents/cda.html", shell.plain(request), html=page.html)
        response.headers["Content-Security-Policy"] = SANDBOX
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        return response
    return await _stream(request, acting, shown, kind="inline")


@routes.get("/p/{patient}/health/documents/{id}/download", name="document_download")
async def download(request: web.Request) -> web.StreamResponse:
    """The file, byte for byte as it was given to us."""
    acting = await session.acting(request)
    return await _stream(request, acting, await _document(request, acting), kind="attachment")


def _id(request: web.Request) -> UUID:
    return reading.path_id(request)


async def _document(request: web.Request, acting: session.Acting) -> Document:
    return await ask(
        request.app[BROKER],
        ShowDocument(visa=acting.visa, patient_id=acting.patient_id, document_id=_id(request)),
    )


async def _stream(
    request: web.Request, acting: session.Acting, shown: Document, *, kind: str
) -> web.StreamResponse:
    """The content chunk by chunk, or the part of it that was asked for (RFC 9110, 14.2).

    Each chunk is a request of its own, with a visa that holds at that moment.
    """
    size = shown.document.size
    start, stop = _range(request, size)
    response = web.StreamResponse(status=206 if stop - start < size else 200)
    response.headers.update(_headers(shown, kind))
    response.headers["Content-Length"] = str(stop - start)
    if response.status == 206:  # noqa: PLR2004
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    if request.method == "HEAD" or stop <= start:
        return response
    EXPIRES.set(None)  # a large file on a slow line takes its time; each chunk has its own
    first = await _chunk(request, acting, start // CHUNK_SIZE)
    await response.prepare(request)
    for number in range(start // CHUNK_SIZE, (stop - 1) // CHUNK_SIZE + 1):
        data = first if number == start // CHUNK_SIZE else await _chunk(request, acting, number)
        begins = number * CHUNK_SIZE
        await response.write(data[max(start - begins, 0) : stop - begins])
    await response.write_eof()
    return response


async def _chunk(request: web.Request, acting: session.Acting, number: int) -> bytes:
    still = await session.acting(request) if number else acting
    asked = ReadDocument(
        visa=still.visa, patient_id=still.patient_id, document_id=_id(request), number=number
    )
    return (await ask(request.app[BROKER], asked)).data


def _range(request: web.Request, size: int) -> tuple[int, int]:
    """The first byte asked for, and the one after the last."""
    try:
        wanted = request.http_range
    except ValueError:
        return 0, size
    start, stop, _ = slice(wanted.start, wanted.stop).indices(size)
    if wanted.start is not None and start >= size and size:
        raise web.HTTPRequestRangeNotSatisfiable(headers={"Content-Range": f"bytes */{size}"})
    return start, stop


def _headers(shown: Document, kind: str) -> dict[str, str]:
    inline = kind == "inline"
    media_type = shown.document.media_type if inline else "application/octet-stream"
    if media_type.startswith("text/"):
        media_type = "text/plain; charset=utf-8"
    policy = PDF if inline and media_type == "application/pdf" else SANDBOX
    return HEADERS | {
        "Content-Type": media_type,
        "Content-Disposition": disposition(kind, shown.document.file_name),
        "Content-Security-Policy": policy,
        "X-Frame-Options": "SAMEORIGIN",
        "Accept-Ranges": "bytes",
        "ETag": f'"{shown.sha256}"',
    }
