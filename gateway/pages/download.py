"""Download: a selection of the record, counted, made into a file, and handed over."""

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID, uuid5

from aiohttp import web

from gateway import files, reading, session, shell, wording
from gateway.files import File
from gateway.protection import fresh_key
from gateway.rendering import render
from gateway.session import Acting
from libs.contracts.base import Refused
from libs.contracts.records.exports import (
    CancelExport,
    CountSelection,
    Export,
    ExportState,
    Format,
    Kind,
    MakeExport,
    ReadExport,
    Selection,
    ShowExport,
)
from libs.contracts.records.refusals import Refusal
from libs.contracts.visa import Limit
from libs.runtime.broker import BROKER, ask
from libs.runtime.clock import utcnow

LIMITS = {Kind.LABS: Limit.RESULTS, Kind.DOCUMENTS: Limit.DOCUMENTS, Kind.MESSAGES: Limit.MESSAGES}
AT_ONCE = 5.0
"""Seconds that a browser waits for a file; one that takes longer has a page of its own."""
LOOK = 0.05
MAKING = 10
"""Seconds to begin a file: messages are asked for by then."""

routes = web.RouteTableDef()


class Chosen(NamedTuple):
    """What the address asks for, as far as this person may have it."""

    selection: Selection
    problems: dict[str, str]


@routes.get("/p/{patient}/health/download", name="download")
async def download(request: web.Request) -> web.StreamResponse:
    """What to download, with how much that is; and with a format in the address, the file."""
    acting = await session.acting(request)
    chosen = choose(request.query, parts_of(acting))
    wanted = reading.text(request.query, "format")
    is_asked_for = wanted in {*Format} and "count" not in request.query
    if not is_asked_for or chosen.problems or request.method == "HEAD":
        return await _form(request, acting, chosen)
    asked = MakeExport(
        visa=acting.visa,
        patient_id=acting.patient_id,
        key=_key(request, chosen.selection),
        selection=chosen.selection,
        format=Format(wanted),
    )
    export = await _made(request, asked)
    if export.state is ExportState.READY:
        return await _stream(request, export)
    here = request.app.router["export"]
    raise web.HTTPSeeOther(here.url_for(patient=str(acting.patient_id), id=str(export.export_id)))


@routes.get("/p/{patient}/health/download/{id}", name="export")
async def export(request: web.Request) -> web.Response:
    """How far a file has come; the page looks again by itself, until it is there."""
    acting = await session.acting(request)
    chrome, shown = await asyncio.gather(
        shell.record(request, acting, tab="health", named=True), _shown(request, acting)
    )
    response = render(request, "health/export.html", chrome, export=shown)
    if shown.state is ExportState.MAKING:
        response.headers["Refresh"] = "2"
    return response


@routes.get("/p/{patient}/health/download/{id}/file", name="export_file")
async def file(request: web.Request) -> web.StreamResponse:
    """The file itself, or the part of it that is asked for."""
    acting = await session.acting(request)
    shown = await _shown(request, acting)
    if shown.state is not ExportState.READY:
        raise web.HTTPSeeOther(request.path.removesuffix("/file"))
    return await _stream(request, shown)


@routes.post("/p/{patient}/health/download/{id}/cancel", name="cancel_export")
async def cancel(request: web.Request) -> web.Response:
    """It is not wanted any more, and the work on it stops."""
    acting = await session.acting(request)
    await _cancel(request, acting, reading.path_id(request))
    there = request.app.router["download"].url_for(patient=str(acting.patient_id))
    raise web.HTTPSeeOther(there)


def parts_of(acting: Acting) -> list[Kind]:
    """The kinds that this access holds; without any there is no such page."""
    if parts := [kind for kind in Kind if LIMITS[kind] in acting.access.limits]:
        return parts
    raise web.HTTPNotFound


def choose(query: Mapping[str, Any], parts: list[Kind]) -> Chosen:
    """The selection in an address or a form. Whoever names no parts means all of them; a form's own
    buttons name them, so that there nothing that is ticked is nothing.
    """
    named = [one for value in _every(query, "kinds") for one in value.split(",")]
    is_named = "kinds" in query or "count" in query
    kinds = frozenset(one for one in parts if one in named or not is_named)
    problems: dict[str, str] = {}
    if not kinds:
        problems["kinds"] = "Choose at least one part of the record."
        kinds = frozenset(parts)
    days: dict[str, date | None] = {}
    for name in ("start_date", "end_date"):
        days[name] = reading.day(query, name)
        if days[name] is None and reading.day_given(query, name):
            problems[name] = "Enter a date, like 3 8 2026, or leave it empty."
    start, end = days["start_date"], days["end_date"]
    if start and end and start > end:
        problems["end_date"] = "The end date is before the start date."
    return Chosen(Selection(kinds=kinds, start=start, end=end), problems)


