"""Staff: the practice's e-mails and what became of each."""

import asyncio

from aiohttp import web

from gateway import reading, session, shell
from gateway.rendering import render
from libs.contracts.base import Refused
from libs.contracts.notifier import ListMails, MailState, Refusal, RetryMail
from libs.runtime.broker import BROKER, ask

WORDS: dict[str, str] = {
    Refusal.NOT_RETRIABLE: "There is nothing to send again: it was sent, or it is out of date.",
}

routes = web.RouteTableDef()


@routes.get("/staff/emails", name="emails")
async def emails(request: web.Request) -> web.Response:
    staff = await session.at_work(request)
    return await _page(request, staff)


@routes.post("/staff/emails/{id}/retry", name="retry_email")
async def retry_email(request: web.Request) -> web.Response:
    staff = await session.at_work(request)
    asked = RetryMail(visa=staff.visa, mail_id=reading.path_id(request))
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        return await _page(request, staff, problem=refused.worded(WORDS))
    response = web.HTTPSeeOther(request.app.router["emails"].url_for())
    shell.notice(response, "email_again")
    raise response


async def _page(request: web.Request, staff: session.AtWork, problem: str = "") -> web.Response:
    state = reading.text(request.query, "state")
    asked = ListMails(
        visa=staff.visa,
        state=MailState(state) if state in set(MailState) else None,
        after=reading.text(request.query, "after"),
    )
    chrome, listed = await asyncio.gather(
        shell.staff(request, staff, tab="emails"), ask(request.app[BROKER], asked)
    )
    return render(
        request,
        "staff/emails.html",
        chrome,
        listed=listed,
        query=request.query,
        problem=problem,
        status=400 if problem else 200,
    )
