"""Results and documents by machine: an endpoint with a practice key, and its reports."""

import hashlib
from functools import partial

from aiohttp import hdrs, web

from gateway import reading, uploads
from libs.contracts.base import Refused
from libs.contracts.identity.practices import AdmitMachine
from libs.contracts.records.imports import UPLOAD_LIMIT, ShowImport, StartImport
from libs.contracts.records.refusals import Refusal
from libs.runtime.broker import BROKER, ask

TYPES = {
    "application/fhir+json",
    "application/json",
    "application/fhir+ndjson",
    "application/x-ndjson",
    "application/cda+xml",
    "application/xml",
    "text/xml",
    "application/hl7-v2",
    "x-application/hl7-v2+er7",
    "application/octet-stream",
}
PROBLEMS = {
    Refusal.EMPTY: (400, "The body is empty."),
    Refusal.TOO_LARGE: (413, "The body is larger than 50 MB."),
}

routes = web.RouteTableDef()


@routes.post("/api/v1/import", name="ingest")
async def ingest(request: web.Request) -> web.Response:
    """Take FHIR R4, C-CDA or HL7 v2; answer with the address of the report.

    The same content again leads to the same report.
    """
    await _machine(request)
    if request.content_type not in TYPES:
        return _problem(415, f"Content-Type is to be one of {', '.join(sorted(TYPES))}.")
    if (request.content_length or 0) > UPLOAD_LIMIT:
        return _problem(*PROBLEMS[Refusal.TOO_LARGE])
    try:
        upload_id = await uploads.pass_on(
            request.app[BROKER],
            request.content.iter_chunked(64 * 1024),
            visa=partial(_machine, request),
            file_name="",
            media_type=request.content_type,
        )
        asked = StartImport(
            visa=await _machine(request),
            upload_id=upload_id,
            declared_type=request.content_type,
        )
        started = await ask(request.app[BROKER], asked, within=10)
    except Refused as refused:
        if refused.code not in PROBLEMS:
            raise
        return _problem(*PROBLEMS[Refusal(refused.code)])
    report = str(request.app.router["report"].url_for(id=str(started.import_id)))
    return web.json_response(
        {"import_id": str(started.import_id), "report": report},
        status=202,
        headers={hdrs.LOCATION: report},
    )


@routes.get("/api/v1/import/{id}", name="report")
async def report(request: web.Request) -> web.Response:
    """What was taken, unchanged, refused, and why."""
    visa = await _machine(request)
    shown = await ask(
        request.app[BROKER], ShowImport(visa=visa, import_id=reading.path_id(request))
    )
    return web.json_response(text=shown.model_dump_json())


async def _machine(request: web.Request) -> str:
    """The visa of the practice whose key this is."""
    scheme, _, given = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "bearer" and given:
        try:
            admitted = await ask(
                request.app[BROKER],
                AdmitMachine(key_hash=hashlib.sha256(given.strip().encode()).digest()),
            )
        except Refused:
            pass
        else:
            return admitted.visa
    raise web.HTTPUnauthorized(
        text='{"error": "A practice key is needed: Authorization: Bearer <key>."}',
        content_type="application/json",
        headers={hdrs.WWW_AUTHENTICATE: "Bearer"},
    )


def _problem(status: int, sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=status)