def quick(today: date) -> dict[str, str]:
    """The ranges that most people want, as the end of an address."""
    return {
        "Last 3 months": f"?{urlencode({'start_date': _months_before(today, 3)})}",
        "Last 12 months": f"?{urlencode({'start_date': _months_before(today, 12)})}",
        "Everything": "?",
    }


def _key(request: web.Request, chosen: Selection) -> UUID:
    """The same for the same choice on the same page, whose parts may then be asked for again."""
    form = reading.optional_id(request.query, "key") or fresh_key()
    wanted = reading.text(request.query, "format")
    return uuid5(form, f"{wanted} {sorted(chosen.kinds)} {chosen.start} {chosen.end}")


def _months_before(today: date, months: int) -> date:
    """The same day so many months ago; the first of the month after where there is none."""
    count = today.year * 12 + today.month - 1 - months
    year, month = divmod(count, 12)
    try:
        return date(year, month + 1, today.day)
    except ValueError:
        return date(year + (month == 11), (month + 1) % 12 + 1, 1)  # noqa: PLR2004 - December


def _every(query: Mapping[str, Any], name: str) -> list[str]:
    found = query.getall(name, []) if hasattr(query, "getall") else [query.get(name, "")]
    return [value for value in found if isinstance(value, str) and value]


async def _form(request: web.Request, acting: Acting, chosen: Chosen) -> web.Response:
    counted = CountSelection(
        visa=acting.visa, patient_id=acting.patient_id, selection=chosen.selection
    )
    chrome, count = await asyncio.gather(
        shell.record(request, acting, tab="health", named=True),
        ask(request.app[BROKER], counted, within=MAKING),
    )
    today = utcnow().astimezone(wording.zone_named(chrome.time_zone)).date()
    return render(
        request,
        "health/download.html",
        chrome,
        chosen=chosen.selection,
        parts=parts_of(acting),
        count=count,
        query=request.query,
        quick=quick(today),
        key=fresh_key(),
        errors=chosen.problems,
        status=400 if chosen.problems else 200,
    )


async def _shown(request: web.Request, acting: Acting, export_id: UUID | None = None) -> Export:
    asked = ShowExport(
        visa=acting.visa,
        patient_id=acting.patient_id,
        export_id=export_id or reading.path_id(request),
    )
    return await ask(request.app[BROKER], asked)


async def _made(request: web.Request, asked: MakeExport) -> Export:
    """As it is once it is ready, or as far as it has come by then.

    Whoever presses twice leaves the first time, which ends the work on what both ask for: then it is
    begun anew.
    """
    export = await _settled(request, await ask(request.app[BROKER], asked, within=MAKING))
    if export is None or export.state is ExportState.FAILED:
        begun = await ask(request.app[BROKER], asked, within=MAKING)
        export = await _settled(request, begun) or begun
    return export


async def _settled(request: web.Request, export: Export) -> Export | None:
    """As it has become; None if nobody wanted it any more."""
    loop = asyncio.get_running_loop()
    until = loop.time() + AT_ONCE
    while export.state is ExportState.MAKING and loop.time() < until:
        await asyncio.sleep(LOOK)
        acting = await session.acting(request)
        if request.transport is None:
            await _cancel(request, acting, export.export_id)
            raise ConnectionResetError
        try:
            export = await _shown(request, acting, export.export_id)
        except Refused as refused:
            if refused.code != Refusal.UNKNOWN_EXPORT:
                raise
            return None
    return export


async def _cancel(request: web.Request, acting: Acting, export_id: UUID) -> None:
    asked = CancelExport(visa=acting.visa, patient_id=acting.patient_id, export_id=export_id)
    await ask(request.app[BROKER], asked)


async def _stream(request: web.Request, export: Export) -> web.StreamResponse:
    """Each chunk is asked for with a visa that holds at that moment."""

    async def chunk(number: int) -> bytes:
        acting = await session.acting(request)
        asked = ReadExport(
            visa=acting.visa,
            patient_id=acting.patient_id,
            export_id=export.export_id,
            number=number,
        )
        return (await ask(request.app[BROKER], asked)).data

    made = File(
        file_name=export.file_name,
        media_type=export.media_type,
        size=export.size,
        tag=str(export.export_id),
        chunk=chunk,
        page=export.format is Format.HTML,
    )
    return await files.stream(request, made, kind="inline" if made.page else "attachment")
