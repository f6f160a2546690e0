"""From the invitation to an account."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway import later, protection, reading, session, shell
from gateway.pages.passwords import errors_of, rules_shown
from gateway.rendering import render
from libs.contracts.base import Refused
from libs.contracts.identity.invitations import AskForNewLink, Invitation, ShowInvitation
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.registration import AcceptInvitation, CompleteRegistration
from libs.runtime.broker import BROKER, ask

TERMS_VERSION = "2026-11"
ENDED = {
    Refusal.LINK_EXPIRED: "expired",
    Refusal.LINK_VOID: "void",
    Refusal.LINK_USED: "used",
    Refusal.LINK_LOCKED: "locked",
    Refusal.LINK_UNKNOWN: "unknown",
    Refusal.INVITATION_ENDED: "ended",
}
"""How a link can have ended; each has its own words, and none says who was invited."""
WORDS: dict[str, str] = {
    Refusal.WRONG_DATE_OF_BIRTH: "This is not the date of birth that we were told for you.",
    Refusal.NAME_MISSING: "Enter your name.",
    Refusal.NAME_NOT_USABLE: "This name can't be used. It has up to 100 letters, on one line.",
    Refusal.TERMS_NOT_ACCEPTED: "Tick the box if you accept the terms of use.",
    Refusal.TRY_LATER: "There have been too many tries. Wait 15 minutes and try again.",
    Refusal.BUSY: "Many people are registering at this moment. Try again in a few seconds.",
    Refusal.NOT_ALLOWED: "This invitation is for another email address than the one you are logged in with.",
}  # fmt: skip
FIELD = {
    Refusal.WRONG_DATE_OF_BIRTH: "date_of_birth",
    Refusal.TERMS_NOT_ACCEPTED: "terms",
    Refusal.NAME_MISSING: "name",
    Refusal.NAME_NOT_USABLE: "name",
}
WITHIN = 8

routes = web.RouteTableDef()


@routes.get("/register/{token}", name="register")
async def show_registration(request: web.Request) -> web.Response:
    """Looking at the page never uses the link up, however often it is done."""
    try:
        invitation = await _invitation(request)
    except Refused as refused:
        return await _link_ended(request, refused)
    if invitation.has_account:
        raise web.HTTPSeeOther(request.app.router["accept"].url_for(**request.match_info))
    return await _page(request, invitation, form={}, errors={})


@routes.post("/register/{token}")
async def complete_registration(request: web.Request) -> web.Response:
    """Date of birth, a password that keeps the rules, and the terms make an account."""
    form = await request.post()
    asked = CompleteRegistration(
        token=request.match_info["token"],
        date_of_birth=reading.day(form, "date_of_birth"),
        password=reading.raw(form, "password"),
        confirm_password=reading.raw(form, "confirm_password"),
        terms_version=TERMS_VERSION if reading.ticked(form, "terms") else "",
        name=reading.text(form, "name"),
        source=protection.source(request),
    )
    try:
        answer = await ask(request.app[BROKER], asked, within=WITHIN)
    except Refused as refused:
        if refused.code in ENDED:
            return await _link_ended(request, refused)
        if refused.code == Refusal.HAS_ACCOUNT:
            raise web.HTTPSeeOther(request.app.router["accept"].url_for(**request.match_info))
        errors = {FIELD.get(Refusal(refused.code), "password"): refused.worded(WORDS)}
        return later.marked(await _again(request, form, errors=errors), refused)
    if not answer.accepted:
        return await _again(
            request, form, errors=errors_of(answer.rules), rules=rules_shown(answer.rules)
        )
    if answer.enrolment:
        return await _one_time_code(request, answer.enrolment)
    response = web.HTTPSeeOther(request.app.router["login"].url_for())
    shell.notice(response, "registered")
    raise response


@routes.post("/register/{token}/new-link", name="new_link")
async def ask_for_new_link(request: web.Request) -> web.Response:
    """The practice hears that a new link is wanted; the page says the same for any link."""
    await ask(
        request.app[BROKER],
        AskForNewLink(token=request.match_info["token"], source=protection.source(request)),
    )
    return render(request, "door/new_link_asked.html", await shell.door(request))


@routes.get("/invitations/{token}", name="accept")
async def show_acceptance(request: web.Request) -> web.Response:
    """For someone who has an account already: log in, then accept."""
    person = await session.signed_in(request)
    try:
        invitation = await _invitation(request)
    except Refused as refused:
        return await _link_ended(request, refused)
    return await _acceptance(request, invitation, person, errors={})


@routes.post("/invitations/{token}")
async def accept_invitation(request: web.Request) -> web.Response:
    """Another record is added to the account that is logged in."""
    person = await session.signed_in(request)
    form = await request.post()
    asked = AcceptInvitation(
        token=request.match_info["token"],
        session=person.token_hash,
        date_of_birth=reading.day(form, "date_of_birth"),
        terms_version=TERMS_VERSION if reading.ticked(form, "terms") else "",
    )
    try:
        accepted = await ask(request.app[BROKER], asked)
    except Refused as refused:
        if refused.code in ENDED:
            return await _link_ended(request, refused)
        field = FIELD.get(Refusal(refused.code), "date_of_birth")
        errors = {field: refused.worded(WORDS)}
        page = await _acceptance(
            request, await _invitation(request), person, errors=errors, form=form, status=400
        )
        return later.marked(page, refused)
    request.app[session.DESK].access.forget(person.session.session_id)
    if accepted.enrolment:
        return await _one_time_code(request, accepted.enrolment)
    response = web.HTTPSeeOther("/")
    shell.notice(response, "accepted")
    raise response


async def _invitation(request: web.Request) -> Invitation:
    return await ask(
        request.app[BROKER],
        ShowInvitation(token=request.match_info["token"], opened=request.method == "GET"),
    )


async def _one_time_code(request: web.Request, enrolment: str) -> web.Response:
    """For staff: what every later log-in asks for, shown this once."""
    return render(
        request, "door/one_time_code.html", await shell.door(request), enrolment=enrolment
    )


async def _again(
    request: web.Request,
    form: Mapping[str, Any],
    *,
    errors: dict[str, str],
    rules: dict[str, bool] | None = None,
) -> web.Response:
    try:
        invitation = await _invitation(request)
    except Refused as refused:
        return await _link_ended(request, refused)
    kept = {name: value for name, value in form.items() if "password" not in name}
    return await _page(request, invitation, form=kept, errors=errors, rules=rules, status=400)


async def _page(  # noqa: PLR0913
    request: web.Request,
    invitation: Invitation,
    *,
    form: Mapping[str, Any],
    errors: dict[str, str],
    rules: dict[str, bool] | None = None,
    status: int = 200,
) -> web.Response:
    return render(
        request,
        "door/register.html",
        await shell.door(request, practice_id=invitation.practice_id),
        invitation=invitation,
        form=form,
        errors=errors,
        rules=rules or {},
        status=status,
    )


async def _acceptance(  # noqa: PLR0913
    request: web.Request,
    invitation: Invitation,
    person: session.SignedIn,
    *,
    errors: dict[str, str],
    form: Mapping[str, Any] | None = None,
    status: int = 200,
) -> web.Response:
    return render(
        request,
        "door/accept.html",
        await shell.door(request, practice_id=invitation.practice_id),
        invitation=invitation,
        person=person.session,
        form=form or {},
        errors=errors,
        status=status,
    )


async def _link_ended(request: web.Request, refused: Refused) -> web.Response:
    """What happened to the link, and the next step; nothing about who was invited."""
    return render(
        request,
        "door/link_ended.html",
        await shell.door(request),
        why=ENDED[Refusal(refused.code)],
        token=request.match_info["token"],
        status=404 if refused.code == Refusal.LINK_UNKNOWN else 410,
    )
