"""The practice's messages: one queue, and each conversation with what staff do about it."""

import asyncio
from collections.abc import AsyncIterator, Collection
from uuid import UUID

from aiohttp import web

from gateway import reading, session, shell, uploads, writing
from gateway.pages.messages import stream_file
from gateway.protection import streams_its_form
from gateway.rendering import render
from gateway.writing import Form, Place, Written
from libs.contracts.base import Refused, Request
from libs.contracts.identity.staff import Colleague, ListColleagues
from libs.contracts.messaging.mailbox import ReadAttachment, ShowAttachment
from libs.contracts.messaging.queue import (
    AddNote,
    Case,
    CaseFile,
    Claim,
    Close,
    HandOver,
    ListQueue,
    MarkSeen,
    Release,
    Reopen,
    ShowCase,
    Shown,
)
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.settings import ShowSettings, Template
from libs.contracts.messaging.writing import Category
from libs.contracts.records.documents import FileDocument
from libs.contracts.records.patients import NamePatients, Person
from libs.contracts.visa import Role
from libs.runtime.broker import BROKER, Unavailable, ask

routes = web.RouteTableDef()
STEPS: dict[str, tuple[type[Request[Case]], str]] = {
    "claim": (Claim, "claimed"),
    "release": (Release, "released"),
    "close": (Close, "closed"),
    "reopen": (Reopen, "reopened"),
}
"""What can be done with a conversation at once, and the word about it afterwards."""
REFUSED = {
    Refusal.CLAIMED_BY_ANOTHER: "claimed_by_another",
    Refusal.NOT_YOURS: "not_yours",
    Refusal.CLOSED: "is_closed",
}
NOTES: dict[str, str] = {
    Refusal.NOTE_MISSING: "Write the note.",
    Refusal.NOTE_TOO_LONG: "A note can have up to 2,000 characters.",
}


@routes.get("/staff/messages", name="staff_messages")
async def queue(request: web.Request) -> web.Response:
    """The queue: whoever waits longest is first."""
    staff = await session.at_work(request)
    shown, category = reading.text(request.query, "show"), reading.text(request.query, "category")
    asked = ListQueue(
        visa=staff.visa,
        shown=Shown(shown) if shown in set(Shown) else Shown.UNCLAIMED,
        category=Category(category) if category in set(Category) else None,
        team=reading.text(request.query, "team")[:80],
        patient_id=reading.optional_id(request.query, "patient"),
        q=reading.text(request.query, "q")[:200],
        after=reading.text(request.query, "after"),
    )
    chrome, listed = await asyncio.gather(
        shell.staff(request, staff, tab="messages"), ask(request.app[BROKER], asked)
    )
    people = await _people(request, staff, {case.patient_id for case in listed.cases})
    return render(
        request,
        "staff/messages.html",
        chrome,
        listed=listed,
        people=people,
        shown=asked.shown,
        query=request.query,
    )


@routes.get("/staff/messages/{id}", name="case")
async def case(request: web.Request) -> web.Response:
    """A conversation. The patient sees that the care team has opened it."""
    staff = await session.at_work(request)
    if request.method == "GET" and not session.only_looks(request):
        seen = MarkSeen(visa=staff.visa, conversation_id=reading.path_id(request))
        await ask(request.app[BROKER], seen)
    return await _case(request, staff)


@routes.post("/staff/messages/{id}/{step:claim|release|close|reopen}", name="case_step")
async def take_step(request: web.Request) -> web.Response:
    """Claimed, released, closed or open again."""
    staff = await session.at_work(request)
    step, word = STEPS[request.match_info["step"]]
    asked = step(visa=staff.visa, conversation_id=reading.path_id(request))
    return await _done(request, asked, word)


@routes.post("/staff/messages/{id}/hand-over", name="hand_over")
async def hand_over(request: web.Request) -> web.Response:
    """A colleague's from here on, or a team's to claim."""
    staff = await session.at_work(request)
    form = await request.post()
    kind, _, whom = reading.text(form, "to").partition(":")
    colleagues = await _colleagues(request, staff)
    found = next((one for one in colleagues if str(one.account_id) == whom), None)
    if kind == "account" and found is None:
        raise web.HTTPNotFound
    asked = HandOver(
        visa=staff.visa,
        conversation_id=reading.path_id(request),
        account_id=found.account_id if found else None,
        name=found.name if found else "",
        team=whom if kind == "team" else "",
    )
    return await _done(request, asked, "handed_over")


@routes.post("/staff/messages/{id}/note", name="add_note")
async def add_note(request: web.Request) -> web.Response:
    """Said among staff; the patient never sees it."""
    staff = await session.at_work(request)
    form = await request.post()
    asked = AddNote(
        visa=staff.visa,
        key=reading.key(form),
        conversation_id=reading.path_id(request),
        text=reading.raw(form, "note"),
    )
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        errors = {"note": refused.worded(NOTES)}
        return await _case(request, staff, errors=errors, note=reading.raw(form, "note"))
    raise _back(request, "noted")


@routes.post("/staff/messages/{id}/answer", name="answer")
@streams_its_form
async def answer(request: web.Request) -> web.Response:
    """Kept as a draft first; sent if that is what was pressed, and then perhaps closed."""
    staff = await session.at_work(request)
    written = Written()
    try:
        place = await _place(request, staff)
        await writing.receive(request, place, written)
        wanted = written.fields.get("do", "send")
        if written.sends or (wanted == "close" and not written.errors and not written.stale):
            await writing.send(request, place, written, close=wanted == "close")
            raise _back(request, "answer_sent")
    except Refused as refused:
        written.errors = writing.errors_of(refused) | written.errors
    return await _case(
        request, staff, errors=written.errors, form=written.form(), stale=written.stale
    )


