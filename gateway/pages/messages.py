"""Messages: what came, what was sent, a conversation, and its files."""

import asyncio
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from aiohttp import web

from gateway import files, reading, session, shell, wording
from gateway.rendering import Chrome, render
from gateway.writing import Form
from libs.contracts.base import Reply, Request
from libs.contracts.messaging.mailbox import (
    Conversation,
    ListDrafts,
    ListInbox,
    ListSent,
    MarkRead,
    ReadAttachment,
    ShowAttachment,
    ShowMessage,
)
from libs.contracts.messaging.settings import ShowTimes
from libs.contracts.messaging.writing import Draft
from libs.contracts.visa import Limit
from libs.runtime.broker import BROKER, Unavailable, ask

R = TypeVar("R", bound=Reply)
routes = web.RouteTableDef()


@routes.get("/p/{patient}/messages", name="messages")
async def messages(request: web.Request) -> web.Response:
    """Every message from the practice, or those with some words in them."""
    acting = await session.acting(request, Limit.MESSAGES)
    q, after = reading.text(request.query, "q")[:200], reading.cursor(request.query, "after")
    asked = ListInbox(visa=acting.visa, patient_id=acting.patient_id, q=q, after=after)
    return await _list(request, acting, "inbox", asked, q=q)


@routes.get("/p/{patient}/messages/sent", name="messages_sent")
async def sent(request: web.Request) -> web.Response:
    """Every message to the practice, whoever wrote it for this patient."""
    acting = await session.acting(request, Limit.MESSAGES)
    q, after = reading.text(request.query, "q")[:200], reading.cursor(request.query, "after")
    asked = ListSent(visa=acting.visa, patient_id=acting.patient_id, q=q, after=after)
    return await _list(request, acting, "sent", asked, q=q)


@routes.get("/p/{patient}/messages/drafts", name="messages_drafts")
async def drafts(request: web.Request) -> web.Response:
    """What this person began and did not send."""
    acting = await session.acting(request, Limit.MESSAGES)
    asked = ListDrafts(visa=acting.visa, patient_id=acting.patient_id)
    return await _list(request, acting, "drafts", asked)


@routes.post("/p/{patient}/messages/read", name="read_all")
async def read_all(request: web.Request) -> web.Response:
    """Nothing is unread any more, for this person."""
    acting = await session.acting(request, Limit.MESSAGES)
    await ask(request.app[BROKER], MarkRead(visa=acting.visa, patient_id=acting.patient_id))
    raise web.HTTPSeeOther(str(address(request, "messages", acting.patient_id)))


@routes.get("/p/{patient}/messages/{id}", name="message")
async def message(request: web.Request) -> web.Response:
    """A message in its conversation; what of it came from the practice is read from now on."""
    acting = await session.acting(request, Limit.MESSAGES)
    chrome, shown = await asyncio.gather(
        shell.record(request, acting, tab="messages", named=True),
        conversation(request, acting),
    )
    fresh = tuple(one.message_id for one in shown.messages if one.unread)
    if fresh and request.method == "GET" and not session.only_looks(request):
        marked = MarkRead(visa=acting.visa, patient_id=acting.patient_id, message_ids=fresh)
        chrome = chrome.counting((await ask(request.app[BROKER], marked)).count)
    return show(request, chrome, shown, form=Form.of(shown.draft))


def show(  # noqa: PLR0913
    request: web.Request,
    chrome: Chrome,
    shown: Conversation,
    *,
    form: Form,
    errors: dict[str, str] | None = None,
    already: bool = False,
    stale: bool = False,
    status: int = 200,
) -> web.Response:
    """The page of a conversation, with its form where it can be answered."""
    answer = next((one for one in shown.messages if one.message_id == shown.may_reply_to), None)
    replied = max((one.replied_at for one in shown.messages if one.replied_at), default=None)
    return render(
        request,
        "messages/show.html",
        chrome,
        shown=shown,
        answer=answer,
        replied=replied,
        form=form,
        already=already,
        stale=stale,
        errors=errors or {},
        usual=wording.usual_time(shown.answer_within_hours),
        status=status,
    )


