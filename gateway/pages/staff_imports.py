"""Staff: imports, their reports, and the queue of what waits for somebody."""

import asyncio

from aiohttp import web

from gateway import ahead, reading, session, shell, uploads
from gateway.files import attachment
from gateway.protection import streams_its_form
from gateway.rendering import render
from libs.contracts.base import Refused
from libs.contracts.content import CHUNK_SIZE
from libs.contracts.records.imports import (
    ConfirmImport,
    ListImports,
    ReadImport,
    SettleImport,
    ShowImport,
    StartImport,
)
from libs.contracts.records.patients import ListPatients
from libs.contracts.records.refusals import Refusal
from libs.runtime.broker import BROKER, EXPIRES, ask

WORDS: dict[str, str] = {
    Refusal.EMPTY: "Choose a file. This one is empty.",
    Refusal.TOO_LARGE: "This file is too large. It can have 50 MB.",
    Refusal.NOT_ALLOWED: "Your role does not include this.",
    Refusal.SETTLED_ALREADY: "Somebody has settled this already.",
    Refusal.UNKNOWN_PATIENT: "Choose one of your patients.",
    Refusal.NOT_READY: "This import is still being read. Try again in a moment.",
}
LEFT_OUT: dict[str, str] = {
    "not_a_result": "not a laboratory result",
    "no_code_and_no_name": "without a code and a name",
    "no_value": "without a value",
    "pending": "still pending at the laboratory",
    "cancelled": "cancelled by the laboratory",
    "entered_in_error": "entered in error",
    "no_patient": "about nobody in the file",
    "no_time": "taken, though without a date",
    "bad_time": "taken, though with a date that cannot be read",
    "content_elsewhere": "only a link to a document, which we do not follow",
    "no_content": "a document without content",
    "bad_content": "a document whose content cannot be read",
    "duplicate": "the same once more",
    "not_supported": "a kind of entry that the portal does not keep",
    "unreadable_part": "cannot be read",
    "too_large": "too large",
}
WAITING: dict[str, str] = {
    "no_match": "No patient of your practice fits.",
    "several_match": "More than one patient fits.",
    "not_enough_to_match": "The file does not say enough about whom it is.",
    "other_patient": "The file is about somebody else than the patient you chose.",
}

routes = web.RouteTableDef()


@routes.get("/staff/imports", name="imports")
async def imports(request: web.Request) -> web.Response:
    staff = await session.at_work(request)
    asked = ListImports(
        visa=staff.visa,
        waiting=reading.ticked(request.query, "waiting"),
        after=reading.text(request.query, "after"),
    )
    chrome, listed = await asyncio.gather(
        shell.staff(request, staff, tab="imports"), ask(request.app[BROKER], asked)
    )
    return render(request, "staff/imports.html", chrome, listed=listed, query=request.query)


@routes.post("/staff/imports", name="start_import")
@streams_its_form
async def start_import(request: web.Request) -> web.Response:
    """A file is read; with a preview, nothing is filed before it is confirmed."""
    staff = await session.at_work(request)
    came = uploads.Upload()
    try:
        await uploads.receive(request, came, visa=session.staff_visa(request))
        if came.upload_id is None:
            raise Refused(Refusal.EMPTY)
        about = reading.text(came.fields, "patient_id")
        asked = StartImport(
            visa=(await session.at_work(request)).visa,
            upload_id=came.upload_id,
            patient_id=reading.form_id(came.fields, "patient_id") if about else None,
            preview=True,
        )
        started = await ask(request.app[BROKER], asked, within=10)
    except Refused as refused:
        return await _refused(request, staff, refused.worded(WORDS))
    raise web.HTTPSeeOther(request.app.router["import_report"].url_for(id=str(started.import_id)))


@routes.get("/staff/imports/{id}", name="import_report")
async def show_import(request: web.Request) -> web.Response:
    """What was taken, what was not, and why."""
    staff = await session.at_work(request)
    return await _report(request, staff)


@routes.post("/staff/imports/{id}/confirm", name="confirm_import")
async def confirm_import(request: web.Request) -> web.Response:
    staff = await session.at_work(request)
    asked = ConfirmImport(visa=staff.visa, import_id=reading.path_id(request))
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        return await _report(request, staff, problem=refused.worded(WORDS))
    raise web.HTTPSeeOther(request.app.router["import_report"].url_for(**request.match_info))


@routes.post("/staff/imports/{id}/settle", name="settle_import")
async def settle_import(request: web.Request) -> web.Response:
    """Give what waits to a patient, or discard it with a reason."""
    staff = await session.at_work(request)
    form = await request.post()
    number, patient = reading.text(form, "number"), reading.text(form, "patient_id")
    reason = reading.text(form, "discard_reason")
    if not patient and not reason:
        return await _report(
            request, staff, problem="Choose a patient, or say why it is to be discarded."
        )
    asked = SettleImport(
        visa=staff.visa,
        key=reading.key(form),
        import_id=reading.path_id(request),
        number=int(number) if number.isdecimal() and number.isascii() else None,
        patient_id=reading.form_id(form, "patient_id") if patient else None,
        discard_reason=reason[:500],
    )
    try:
        await ask(request.app[BROKER], asked, within=10)
    except Refused as refused:
        return await _report(request, staff, problem=refused.worded(WORDS))
    raise web.HTTPSeeOther(request.app.router["import_report"].url_for(**request.match_info))


@routes.get("/staff/imports/{id}/file", name="import_file")
async def import_file(request: web.Request) -> web.StreamResponse:
    """The file as it came, for somebody who looks into the queue."""
    staff = await session.at_work(request)
    import_id = reading.path_id(request)
    shown = await ask(request.app[BROKER], ShowImport(visa=staff.visa, import_id=import_id))
    EXPIRES.set(None)

    async def chunk(number: int) -> bytes:
        visa = (await session.at_work(request)).visa
        asked = ReadImport(visa=visa, import_id=import_id, number=number)
        return (await ask(request.app[BROKER], asked)).data

    response = web.StreamResponse(headers=attachment(shown.file_name or "import"))
    response.headers["Content-Length"] = str(shown.size)
    last = (shown.size - 1) // CHUNK_SIZE
    return await ahead.flow(request, response, ahead.pieces(chunk, 0, last))


async def _report(request: web.Request, staff: session.AtWork, problem: str = "") -> web.Response:
    """The report; with a search among the practice's patients, to give what waits to one."""
    q = reading.text(request.query, "q")[:200]
    broker = request.app[BROKER]
    chrome, shown = await asyncio.gather(
        shell.staff(request, staff, tab="imports"),
        ask(broker, ShowImport(visa=staff.visa, import_id=reading.path_id(request))),
    )
    found = (await ask(broker, ListPatients(visa=staff.visa, q=q))).patients if q else ()
    return render(
        request,
        "staff/import.html",
        chrome,
        shown=shown,
        q=q,
        found=found[:20],
        problem=problem,
        left_out=LEFT_OUT,
        waiting=WAITING,
        status=400 if problem else 200,
    )


async def _refused(request: web.Request, staff: session.AtWork, problem: str) -> web.Response:
    chrome, listed = await asyncio.gather(
        shell.staff(request, staff, tab="imports"),
        ask(request.app[BROKER], ListImports(visa=staff.visa)),
    )
    return render(
        request,
        "staff/imports.html",
        chrome,
        listed=listed,
        query={},
        problem=problem,
        status=400,
    )
