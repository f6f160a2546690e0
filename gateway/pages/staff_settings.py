"""Practice settings: what the practice says of itself on its pages and in its letters."""

import asyncio
from dataclasses import asdict, dataclass
from functools import cache
from zoneinfo import available_timezones

from aiohttp import web

from gateway import reading, session, shell
from gateway.rendering import render
from libs.contracts.base import Refused
from libs.contracts.identity.practices import (
    RESOURCES_AT_MOST,
    Link,
    SavePractice,
    ShowPracticeSettings,
)
from libs.contracts.identity.refusals import Refusal
from libs.contracts.visa import Role
from libs.runtime.broker import BROKER, ask

WORDS: dict[str, str] = {
    Refusal.PRACTICE_NAME_MISSING: "Enter the name that your patients know you by.",
    Refusal.PHONE_MISSING: "Enter the number that patients call.",
    Refusal.EMERGENCY_MISSING: "Say what to do in an emergency.",
    Refusal.EMAIL_NOT_USABLE: "Enter an email address, like desk@example.com.",
    Refusal.TOO_LONG: "This is too long. A line can have up to 200 characters.",
    Refusal.TIME_ZONE_UNKNOWN: "Choose a time zone from the list.",
    Refusal.RESOURCE_NOT_USABLE: "Each resource has a title, and an address that begins with https://.",
    Refusal.TOO_MANY_RESOURCES: "There can be up to 20 resources.",
}
FIELD = {
    Refusal.PRACTICE_NAME_MISSING: "name",
    Refusal.PHONE_MISSING: "phone",
    Refusal.EMERGENCY_MISSING: "emergency",
    Refusal.EMAIL_NOT_USABLE: "contact_email",
    Refusal.TIME_ZONE_UNKNOWN: "time_zone",
    Refusal.RESOURCE_NOT_USABLE: "resources",
    Refusal.TOO_MANY_RESOURCES: "resources",
}
"""Where a refusal is shown; at the name, unless said otherwise."""
EMPTY_LINES = 3
"""Lines of the form for resources that are not there yet."""

routes = web.RouteTableDef()


@dataclass(frozen=True, kw_only=True)
class Typed:
    """The form, as it is filled in."""

    name: str
    phone: str
    address: str
    hours: str
    emergency: str
    time_zone: str
    contact_email: str
    resources: tuple[Link, ...]

    @property
    def lines(self) -> tuple[Link, ...]:
        """What there is, and room for more."""
        room = min(EMPTY_LINES, RESOURCES_AT_MOST - len(self.resources))
        return (*self.resources, *(Link(title="", url="") for _ in range(room)))


@routes.get("/staff/settings", name="settings")
async def show(request: web.Request) -> web.Response:
    """For everyone to see, and for administrators to change."""
    return await _page(request, await session.at_work(request))


@routes.post("/staff/settings", name="save_settings")
async def save(request: web.Request) -> web.Response:
    staff = await session.at_work(request)
    typed = _typed(await request.post())
    asked = SavePractice(visa=staff.visa, **asdict(typed) | {"resources": typed.resources})
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        if refused.code not in WORDS:
            raise
        errors = {FIELD.get(Refusal(refused.code), "name"): refused.worded(WORDS)}
        return await _page(request, staff, typed=typed, errors=errors)
    request.app[session.DESK].practices.forget(staff.seat.practice_id)
    response = web.HTTPSeeOther(str(request.app.router["settings"].url_for()))
    shell.notice(response, "settings_saved")
    raise response


def _typed(form: reading.Form) -> Typed:
    links = (
        Link(
            title=reading.text(form, f"title_{number}"),
            url=reading.text(form, f"url_{number}"),
            about=reading.text(form, f"about_{number}"),
        )
        for number in range(RESOURCES_AT_MOST + EMPTY_LINES)
    )
    return Typed(
        name=reading.text(form, "name"),
        phone=reading.text(form, "phone"),
        address=reading.text(form, "address"),
        hours=reading.text(form, "hours"),
        emergency=reading.text(form, "emergency"),
        time_zone=reading.text(form, "time_zone"),
        contact_email=reading.text(form, "contact_email"),
        resources=tuple(link for link in links if link.title or link.url or link.about),
    )


async def _page(
    request: web.Request,
    staff: session.AtWork,
    *,
    typed: Typed | None = None,
    errors: dict[str, str] | None = None,
) -> web.Response:
    chrome, shown = await asyncio.gather(
        shell.staff(request, staff, tab="settings"),
        ask(request.app[BROKER], ShowPracticeSettings(visa=staff.visa)),
    )
    kept = shown.practice
    now = Typed(
        name=kept.name,
        phone=kept.phone,
        address=kept.address,
        hours=kept.hours,
        emergency=kept.emergency,
        time_zone=kept.time_zone,
        contact_email=shown.contact_email,
        resources=kept.resources,
    )
    return render(
        request,
        "staff/settings.html",
        chrome,
        typed=typed or now,
        zones=_zones(kept.time_zone),
        administrator=staff.seat.role is Role.ADMINISTRATOR,
        errors=errors or {},
        status=400 if errors else 200,
    )


@cache
def _zones(own: str) -> tuple[str, ...]:
    """Every place that has a time of its own, and what the practice has now."""
    places = {zone for zone in available_timezones() if "/" in zone}
    places = {zone for zone in places if not zone.startswith(("Etc/", "SystemV/", "US/"))}
    return tuple(sorted(places | {"UTC", own}))
