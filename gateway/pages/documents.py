"""Documents: the list, one of them in its page, and its content as it is."""

import asyncio

from aiohttp import web

from gateway import files, reading, session, shell
from gateway.files import Reading
from gateway.rendering import render
from libs.contracts.records.documents import ListDocuments
from libs.contracts.visa import Limit
from libs.runtime.broker import BROKER, ask

routes = web.RouteTableDef()


@routes.get("/p/{patient}/health/documents", name="documents")
async def documents(request: web.Request) -> web.Response:
    """View All Documents, by type, dates and text."""
    acting = await session.acting(request, Limit.DOCUMENTS)
    chrome, listed = await asyncio.gather(
        shell.record(request, acting, tab="health"),
        ask(request.app[BROKER], wanted(request, await _own(request))),
    )
    return render(
        request,
        "documents/index.html",
        chrome.about(listed),
        listed=listed,
        query=request.query,
        patient_id=acting.patient_id,
        back=shell.health_of(request, acting.patient_id),
        back_to="Health",
    )


@routes.get("/p/{patient}/health/documents/{id}", name="document")
async def document(request: web.Request) -> web.Response:
    """One document: its name, its date, and its content in a frame."""
    acting = await session.acting(request, Limit.DOCUMENTS)
    chrome, shown = await asyncio.gather(
        shell.record(request, acting, tab="health"), files.document(request, _own)
    )
    back = request.app.router["documents"].url_for(patient=str(acting.patient_id))
    return render(request, "documents/show.html", chrome.about(shown), shown=shown, back=str(back))


@routes.get("/p/{patient}/health/documents/{id}/content", name="document_content")
async def content(request: web.Request) -> web.StreamResponse:
    return await files.content(request, _own)


@routes.get("/p/{patient}/health/documents/{id}/download", name="document_download")
async def download(request: web.Request) -> web.StreamResponse:
    return await files.download(request, _own)


def wanted(request: web.Request, who: Reading) -> ListDocuments:
    """The documents that the page's address asks for."""
    return ListDocuments(
        visa=who.visa,
        patient_id=who.patient_id,
        kind=reading.text(request.query, "type"),
        start=reading.day(request.query, "from"),
        end=reading.day(request.query, "to"),
        q=reading.text(request.query, "q")[:200],
        after=reading.text(request.query, "after"),
    )


async def _own(request: web.Request) -> Reading:
    acting = await session.acting(request, Limit.DOCUMENTS)
    return Reading(visa=acting.visa, patient_id=acting.patient_id)
