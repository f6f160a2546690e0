"""Manage Users: whom a patient lets into their own record, and how far."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway import proving, reading, session, shell
from gateway.people import Person, Standing, people
from gateway.rendering import render
from libs.contracts import delegation
from libs.contracts.base import Refused, Request
from libs.contracts.delegation import ChangeAccess, ListDelegates, RevokeAccess
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.sharing import (
    CancelDelegateInvitation,
    InviteDelegate,
    ListDelegateInvitations,
    ResendDelegateInvitation,
)
from libs.contracts.visa import Capacity, Limit
from libs.runtime.broker import BROKER, ask
from libs.runtime.clock import utcnow

WORDS: dict[str, str] = {
    Refusal.EMAIL_NOT_USABLE: "Enter their email address, like name@example.com.",
    Refusal.OWN_EMAIL: "This is your own email address. You have access already.",
    Refusal.WRONG_DATE_OF_BIRTH: "Enter their date of birth, like 9 30 1988.",
    Refusal.NOTHING_SHARED: "Choose at least one part of your record.",
    Refusal.END_IS_PAST: "The last day is past. Choose a later one, or none.",
    Refusal.ALREADY_REGISTERED: "This person has access already.",
    Refusal.SENT_MOMENTS_AGO: "An email has only just gone to this address. Give it five minutes.",
    Refusal.TRY_LATER: "You have sent very many invitations today. Send more tomorrow.",
    delegation.Refusal.CHANGED_MEANWHILE: "It was changed meanwhile, in another window. This is how"
    " it is now. Choose again.",
}
FIELD: dict[str, str] = {
    Refusal.WRONG_DATE_OF_BIRTH: "date_of_birth",
    Refusal.NOTHING_SHARED: "access",
    Refusal.END_IS_PAST: "last_day",
    delegation.Refusal.CHANGED_MEANWHILE: "access",
}
"""Where a refusal is shown; at the address, unless said otherwise."""

LATEST = 2199
"""The year after which a last day is no last day, but a slip."""
NO_LAST_DAY = {"last_day": "Enter a date, like 12 31 2027, or leave it empty."}

routes = web.RouteTableDef()


@routes.get("/p/{patient}/users", name="users")
async def users(request: web.Request) -> web.Response:
    """Everyone with access to this record, or invited to it; and a form for one more."""
    return await _page(request, await _own(request), form={}, errors={})


@routes.post("/p/{patient}/users/invite", name="invite_user")
async def invite(request: web.Request) -> web.Response:
    """An invitation goes out, with what is to be shared."""
    acting = await _own(request)
    form = await request.post()
    if not _is_last_day(form):
        return await _page(request, acting, form=form, errors=NO_LAST_DAY)
    if errors := await proving.proven_with(request, acting.person, form):
        return await _page(request, acting, form=form, errors=errors)
    asked = InviteDelegate(
        visa=acting.visa,
        key=reading.key(form),
        patient_id=acting.patient_id,
        email=reading.text(form, "email"),
        date_of_birth=reading.day(form, "date_of_birth"),
        limits=_limits(form),
        last_day=reading.day(form, "last_day"),
    )
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        if refused.code == Refusal.PROOF_NEEDED:
            errors = proving.explained(refused)
            return await _page(request, acting, form=form, errors=errors)
        field = FIELD.get(Refusal(refused.code), "email")
        return await _page(request, acting, form=form, errors={field: refused.worded(WORDS)})
    raise _back(request, acting, "user_invited")


@routes.post("/p/{patient}/users/{id}/resend", name="resend_user")
async def resend(request: web.Request) -> web.Response:
    """A new letter; the link in the one before is void."""
    acting = await _own(request)
    asked = ResendDelegateInvitation(
        visa=acting.visa, patient_id=acting.patient_id, invitation_id=reading.path_id(request)
    )
    raise await _told(request, acting, asked, "resent")


@routes.post("/p/{patient}/users/{id}/cancel", name="cancel_user")
async def cancel(request: web.Request) -> web.Response:
    """An invitation that nobody has accepted is taken back."""
    acting = await _own(request)
    asked = CancelDelegateInvitation(
        visa=acting.visa, patient_id=acting.patient_id, invitation_id=reading.path_id(request)
    )
    raise await _told(request, acting, asked, "invite_cancelled")


@routes.get("/p/{patient}/users/{id}/revoke", name="revoke_user")
async def confirm_revoking(request: web.Request) -> web.Response:
    """What it means to take access away, before it is done."""
    acting = await _own(request)
    chrome, listed = await asyncio.gather(
        shell.record(request, acting, tab="", named=True), everyone(request, acting)
    )
    return render(request, "users/revoke.html", chrome, person=_with_access(request, listed))


@routes.post("/p/{patient}/users/{id}/revoke")
async def revoke(request: web.Request) -> web.Response:
    """Access ends at once, everywhere."""
    acting = await _own(request)
    asked = RevokeAccess(
        visa=acting.visa,
        patient_id=acting.patient_id,
        invitation_id=reading.path_id(request),
        version=reading.number(await request.post(), "version"),
        letter=True,
    )
    await ask(request.app[BROKER], asked)
    raise _back(request, acting, "access_revoked")


@routes.get("/p/{patient}/users/{id}/change", name="change_user")
async def choose_change(request: web.Request) -> web.Response:
    """What somebody may do, and until when, to be chosen anew."""
    return await _change_page(request, await _own(request), form=None, errors={})


@routes.post("/p/{patient}/users/{id}/change")
async def change(request: web.Request) -> web.Response:
    """What was chosen counts at once, everywhere."""
    acting = await _own(request)
    form = await request.post()
    if not _is_last_day(form):
        return await _change_page(request, acting, form=form, errors=NO_LAST_DAY)
    if errors := await proving.proven_with(request, acting.person, form):
        return await _change_page(request, acting, form=form, errors=errors)
    practice = await session.practice(request, acting.access.practice_id)
    last_day, person = reading.day(form, "last_day"), await session.signed_in(request)
    asked = ChangeAccess(
        visa=acting.visa,
        passport=person.session.passport,
        patient_id=acting.patient_id,
        invitation_id=reading.path_id(request),
        version=reading.number(form, "version"),
        revision=reading.number(form, "revision"),
        limits=_limits(form),
        ends_at=last_day and reading.over(last_day, practice.time_zone),
    )
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        code = refused.code
        if code == delegation.Refusal.ACCESS_OVER:
            raise _back(request, acting, code) from None
        if code == delegation.Refusal.PROOF_NEEDED:
            return await _change_page(request, acting, form=form, errors=proving.explained(refused))
        errors = {FIELD.get(code, "access"): refused.worded(WORDS)}
        seen = None if code == delegation.Refusal.CHANGED_MEANWHILE else form
        return await _change_page(request, acting, form=seen, errors=errors)
    raise _back(request, acting, "access_changed")


async def everyone(request: web.Request, who: session.Acting | session.AtWork) -> list[Person]:
    """Whom the patient in the address let in, for the patient and for staff."""
    patient_id = reading.path_id(request, "patient")
    invited, granted = await asyncio.gather(
        ask(request.app[BROKER], ListDelegateInvitations(visa=who.visa, patient_id=patient_id)),
        ask(request.app[BROKER], ListDelegates(visa=who.visa, patient_id=patient_id)),
    )
    return people(invited.invitations, granted.delegates, now=utcnow())


async def _own(request: web.Request) -> session.Acting:
    """The patient, on their own record: nobody else grants access, or takes it away."""
    acting = await session.acting(request)
    if acting.access.capacity is not Capacity.SELF:
        raise web.HTTPNotFound
    return acting


def _with_access(request: web.Request, listed: list[Person]) -> Person:
    """The person in the address, who has access; for anybody else there is no such page."""
    wanted = reading.path_id(request)
    for person in listed:
        if person.invitation.invitation_id == wanted and person.standing is Standing.HAS_ACCESS:
            return person
    raise web.HTTPNotFound


def _is_last_day(form: reading.Form) -> bool:
    """Whether it is a date, or none was typed."""
    day = reading.day(form, "last_day")
    return day.year <= LATEST if day else not reading.day_given(form, "last_day")


def _limits(form: reading.Form) -> frozenset[Limit]:
    """Everything, unless some of it was chosen."""
    if reading.text(form, "access") != "some":
        return frozenset(Limit)
    return frozenset(limit for limit in Limit if reading.ticked(form, limit))


async def _told(
    request: web.Request, acting: session.Acting, asked: Request[Any], notice: str
) -> web.HTTPSeeOther:
    """Back to the list, with what came of it."""
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        if refused.code not in shell.NOTICES:
            raise
        notice = refused.code
    return _back(request, acting, notice)


def _back(request: web.Request, acting: session.Acting, notice: str) -> web.HTTPSeeOther:
    there = request.app.router["users"].url_for(patient=str(acting.patient_id))
    response = web.HTTPSeeOther(str(there))
    shell.notice(response, notice)
    return response


async def _page(
    request: web.Request,
    acting: session.Acting,
    *,
    form: Mapping[str, Any],
    errors: dict[str, str],
) -> web.Response:
    chrome, listed = await asyncio.gather(
        shell.record(request, acting, tab="", named=True), everyone(request, acting)
    )
    return render(
        request,
        "users/index.html",
        chrome,
        people=[person for person in listed if not person.gone],
        gone=[person for person in listed if person.gone],
        form=form,
        proof=proving.proof_for(acting.person),
        errors=errors,
        status=400 if errors else 200,
    )


async def _change_page(
    request: web.Request,
    acting: session.Acting,
    *,
    form: Mapping[str, Any] | None,
    errors: dict[str, str],
) -> web.Response:
    """With what was typed; without a form, with what is."""
    chrome, listed = await asyncio.gather(
        shell.record(request, acting, tab="", named=True), everyone(request, acting)
    )
    person = _with_access(request, listed)
    return render(
        request,
        "users/change.html",
        chrome,
        person=person,
        form=person.chosen(chrome.time_zone) if form is None else form,
        proof=proving.proof_for(acting.person),
        errors=errors,
        status=400 if errors else 200,
    )