@routes.get("/p/{patient}/messages/{id}/files/{file}", name="message_file")
async def message_file(request: web.Request) -> web.StreamResponse:
    """A file of a message: shown where every browser shows it, else to be kept."""
    acting = await session.acting(request, Limit.MESSAGES)
    return await stream_file(
        request,
        session.acting_visa(request, Limit.MESSAGES),
        acting.patient_id,
        reading.path_id(request),
    )


async def stream_file(
    request: web.Request, visa: session.Visa, patient_id: UUID, message_id: UUID
) -> web.StreamResponse:
    """A file of a sent message, chunk by chunk, each with a visa that holds then."""
    attachment_id = reading.path_id(request, "file")
    given = {
        "patient_id": patient_id,
        "message_id": message_id,
        "attachment_id": attachment_id,
    }
    shown = await ask(request.app[BROKER], ShowAttachment(visa=await visa(), **given))

    async def chunk(number: int) -> bytes:
        asked = ReadAttachment(visa=await visa(), number=number, **given)
        return (await ask(request.app[BROKER], asked)).data

    file = files.File(
        file_name=shown.attachment.file_name,
        media_type=shown.attachment.media_type,
        size=shown.attachment.size,
        tag=shown.sha256,
        chunk=chunk,
    )
    wanted = "download" not in request.query and shown.attachment.viewable
    return await files.stream(request, file, kind="inline" if wanted else "attachment")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A draft, as its list shows it, with the page that it is finished on."""

    subject: str
    draft: Draft
    address: str


def address(request: web.Request, name: str, patient_id: UUID, **parts: object) -> str:
    """The address of a page of this patient's messages."""
    named = {key: str(value) for key, value in parts.items()}
    return str(request.app.router[name].url_for(patient=str(patient_id), **named))


async def _list(
    request: web.Request,
    acting: session.Acting,
    folder: str,
    asked: Request[R],
    *,
    q: str = "",
) -> web.Response:
    chrome, listed, times = await asyncio.gather(
        shell.record(request, acting, tab="messages", named=True),
        _or_away(request, asked),
        _or_away(request, ShowTimes(visa=acting.visa, patient_id=acting.patient_id)),
    )
    hours = max((route.answer_within_hours for route in times.routing), default=0) if times else 0
    lines: tuple[object, ...] = getattr(listed, "messages", ())
    if folder == "drafts" and listed is not None:
        lines = tuple(
            Line(subject=one.subject, draft=one, address=_finish(request, acting, one))
            for one in getattr(listed, "drafts", ())
        )
    return render(
        request,
        "messages/index.html",
        chrome,
        folder=folder,
        listed=listed,
        lines=lines,
        drafts=len(lines) if folder == "drafts" else getattr(listed, "drafts", 0),
        usual=wording.usual_time(hours) if hours else "",
        q=q,
    )


def _finish(request: web.Request, acting: session.Acting, draft: Draft) -> str:
    """Where a draft is gone on with."""
    if draft.reply_to:
        return address(request, "message", acting.patient_id, id=draft.reply_to)
    compose = request.app.router["compose"].url_for(patient=str(acting.patient_id))
    return str(compose.with_query(draft=str(draft.draft_id)))


async def conversation(request: web.Request, acting: session.Acting) -> Conversation:
    """The conversation of the message in the address."""
    return await ask(
        request.app[BROKER],
        ShowMessage(
            visa=acting.visa,
            patient_id=acting.patient_id,
            message_id=reading.path_id(request),
            before=reading.cursor(request.query, "before"),
        ),
    )


async def _or_away(request: web.Request, asked: Request[R]) -> R | None:
    """The reply, or None while messages are away; a no is a no."""
    try:
        return await ask(request.app[BROKER], asked)
    except Unavailable:
        return None
