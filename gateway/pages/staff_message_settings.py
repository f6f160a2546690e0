"""What the practice decides about its messages: teams, times, prepared answers."""

import asyncio
from dataclasses import dataclass

from aiohttp import web

from gateway import reading, session, shell
from gateway.rendering import render
from libs.contracts.base import Done, Refused, Request
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.settings import (
    RemoveTemplate,
    Routing,
    SaveRouting,
    SaveTemplate,
    Settings,
    ShowSettings,
)
from libs.contracts.messaging.writing import Category
from libs.contracts.visa import Role
from libs.runtime.broker import BROKER, ask

routes = web.RouteTableDef()
WORDS: dict[str, str] = {
    Refusal.TEAM_UNKNOWN: "Choose a team that is in the list above.",
    Refusal.NAME_MISSING: "Enter a name.",
    Refusal.TOO_MANY: "There are too many of these already.",
    Refusal.HOURS_IMPOSSIBLE: "Enter the hours as a number from 1 to 336.",
    Refusal.BODY_MISSING: "Write the words of the answer.",
    Refusal.BODY_TOO_LONG: "A prepared answer can have up to 10,000 characters.",
}


@dataclass(frozen=True, kw_only=True)
class Route:
    """A category's line of the form, as it is typed."""

    category: str
    team: str
    hours: str


@routes.get("/staff/settings/messages", name="message_settings")
async def show(request: web.Request) -> web.Response:
    """For everyone to see, and for administrators to change."""
    return await _page(request, {})


@routes.post("/staff/settings/messages/routing", name="save_routing")
async def save_routing(request: web.Request) -> web.Response:
    """Who gets what, and by when."""
    staff = await session.at_work(request)
    form = await request.post()
    typed = [
        Route(
            category=category,
            team=reading.text(form, f"team_{category}"),
            hours=reading.text(form, f"hours_{category}"),
        )
        for category in Category
    ]
    teams = [line.strip() for line in reading.raw(form, "teams").splitlines() if line.strip()]
    asked = SaveRouting(
        visa=staff.visa,
        teams=tuple(teams),
        routing=tuple(
            Routing(
                category=Category(one.category),
                team=one.team,
                answer_within_hours=int(one.hours) if _is_number(one.hours) else 0,
            )
            for one in typed
        ),
    )
    try:
        return await _saved(request, asked)
    except Refused as refused:
        sentence = refused.worded(WORDS)
        errors = _at_fields(refused.code, typed, teams, sentence)
        return await _page(request, errors, routing=typed, teams="\n".join(teams))


@routes.post("/staff/settings/messages/templates", name="save_template")
async def save_template(request: web.Request) -> web.Response:
    """A prepared answer."""
    staff = await session.at_work(request)
    form = await request.post()
    name, text = reading.text(form, "name"), reading.raw(form, "text")
    asked = SaveTemplate(visa=staff.visa, template_id=reading.key(form), name=name, text=text)
    try:
        return await _saved(request, asked)
    except Refused as refused:
        field = "name" if refused.code == Refusal.NAME_MISSING else "text"
        typed = {"name": name, "text": text}
        return await _page(request, {field: refused.worded(WORDS)}, template=typed)


@routes.post("/staff/settings/messages/templates/{id}/delete", name="remove_template")
async def remove_template(request: web.Request) -> web.Response:
    """A prepared answer is gone."""
    staff = await session.at_work(request)
    asked = RemoveTemplate(visa=staff.visa, template_id=reading.path_id(request))
    return await _saved(request, asked)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4  # noqa: PLR2004


def _at_fields(code: str, typed: list[Route], teams: list[str], sentence: str) -> dict[str, str]:
    """The sentence at each field that it is about."""
    if code == Refusal.TEAM_UNKNOWN:
        return {f"team_{one.category}": sentence for one in typed if one.team not in teams}
    if code == Refusal.HOURS_IMPOSSIBLE:
        return {
            f"hours_{one.category}": sentence
            for one in typed
            if not _is_number(one.hours) or not 1 <= int(one.hours) <= 336  # noqa: PLR2004
        }
    return {"teams": sentence}


async def _saved(request: web.Request, asked: Request[Done]) -> web.Response:
    await ask(request.app[BROKER], asked)
    response = web.HTTPSeeOther(str(request.app.router["message_settings"].url_for()))
    shell.notice(response, "settings_saved")
    raise response


async def _page(
    request: web.Request,
    errors: dict[str, str],
    *,
    routing: list[Route] | None = None,
    teams: str | None = None,
    template: dict[str, str] | None = None,
) -> web.Response:
    staff = await session.at_work(request)
    chrome, shown = await asyncio.gather(
        shell.staff(request, staff, tab="messages"),
        ask(request.app[BROKER], ShowSettings(visa=staff.visa)),
    )
    return render(
        request,
        "staff/message_settings.html",
        chrome,
        administrator=staff.seat.role is Role.ADMINISTRATOR,
        routing=routing or _lines(shown),
        teams=teams if teams is not None else "\n".join(shown.teams),
        templates=shown.templates,
        prepared=template or {"name": "", "text": ""},
        errors=errors,
        status=400 if errors else 200,
    )


def _lines(shown: Settings) -> list[Route]:
    return [
        Route(category=one.category, team=one.team, hours=str(one.answer_within_hours))
        for one in shown.routing
    ]
