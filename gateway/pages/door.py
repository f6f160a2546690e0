"""Coming in and going out."""

from aiohttp import web

from gateway import carrying, later, protection, reading, session, shell
from gateway.rendering import render
from libs.contracts.base import Refused
from libs.contracts.identity.factors import BeginPasskeyLogIn
from libs.contracts.identity.logging_in import LogIn, LogInStaff, SessionOpened
from libs.contracts.identity.refusals import Refusal
from libs.runtime.broker import BROKER, Unavailable, ask

WORDS: dict[str, str] = {
    Refusal.NOT_RECOGNISED: "We could not log you in with these details. Check each of them and try again.",
    Refusal.CODE_NEEDED: "Enter your password again, and the code from your authenticator app or a recovery code.",
    Refusal.TRY_LATER: "There have been too many tries. Wait 15 minutes, or choose Forgot password "
    "and use the link that we send you.",
    Refusal.BUSY: "Many people are logging in at this moment. Try again in a few seconds.",
}  # fmt: skip
LOG_IN_WITHIN = 8
"""Seconds; checking a password takes a while, and there may be a queue."""

LONGEST_ANSWER = 20_000
"""Characters of what a browser says of a passkey."""

routes = web.RouteTableDef()


@routes.get("/login", name="login")
async def login(request: web.Request) -> web.Response:
    """The door for patients, family members and caregivers."""
    if await session.find(request):
        raise web.HTTPSeeOther("/")
    return await _door(request, "door/login.html")


@routes.post("/login")
async def log_in(request: web.Request) -> web.Response:
    """Three things have to fit; the answer never says which one did not."""
    form = await request.post()
    asked = LogIn(
        email=reading.text(form, "email"),
        password=reading.raw(form, "password"),
        date_of_birth=reading.day(form, "date_of_birth"),
        code=reading.text(form, "code"),
        passkey=_passkey(form),
        source=protection.source(request),
        device=reading.device(request),
        earlier_session=_earlier(request),
    )
    try:
        opened = await ask(request.app[BROKER], asked, within=LOG_IN_WITHIN)
    except Refused as refused:
        return await _refused(request, "door/login.html", refused)
    return await _welcome(request, opened)


@routes.get("/staff/login", name="staff_login")
async def staff_login(request: web.Request) -> web.Response:
    """The door for the care team and the front desk."""
    person = await session.find(request)
    if person and person.session.seat:
        raise web.HTTPSeeOther("/staff")
    return await _door(request, "door/staff_login.html")


@routes.post("/staff/login")
async def log_in_staff(request: web.Request) -> web.Response:
    """E-mail, password and a one-time code."""
    form = await request.post()
    asked = LogInStaff(
        email=reading.text(form, "email"),
        password=reading.raw(form, "password"),
        code=reading.text(form, "code").replace(" ", ""),
        passkey=_passkey(form),
        source=protection.source(request),
        device=reading.device(request),
        earlier_session=_earlier(request),
    )
    try:
        opened = await ask(request.app[BROKER], asked, within=LOG_IN_WITHIN)
    except Refused as refused:
        return await _refused(request, "door/staff_login.html", refused)
    return await _welcome(request, opened)


@routes.post("/logout", name="logout")
async def log_out(request: web.Request) -> web.Response:
    """The session is over, here and everywhere."""
    person = await session.find(request)
    page = "/staff/login" if person and person.session.seat else "/login"
    response = web.HTTPSeeOther(page)
    shell.notice(response, "logged_out")
    await session.end(request, response)
    raise response


async def _door(request: web.Request, template: str) -> web.Response:
    return render(
        request,
        template,
        await shell.door(request),
        form={},
        problem="",
        code_wanted=False,
        passkey_options="",
        kept=None,
    )


async def _refused(request: web.Request, template: str, refused: Refused) -> web.Response:
    """The page again with what was typed, except the password."""
    form = await request.post()
    page = render(
        request,
        template,
        await shell.door(request),
        form={name: value for name, value in form.items() if name != "password"},
        problem=refused.worded(WORDS),
        code_wanted=refused.code == Refusal.CODE_NEEDED,
        passkey_options=await _options(request) if refused.code == Refusal.CODE_NEEDED else "",
        kept=carrying.kept_in(form),
        status=400,
    )
    return later.marked(page, refused)


async def _options(request: web.Request) -> str:
    """What a browser needs to show a passkey; codes remain where there are none."""
    try:
        asked = BeginPasskeyLogIn(source=protection.source(request))
        return (await ask(request.app[BROKER], asked)).options
    except (Refused, Unavailable):
        return ""


def _passkey(form: reading.Form) -> str:
    said = reading.whole(form, "passkey")
    return said if len(said) <= LONGEST_ANSWER else ""


def _earlier(request: web.Request) -> bytes:
    token = request.cookies.get(session.COOKIE)
    return session.hash_of(token) if token else b""


async def _welcome(request: web.Request, opened: SessionOpened) -> web.Response:
    """To the page that was asked for, or on with what was written before."""
    if kept := carrying.kept_in(await request.post()):
        request[protection.BEGUN] = opened.token
        page = render(request, "door/go_on.html", await shell.door(request), kept=kept)
        session.begin(page, opened.token)
        return page
    way = reading.way_back(request)
    response = web.HTTPSeeOther("/staff" if opened.staff and way == "/" else way)
    session.begin(response, opened.token)
    raise response