@routes.post("/staff/messages/{id}/draft", name="save_answer")
async def save_answer(request: web.Request) -> web.Response:
    """What was typed so far, kept as it is typed."""
    staff = await session.at_work(request)
    return await writing.autosaved(request, await _place(request, staff), await request.post())


@routes.get("/staff/messages/{id}/{message}/files/{file}", name="case_file")
async def case_file(request: web.Request) -> web.StreamResponse:
    """A file of a message."""
    staff = await session.at_work(request)
    shown = await _file_of(request, staff)
    return await stream_file(
        request,
        session.staff_visa(request),
        shown.case.patient_id,
        reading.path_id(request, "message"),
    )


@routes.post("/staff/messages/{id}/{message}/files/{file}/keep", name="keep_file")
async def keep_file(request: web.Request) -> web.Response:
    """A received file becomes a document of the patient."""
    staff = await session.at_work(request)
    shown = await _file_of(request, staff)
    form = await request.post()
    given = {
        "patient_id": shown.case.patient_id,
        "message_id": reading.path_id(request, "message"),
        "attachment_id": reading.path_id(request, "file"),
    }
    broker, visa = request.app[BROKER], session.staff_visa(request)
    file = (await ask(broker, ShowAttachment(visa=staff.visa, **given))).attachment

    async def pieces() -> AsyncIterator[bytes]:
        number, last = 0, file.size == 0
        while not last:
            chunk = await ask(broker, ReadAttachment(visa=await visa(), number=number, **given))
            yield chunk.data
            number, last = number + 1, chunk.last

    upload_id = await uploads.pass_on(
        broker, pieces(), visa=visa, file_name=file.file_name, media_type=file.media_type
    )
    filed = FileDocument(
        visa=await visa(),
        key=reading.key(form),
        upload_id=upload_id,
        patient_id=shown.case.patient_id,
        title=reading.text(form, "title") or file.file_name,
        kind="From a message",
    )
    await ask(broker, filed, within=20)
    raise _back(request, "file_filed")


async def _file_of(request: web.Request, staff: session.AtWork) -> CaseFile:
    return await ask(
        request.app[BROKER],
        ShowCase(visa=staff.visa, conversation_id=reading.path_id(request)),
    )


async def _place(request: web.Request, staff: session.AtWork) -> Place:
    """Where an answer goes."""
    conversation_id = reading.path_id(request)
    asked = ShowCase(visa=staff.visa, conversation_id=conversation_id)
    shown = await ask(request.app[BROKER], asked)
    return Place(
        visa=session.staff_visa(request),
        patient_id=shown.case.patient_id,
        conversation_id=conversation_id,
    )


async def _case(  # noqa: PLR0913
    request: web.Request,
    staff: session.AtWork,
    *,
    errors: dict[str, str] | None = None,
    form: Form | None = None,
    stale: bool = False,
    note: str = "",
) -> web.Response:
    conversation_id = reading.path_id(request)
    asked = ShowCase(
        visa=staff.visa,
        conversation_id=conversation_id,
        before=reading.cursor(request.query, "before"),
    )
    chrome, shown, settings, colleagues = await asyncio.gather(
        shell.staff(request, staff, tab="messages"),
        ask(request.app[BROKER], asked),
        ask(request.app[BROKER], ShowSettings(visa=staff.visa)),
        _colleagues(request, staff),
    )
    people = await _people(request, staff, {shown.case.patient_id})
    return render(
        request,
        "staff/message.html",
        chrome,
        shown=shown,
        case=shown.case,
        person=people.get(shown.case.patient_id),
        mine=shown.case.claimed_by == staff.person.session.account_id,
        administrator=staff.seat.role is Role.ADMINISTRATOR,
        templates=settings.templates,
        form=_with_template(form or Form.of(shown.draft), settings.templates, request),
        colleagues=[one for one in colleagues if one.account_id != staff.person.session.account_id],
        stale=stale,
        errors=errors or {},
        noted=note,
        status=400 if errors else 200,
    )


def _with_template(form: Form, templates: Collection[Template], request: web.Request) -> Form:
    """The form with a prepared answer after what was written, if one was chosen."""
    chosen = reading.optional_id(request.query, "template")
    for template in templates:
        if template.template_id == chosen:
            form.body = f"{form.body.rstrip()}\n\n{template.text}".lstrip()
    return form


async def _done(request: web.Request, asked: Request[Case], word: str) -> web.Response:
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        if refused.code not in REFUSED:
            raise
        word = REFUSED[Refusal(refused.code)]
    raise _back(request, word)


def _back(request: web.Request, word: str) -> web.HTTPSeeOther:
    """To the conversation, with a word about what was done."""
    there = request.app.router["case"].url_for(id=request.match_info["id"])
    response = web.HTTPSeeOther(str(there))
    shell.notice(response, word)
    return response


async def _people(
    request: web.Request, staff: session.AtWork, patient_ids: Collection[UUID]
) -> dict[UUID, Person]:
    """Who these patients are; without names while records is away."""
    if not patient_ids:
        return {}
    try:
        asked = NamePatients(visa=staff.visa, patient_ids=tuple(patient_ids))
        people = (await ask(request.app[BROKER], asked)).people
    except (Unavailable, Refused):
        return {}
    return {one.patient_id: one for one in people}


async def _colleagues(request: web.Request, staff: session.AtWork) -> tuple[Colleague, ...]:
    """Who else works here; nobody while identity is away."""
    try:
        return (
            await ask(request.app[BROKER], ListColleagues(session=staff.person.token_hash))
        ).colleagues
    except (Unavailable, Refused):
        return ()
