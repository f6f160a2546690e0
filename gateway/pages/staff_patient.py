"""Staff: one patient. Their record, and what is added to it."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway import reading, session, shell, uploads
from gateway.pages.staff_standing import WHO_MAY
from gateway.protection import streams_its_form
from gateway.rendering import render
from libs.contracts.base import Refused
from libs.contracts.records.documents import FileDocument
from libs.contracts.records.emergency import OpenChart
from libs.contracts.records.health import AddResult, CorrectResult, Health, ShowHealth
from libs.contracts.records.moments import Precision
from libs.contracts.records.patients import ShowPatient
from libs.contracts.records.refusals import Refusal
from libs.runtime.broker import BROKER, Unavailable, ask

WORDS: dict[str, str] = {
    Refusal.VALUE_NOT_USABLE: "Enter a test and its value.",
    Refusal.TIME_IMPOSSIBLE: "Enter a day that is not in the future.",
    Refusal.EMPTY: "Choose a file. This one is empty.",
    Refusal.TOO_LARGE: "This file is too large. It can have 50 MB.",
    Refusal.TYPE_NOT_TAKEN: "Files of this kind are not taken: programs, scripts and web pages.",
    Refusal.NOT_ALLOWED: "Your role does not include this.",
    Refusal.REASON_MISSING: "Say why. The patient reads it.",
    Refusal.REASON_TOO_LONG: "The reason can have up to 500 characters.",
}
DAY_WANTED = "Enter the day, such as 11 17 2026."
KINDS = (
    "Visit note",
    "Lab report",
    "Scan report",
    "Treatment",
    "Letter",
    "Form",
    "Instructions",
    "Other",
)

routes = web.RouteTableDef()


@routes.get("/staff/patients/{patient}", name="patient")
async def patient(request: web.Request) -> web.Response:
    staff = await session.at_work(request)
    return await _page(request, staff)


@routes.post("/staff/patients/{patient}/documents", name="file_document")
@streams_its_form
async def file_document(request: web.Request) -> web.Response:
    """A file becomes a document of the patient."""
    staff = await session.at_work(request)
    patient_id = reading.path_id(request, "patient")
    await ask(request.app[BROKER], ShowPatient(visa=staff.visa, patient_id=patient_id))
    came = uploads.Upload()
    try:
        await uploads.receive(request, came, visa=session.staff_visa(request))
        if came.upload_id is None:
            raise Refused(Refusal.EMPTY)
        title = reading.text(came.fields, "title") or came.file_name
        asked = FileDocument(
            visa=(await session.at_work(request)).visa,
            key=reading.key(came.fields),
            upload_id=came.upload_id,
            patient_id=patient_id,
            title=title,
            kind=reading.text(came.fields, "kind"),
            dated=reading.day(came.fields, "dated"),
        )
        await ask(request.app[BROKER], asked, within=10)
    except Refused as refused:
        return await _page(
            request, staff, errors={"file": refused.worded(WORDS)}, document=came.fields
        )
    return shell.back_to_patient(request, patient_id, "document_filed")


@routes.post("/staff/patients/{patient}/results", name="add_result")
async def add_result(request: web.Request) -> web.Response:
    """A result typed in by hand."""
    staff = await session.at_work(request)
    patient_id = reading.path_id(request, "patient")
    form = await request.post()
    practice = await session.practice(request, staff.seat.practice_id)
    collected = reading.moment(form, "collected", practice.time_zone)
    if collected is None:
        return await _page(request, staff, errors={"collected": DAY_WANTED}, form=form)
    at, with_time = collected
    asked = AddResult(
        visa=staff.visa,
        key=reading.key(form),
        patient_id=patient_id,
        test_name=reading.text(form, "test_name"),
        loinc=reading.text(form, "loinc"),
        value=reading.text(form, "value"),
        unit=reading.text(form, "unit"),
        range_low=reading.text(form, "range_low"),
        range_high=reading.text(form, "range_high"),
        collected_at=at,
        precision=Precision.INSTANT if with_time else Precision.DAY,
        comment=reading.raw(form, "comment").strip(),
    )
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        field = "collected" if refused.code == Refusal.TIME_IMPOSSIBLE else "value"
        return await _page(request, staff, errors={field: refused.worded(WORDS)}, form=form)
    return shell.back_to_patient(request, patient_id, "result_added")


@routes.post("/staff/patients/{patient}/results/{id}/correct", name="correct_result")
async def correct_result(request: web.Request) -> web.Response:
    """Another value; the old one stays to be seen, struck through."""
    staff = await session.at_work(request)
    patient_id = reading.path_id(request, "patient")
    form = await request.post()
    asked = CorrectResult(
        visa=staff.visa,
        key=reading.key(form),
        patient_id=patient_id,
        result_id=reading.path_id(request),
        value=reading.text(form, "value"),
        unit=reading.text(form, "unit"),
        comment=reading.raw(form, "comment").strip(),
    )
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        return await _page(
            request, staff, errors={"corrected_value": refused.worded(WORDS)}, form=form
        )
    return shell.back_to_patient(request, patient_id, "result_corrected")


@routes.post("/staff/patients/{patient}/emergency", name="open_chart")
async def open_chart(request: web.Request) -> web.Response:
    """Results and documents for an hour, for a role that does not include them."""
    staff = await session.at_work(request)
    patient_id = reading.path_id(request, "patient")
    form = await request.post()
    asked = OpenChart(
        visa=staff.visa,
        key=reading.key(form),
        patient_id=patient_id,
        reason=reading.raw(form, "reason"),
    )
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        errors = {"reason": refused.worded(WORDS)}
        return await _page(request, staff, errors=errors, form=form)
    return shell.back_to_patient(request, patient_id, "chart_opened")


async def _page(
    request: web.Request,
    staff: session.AtWork,
    *,
    errors: dict[str, str] | None = None,
    form: Any = None,
    document: Mapping[str, str] | None = None,
) -> web.Response:
    patient_id = reading.path_id(request, "patient")
    chrome, shown, health = await asyncio.gather(
        shell.staff(request, staff, tab="patients"),
        ask(request.app[BROKER], ShowPatient(visa=staff.visa, patient_id=patient_id)),
        _health(request, staff),
    )
    return render(
        request,
        "staff/patient.html",
        chrome,
        patient=shown,
        health=health if isinstance(health, Health) else None,
        chart_closed=health is Refusal.CHART_CLOSED,
        may_close=staff.seat.role in WHO_MAY,
        kinds=KINDS,
        errors=errors or {},
        form=form or {},
        document=document or {},
        status=400 if errors else 200,
    )


async def _health(request: web.Request, staff: session.AtWork) -> Health | Refusal | None:
    """The chart; or that it is closed to this role; or None while it can't be had."""
    asked = ShowHealth(visa=staff.visa, patient_id=reading.path_id(request, "patient"))
    try:
        return await ask(request.app[BROKER], asked)
    except Refused as refused:
        if refused.code != Refusal.CHART_CLOSED:
            raise
        return Refusal.CHART_CLOSED
    except Unavailable:
        return None
