"""Staff: the documents of one patient, as the patient sees them."""

import asyncio

from aiohttp import web

from gateway import files, reading, session, shell
from gateway.files import Reading
from gateway.pages.documents import wanted
from gateway.rendering import render
from libs.runtime.broker import BROKER, ask

routes = web.RouteTableDef()


@routes.get("/staff/patients/{patient}/documents", name="patient_documents")
async def documents(request: web.Request) -> web.Response:
    """All documents of the patient, by type, dates and text."""
    staff = await session.at_work(request)
    who = await _of_patient(request)
    chrome, listed = await asyncio.gather(
        shell.staff(request, staff, tab="patients"), ask(request.app[BROKER], wanted(request, who))
    )
    return render(
        request,
        "documents/index.html",
        chrome.about(listed),
        listed=listed,
        query=request.query,
        patient_id=who.patient_id,
        back=shell.patient_of(request, who.patient_id),
        back_to=f"{listed.person.given} {listed.person.family}",
    )


@routes.get("/staff/patients/{patient}/documents/{id}", name="patient_document")
async def document(request: web.Request) -> web.Response:
    staff = await session.at_work(request)
    chrome, shown = await asyncio.gather(
        shell.staff(request, staff, tab="patients"), files.document(request, _of_patient)
    )
    back = request.app.router["patient_documents"].url_for(patient=request.match_info["patient"])
    return render(request, "documents/show.html", chrome.about(shown), shown=shown, back=str(back))


@routes.get("/staff/patients/{patient}/documents/{id}/content", name="patient_document_content")
async def content(request: web.Request) -> web.StreamResponse:
    return await files.content(request, _of_patient)


@routes.get("/staff/patients/{patient}/documents/{id}/download", name="patient_document_download")
async def download(request: web.Request) -> web.StreamResponse:
    return await files.download(request, _of_patient)


async def _of_patient(request: web.Request) -> Reading:
    staff = await session.at_work(request)
    return Reading(visa=staff.visa, patient_id=reading.path_id(request, "patient"))
