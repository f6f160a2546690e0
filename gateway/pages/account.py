"""Account: sessions, password, e-mail address."""

from uuid import UUID

from aiohttp import web

from gateway import later, proving, reading, session, shell
from gateway.pages.passwords import errors_of, rules_shown
from gateway.rendering import render
from libs.contracts.base import Refused
from libs.contracts.identity.addresses import ChangeEmail
from libs.contracts.identity.passwords import ChangePassword
from libs.contracts.identity.practices import Practice
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.sessions import EndSessions, ListSessions
from libs.contracts.messaging.announcements import Choice, Frequency, SaveChoice, ShowChoice
from libs.contracts.visa import Limit
from libs.runtime.broker import BROKER, Unavailable, ask

WORDS: dict[str, str] = {
    Refusal.WRONG_PASSWORD: "This is not your current password.",
    Refusal.EMAIL_NOT_USABLE: "Enter an email address, like name@example.com.",
    Refusal.SAME_EMAIL: "This is the address that we have already.",
    Refusal.TRY_LATER: "There have been too many tries. Wait 15 minutes and try again.",
    Refusal.BUSY: "We are very busy at this moment. Try again in a few seconds.",
}
WITHIN = 8

routes = web.RouteTableDef()


@routes.get("/account", name="account")
async def account(request: web.Request) -> web.Response:
    return await _page(request)


@routes.post("/account/sessions/end", name="end_sessions")
async def end_sessions(request: web.Request) -> web.Response:
    """End one session, or all but this one."""
    person = await session.signed_in(request)
    form = await request.post()
    asked = EndSessions(
        session=person.token_hash,
        session_id=reading.form_id(form, "session_id") if "session_id" in form else None,
    )
    await ask(request.app[BROKER], asked)
    return _back(request, "sessions_ended")


@routes.post("/account/password", name="change_password")
async def change_password(request: web.Request) -> web.Response:
    person = await session.signed_in(request)
    form = await request.post()
    asked = ChangePassword(
        session=person.token_hash,
        current_password=reading.raw(form, "current_password"),
        password=reading.raw(form, "password"),
        confirm_password=reading.raw(form, "confirm_password"),
    )
    try:
        answer = await ask(request.app[BROKER], asked, within=WITHIN)
    except Refused as refused:
        page = await _page(request, errors={"current_password": refused.worded(WORDS)})
        return later.marked(page, refused)
    if not answer.accepted:
        return await _page(request, errors=errors_of(answer.rules), rules=rules_shown(answer.rules))
    return _back(request, "password_changed")


@routes.post("/account/email", name="change_email")
async def change_email(request: web.Request) -> web.Response:
    """The new address has to confirm before it counts."""
    person = await session.signed_in(request)
    form = await request.post()
    email = reading.text(form, "email")
    if proving.proof_for(person).wanted and (errors := await proving.prove(request, person, form)):
        return await _page(request, errors=errors, email=email)
    asked = ChangeEmail(
        session=person.token_hash,
        current_password=reading.raw(form, proving.PASSWORD),
        email=email,
    )
    try:
        await ask(request.app[BROKER], asked, within=WITHIN)
    except Refused as refused:
        wrong = {"email": refused.worded(WORDS)}
        errors = wrong if "email" in refused.code else proving.explained(refused)
        return later.marked(await _page(request, errors=errors, email=email), refused)
    return _back(request, "email_to_confirm")


@routes.post("/account/messages", name="choose_emails")
async def choose_emails(request: web.Request) -> web.Response:
    """How often e-mails tell of messages, and when not."""
    person = await session.signed_in(request)
    form = await request.post()
    wanted = reading.form_id(form, "practice_id")
    visa = (await _visas(request, person)).get(wanted)
    if visa is None:
        raise web.HTTPNotFound
    frequency = reading.text(form, "frequency")
    asked = SaveChoice(
        visa=visa,
        frequency=Frequency(frequency) if frequency in set(Frequency) else Frequency.AT_ONCE,
        quiet_from=_hour(form, "quiet_from"),
        quiet_until=_hour(form, "quiet_until"),
        time_zone=(await session.practice(request, wanted)).time_zone,
    )
    await ask(request.app[BROKER], asked)
    return _back(request, "emails_chosen")


def _hour(form: reading.Form, name: str) -> int | None:
    """An hour of the day; None for none."""
    typed = reading.text(form, name)
    hour = int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 2 else 24  # noqa: PLR2004
    return hour if hour < 24 else None  # noqa: PLR2004


async def _visas(request: web.Request, person: session.SignedIn) -> dict[UUID, str]:
    """A visa for each practice where this person reads messages."""
    if seat := person.session.seat:
        return {seat.practice_id: seat.visa}
    records = (await session.access_of(request, person)).records
    return {one.practice_id: one.visa for one in reversed(records) if Limit.MESSAGES in one.limits}


async def _choices(request: web.Request, person: session.SignedIn) -> list[tuple[Practice, Choice]]:
    """What was chosen for each practice; nothing while somebody is away who knows."""
    try:
        return [
            (
                await session.practice(request, practice_id),
                await ask(request.app[BROKER], ShowChoice(visa=visa)),
            )
            for practice_id, visa in (await _visas(request, person)).items()
        ]
    except (Unavailable, Refused):
        return []


async def _page(
    request: web.Request,
    *,
    errors: dict[str, str] | None = None,
    rules: dict[str, bool] | None = None,
    email: str = "",
) -> web.Response:
    session.renew(request)
    person = await session.signed_in(request)
    try:
        listed = await ask(request.app[BROKER], ListSessions(session=person.token_hash))
    except Unavailable:
        listed = None
    return render(
        request,
        "account/index.html",
        await shell.person(request, person),
        person=person.session,
        sessions=listed.sessions if listed else None,
        errors=errors or {},
        rules=rules or {},
        email=email,
        proof=proving.proof_for(person),
        choices=await _choices(request, person),
        status=400 if errors else 200,
    )


def _back(request: web.Request, notice: str) -> web.Response:
    response = web.HTTPSeeOther(request.app.router["account"].url_for())
    shell.notice(response, notice)
    raise response
