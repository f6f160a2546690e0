"""Staff: who works at the practice, invited by its administrators, who also say what each may do."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway import proving, reading, session, shell
from gateway.rendering import Chrome, render
from libs.contracts.base import Refused, Request
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.staff import (
    ChangeRole,
    InviteColleague,
    ListTeam,
    Member,
    RemoveFromTeam,
    ResendColleagueInvitation,
    ResetColleagueFactors,
)
from libs.contracts.visa import Role
from libs.runtime.broker import BROKER, ask

WORDS: dict[str, str] = {
    Refusal.NAME_MISSING: "Enter their name.",
    Refusal.NAME_NOT_USABLE: "Enter their name in up to 120 letters.",
    Refusal.EMAIL_NOT_USABLE: "Enter their email address, like name@example.com.",
    Refusal.WRONG_DATE_OF_BIRTH: "Enter their date of birth, like 9 30 1988.",
    Refusal.ALREADY_REGISTERED: "This person is on your team already.",
    Refusal.SENT_MOMENTS_AGO: "An email has only just gone to this address. Give it five minutes.",
    Refusal.NOT_REGISTERED: "They have not registered yet. Send the invitation again instead.",
    Refusal.OWN_FACTORS: "This is you. Another administrator has to do it, or whoever runs this portal.",
    Refusal.ACCOUNT_OPENS_MORE: "Their account also opens a record or another practice. Ask whoever runs this portal.",
    Refusal.LAST_ADMINISTRATOR: "Nobody else is an administrator. Make somebody one first.",
}
FIELD = {
    Refusal.NAME_MISSING: "name",
    Refusal.NAME_NOT_USABLE: "name",
    Refusal.WRONG_DATE_OF_BIRTH: "date_of_birth",
}
"""Where a refusal is shown; at the address, unless said otherwise."""

routes = web.RouteTableDef()


@routes.get("/staff/team", name="team")
async def team(request: web.Request) -> web.Response:
    """For everyone to see, and for administrators to change."""
    return await _page(request, await session.at_work(request), form={}, errors={})


@routes.post("/staff/team/invite", name="invite_colleague")
async def invite(request: web.Request) -> web.Response:
    """A letter with a registration link is on its way."""
    staff = await session.at_work(request)
    form = await request.post()
    if _administers(staff) and (errors := await proving.proven_with(request, staff.person, form)):
        return await _page(request, staff, form=form, errors=errors)
    asked = InviteColleague(
        visa=staff.visa,
        name=reading.text(form, "name"),
        email=reading.text(form, "email"),
        date_of_birth=reading.day(form, "date_of_birth"),
        role=_role(form),
    )
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        if refused.code == Refusal.PROOF_NEEDED:
            errors = proving.explained(refused)
        else:
            errors = {FIELD.get(Refusal(refused.code), "email"): refused.worded(WORDS)}
        return await _page(request, staff, form=form, errors=errors)
    raise _back(request, "colleague_invited")


@routes.post("/staff/team/{id}/resend", name="resend_colleague")
async def resend(request: web.Request) -> web.Response:
    """A new letter; the link in the one before is void."""
    staff = await session.at_work(request)
    invitation_id = reading.path_id(request)
    asked = ResendColleagueInvitation(visa=staff.visa, invitation_id=invitation_id)
    raise await _told(request, asked, "resent")


@routes.get("/staff/team/{id}", name="colleague")
async def colleague(request: web.Request) -> web.Response:
    """One colleague, whom administrators give another role, or take off the team."""
    return await _colleague(request, await session.at_work(request), errors={})


@routes.post("/staff/team/{id}/role", name="change_role")
async def change_role(request: web.Request) -> web.Response:
    """They are logged out, and have the new role when they log in."""
    staff = await session.at_work(request)
    form = await request.post()
    if _administers(staff) and (errors := await proving.proven_with(request, staff.person, form)):
        return await _colleague(request, staff, errors=errors, role=_role(form))
    asked = ChangeRole(visa=staff.visa, invitation_id=reading.path_id(request), role=_role(form))
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        errors = _problem(request, refused, field="role")
        return await _colleague(request, staff, errors=errors, role=asked.role)
    raise _back(request, "role_changed")


@routes.post("/staff/team/{id}/remove", name="remove_colleague")
async def remove(request: web.Request) -> web.Response:
    """Off the team, and logged out everywhere, at once."""
    staff = await session.at_work(request)
    asked = RemoveFromTeam(visa=staff.visa, invitation_id=reading.path_id(request))
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        errors = {"remove": refused.worded(WORDS)}
        return await _colleague(request, staff, errors=errors)
    raise _back(request, "colleague_removed")


@routes.get("/staff/team/{id}/two-step", name="reset_colleague_factors")
async def show_reset(request: web.Request) -> web.Response:
    """What comes of it, before it is done."""
    return await _lost(request, await session.at_work(request), errors={})


@routes.post("/staff/team/{id}/two-step")
async def reset_factors(request: web.Request) -> web.Response:
    """A colleague who lost their codes is logged out, and let in anew by a letter."""
    staff = await session.at_work(request)
    form = await request.post()
    if _administers(staff) and (errors := await proving.proven_with(request, staff.person, form)):
        return await _lost(request, staff, errors=errors)
    asked = ResetColleagueFactors(visa=staff.visa, invitation_id=reading.path_id(request))
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        errors = _problem(request, refused, field="reset")
        return await _lost(request, staff, errors=errors)
    raise _back(request, "factors_reset")


def _administers(staff: session.AtWork) -> bool:
    return staff.seat.role is Role.ADMINISTRATOR


def _role(form: reading.Form) -> Role:
    """What was chosen; of what is no role, the one that may least."""
    role = reading.text(form, "role")
    return Role(role) if role in set(Role) else Role.FRONT_DESK


async def _told(request: web.Request, asked: Request[Any], notice: str) -> web.HTTPSeeOther:
    """Back to the team, with what came of it."""
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        if refused.code not in shell.NOTICES or refused.code == Refusal.NOT_ALLOWED:
            raise
        notice = refused.code
    return _back(request, notice)


def _back(request: web.Request, notice: str) -> web.HTTPSeeOther:
    response = web.HTTPSeeOther(str(request.app.router["team"].url_for()))
    shell.notice(response, notice)
    return response


def _problem(request: web.Request, refused: Refused, *, field: str) -> dict[str, str]:
    """What stands beside which field; who has left the team has no page any more."""
    if refused.code == Refusal.PROOF_NEEDED:
        return proving.explained(refused)
    if refused.code == Refusal.INVITATION_ENDED:
        raise _back(request, refused.code)
    return {field: refused.worded(WORDS)}


async def _page(
    request: web.Request,
    staff: session.AtWork,
    *,
    form: Mapping[str, Any],
    errors: dict[str, str],
) -> web.Response:
    chrome, listed = await asyncio.gather(
        shell.staff(request, staff, tab="team"),
        ask(request.app[BROKER], ListTeam(visa=staff.visa)),
    )
    return render(
        request,
        "staff/team.html",
        chrome,
        members=listed.members,
        administrator=_administers(staff),
        form=form,
        proof=proving.proof_for(staff.person),
        errors=errors,
        status=400 if errors else 200,
    )


async def _lost(
    request: web.Request, staff: session.AtWork, *, errors: dict[str, str]
) -> web.Response:
    chrome, member = await _one(request, staff)
    return render(
        request,
        "staff/lost_factors.html",
        chrome,
        member=member,
        own=member.account_id == staff.person.session.account_id,
        administrator=_administers(staff),
        proof=proving.proof_for(staff.person),
        errors=errors,
        status=400 if errors else 200,
    )


async def _one(request: web.Request, staff: session.AtWork) -> tuple[Chrome, Member]:
    """The colleague in the address, who has to be one of this team."""
    wanted = reading.path_id(request)
    chrome, listed = await asyncio.gather(
        shell.staff(request, staff, tab="team"),
        ask(request.app[BROKER], ListTeam(visa=staff.visa)),
    )
    member = next((one for one in listed.members if one.invitation_id == wanted), None)
    if member is None:
        raise web.HTTPNotFound
    return chrome, member


async def _colleague(
    request: web.Request,
    staff: session.AtWork,
    *,
    errors: dict[str, str],
    role: Role | None = None,
) -> web.Response:
    chrome, member = await _one(request, staff)
    return render(
        request,
        "staff/colleague.html",
        chrome,
        member=member,
        own=member.account_id == staff.person.session.account_id,
        administrator=_administers(staff),
        role=role or member.role,
        proof=proving.proof_for(staff.person),
        errors=errors,
        status=400 if errors else 200,
    )
