"""Staff write to a patient of their own accord."""

import asyncio

from aiohttp import web

from gateway import reading, session, shell, writing
from gateway.protection import streams_its_form
from gateway.rendering import render
from gateway.writing import Form, Place, Written
from libs.contracts.base import Refused
from libs.contracts.messaging.mailbox import ListDrafts
from libs.contracts.records.patients import NamePatients, Person
from libs.runtime.broker import BROKER, ask

routes = web.RouteTableDef()


@routes.get("/staff/patients/{patient}/messages/new", name="write_to_patient")
async def show(request: web.Request) -> web.Response:
    """A new message to one patient, or what was begun of one."""
    staff = await session.at_work(request)
    asked = ListDrafts(visa=staff.visa, patient_id=reading.path_id(request, "patient"))
    begun = (await ask(request.app[BROKER], asked)).drafts
    draft = next((one for one in begun if one.conversation_id is None), None)
    return await _page(request, staff, Written(), form=Form.of(draft))


@routes.post("/staff/patients/{patient}/messages/new")
@streams_its_form
async def write(request: web.Request) -> web.Response:
    """Kept as a draft first; sent if that is what was pressed, and if it is whole."""
    staff = await session.at_work(request)
    await _person(request, staff)
    written = Written()
    try:
        await writing.receive(request, _place(request), written)
        if written.sends:
            sent = await writing.send(request, _place(request), written)
            there = request.app.router["case"].url_for(id=str(sent.conversation_id))
            response = web.HTTPSeeOther(str(there))
            shell.notice(response, "answer_sent")
            raise response
    except Refused as refused:
        written.errors = writing.errors_of(refused) | written.errors
    return await _page(request, staff, written, form=written.form())


@routes.post("/staff/patients/{patient}/messages/draft", name="save_new_message")
async def save(request: web.Request) -> web.Response:
    """What was typed so far, kept as it is typed."""
    staff = await session.at_work(request)
    await _person(request, staff)
    return await writing.autosaved(request, _place(request), await request.post())


def _place(request: web.Request) -> Place:
    return Place(visa=session.staff_visa(request), patient_id=reading.path_id(request, "patient"))


async def _person(request: web.Request, staff: session.AtWork) -> Person:
    """The patient, who has to be one of this practice."""
    wanted = reading.path_id(request, "patient")
    asked = NamePatients(visa=staff.visa, patient_ids=(wanted,))
    people = (await ask(request.app[BROKER], asked)).people
    if not people:
        raise web.HTTPNotFound
    return people[0]


async def _page(
    request: web.Request, staff: session.AtWork, written: Written, *, form: Form
) -> web.Response:
    chrome, person = await asyncio.gather(
        shell.staff(request, staff, tab="messages"), _person(request, staff)
    )
    return render(
        request,
        "staff/new_message.html",
        chrome,
        person=person,
        form=form,
        errors=written.errors,
        stale=written.stale,
        status=400 if written.errors else 200,
    )
