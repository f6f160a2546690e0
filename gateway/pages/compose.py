"""Writing to the care team: a new message, a reply, and the drafts of both."""

import asyncio
from uuid import UUID

from aiohttp import web

from gateway import reading, session, shell, wording, writing
from gateway.pages import messages
from gateway.protection import streams_its_form
from gateway.rendering import render
from gateway.writing import Form, Place, Written
from libs.contracts.base import Refused
from libs.contracts.messaging.mailbox import Conversation, ShowMessage
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.settings import ShowTimes
from libs.contracts.messaging.writing import DropDraft, ShowDraft
from libs.contracts.visa import Limit
from libs.runtime.broker import BROKER, Unavailable, ask

routes = web.RouteTableDef()


@routes.get("/p/{patient}/messages/compose", name="compose")
async def show_compose(request: web.Request) -> web.Response:
    """A new message, or a draft of one, or one more about an earlier one."""
    acting = await session.acting(request, Limit.MESSAGES)
    form, about = Form(), reading.optional_id(request.query, "about")
    if draft_id := reading.optional_id(request.query, "draft"):
        asked = ShowDraft(visa=acting.visa, patient_id=acting.patient_id, draft_id=draft_id)
        draft = await ask(request.app[BROKER], asked)
        if draft.sent:
            raise _sent(request, acting, draft.sent)
        form, about = Form.of(draft), draft.about
    return await _page(request, acting, Written(), form=form, about=about)


@routes.post("/p/{patient}/messages/compose")
@streams_its_form
async def compose(request: web.Request) -> web.Response:
    """Kept as a draft first; sent if that is what was pressed, and if it is whole."""
    acting = await session.acting(request, Limit.MESSAGES)
    written = Written()
    place = Place(visa=session.acting_visa(request, Limit.MESSAGES), patient_id=acting.patient_id)
    try:
        await writing.receive(request, place, written)
        if written.sends:
            done = await writing.send(request, place, written)
            raise _sent(request, acting, done.message_id)
    except Refused as refused:
        written.errors = writing.errors_of(refused) | written.errors
    return await _page(request, acting, written, form=written.form(), about=_about_of(written))


@routes.post("/p/{patient}/messages/{id}/reply", name="reply")
@streams_its_form
async def reply(request: web.Request) -> web.Response:
    """An answer to a received message, once; a second one is kept as a draft and explained."""
    acting = await session.acting(request, Limit.MESSAGES)
    written = Written()
    place = Place(
        visa=session.acting_visa(request, Limit.MESSAGES),
        patient_id=acting.patient_id,
        reply_to=reading.path_id(request),
    )
    try:
        await writing.receive(request, place, written)
        if written.sends:
            done = await writing.send(request, place, written)
            raise _sent(request, acting, done.message_id)
    except Refused as refused:
        if refused.code == Refusal.ALREADY_REPLIED:
            return await _replied_already(request, acting, written)
        written.errors = writing.errors_of(refused) | written.errors
    chrome, shown = await asyncio.gather(
        shell.record(request, acting, tab="messages", named=True),
        messages.conversation(request, acting),
    )
    status = 400 if written.errors else 200
    return messages.show(
        request,
        chrome,
        shown,
        form=written.form(),
        errors=written.errors,
        stale=written.stale,
        status=status,
    )


@routes.post("/p/{patient}/messages/draft", name="save_draft")
async def save_draft(request: web.Request) -> web.Response:
    """What was typed so far, kept as it is typed."""
    acting = await session.acting(request, Limit.MESSAGES)
    form = await request.post()
    place = Place(
        visa=session.acting_visa(request, Limit.MESSAGES),
        patient_id=acting.patient_id,
        reply_to=reading.optional_id(form, "reply_to"),
        about=reading.optional_id(form, "about"),
    )
    return await writing.autosaved(request, place, form)


@routes.post("/p/{patient}/messages/drafts/{id}/delete", name="drop_draft")
async def drop_draft(request: web.Request) -> web.Response:
    """The draft and its files are gone."""
    acting = await session.acting(request, Limit.MESSAGES)
    asked = DropDraft(
        visa=acting.visa, patient_id=acting.patient_id, draft_id=reading.path_id(request)
    )
    await ask(request.app[BROKER], asked)
    response = web.HTTPSeeOther(messages.address(request, "messages_drafts", acting.patient_id))
    shell.notice(response, "draft_deleted")
    raise response


def _about_of(written: Written) -> UUID | None:
    return written.draft.about if written.draft else reading.optional_id(written.fields, "about")


def _sent(request: web.Request, acting: session.Acting, message_id: UUID) -> web.HTTPSeeOther:
    """To the message that was sent, with a word about it."""
    response = web.HTTPSeeOther(
        messages.address(request, "message", acting.patient_id, id=message_id)
    )
    shell.notice(response, "message_sent")
    return response


async def _replied_already(
    request: web.Request, acting: session.Acting, written: Written
) -> web.Response:
    """What was typed is a draft of a new message from now on, about the same thing."""
    chrome, shown = await asyncio.gather(
        shell.record(request, acting, tab="messages", named=True),
        messages.conversation(request, acting),
    )
    return messages.show(request, chrome, shown, form=written.form(), already=True, status=409)


async def _page(
    request: web.Request,
    acting: session.Acting,
    written: Written,
    *,
    form: Form,
    about: UUID | None,
) -> web.Response:
    chrome, times, shown = await asyncio.gather(
        shell.record(request, acting, tab="messages", named=True),
        _usual_times(request, acting),
        _about(request, acting, about),
    )
    if shown and not form.saved:
        form.subject = form.subject or f"Re: {shown.subject}"[:200]
        form.category = form.category or shown.category
    return render(
        request,
        "messages/compose.html",
        chrome,
        form=form,
        errors=written.errors,
        stale=written.stale,
        about=about,
        about_subject=shown.subject if shown else "",
        usual=times,
        status=400 if written.errors else 200,
    )


async def _about(
    request: web.Request, acting: session.Acting, about: UUID | None
) -> Conversation | None:
    if about is None:
        return None
    asked = ShowMessage(visa=acting.visa, patient_id=acting.patient_id, message_id=about)
    return await ask(request.app[BROKER], asked)


async def _usual_times(request: web.Request, acting: session.Acting) -> dict[str, str]:
    try:
        asked = ShowTimes(visa=acting.visa, patient_id=acting.patient_id)
        times = await ask(request.app[BROKER], asked)
    except Unavailable:
        return {}
    return {
        route.category: wording.usual_time(route.answer_within_hours) for route in times.routing
    }
