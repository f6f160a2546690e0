"""Send Record: to anybody, locked with a password; and what became of what was sent."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from multidict import MultiDict
from xkcdpass import xkcd_password

from gateway import health_link, proving, reading, session, shell, wording
from gateway.pages.download import choose, parts_of, quick
from gateway.protection import CONFIG
from gateway.rendering import render
from gateway.session import Acting
from libs.contracts.base import Refused
from libs.contracts.records.exports import CountSelection
from libs.contracts.records.refusals import Refusal
from libs.contracts.records.sending import (
    DAYS,
    NOTES_LIMIT,
    OPEN_AT_ONCE,
    ListSendings,
    RevokeSending,
    SendingState,
    SendRecord,
)
from libs.contracts.visa import Limit
from libs.runtime.broker import BROKER, ask
from libs.runtime.clock import utcnow
from libs.strength import Strength, strength

WORDS: dict[str, str] = {
    Refusal.EMAIL_MISSING: "Enter the recipient’s email address, like name@example.com.",
    Refusal.EMAIL_NOT_USABLE: "Enter the recipient’s email address, like name@example.com.",
    Refusal.PASSWORD_TOO_SHORT: "The password needs 12 characters or more.",
    Refusal.PASSWORD_GUESSABLE: "This password is easily guessed. Use several words that do not "
    "belong together, or the password that we suggest.",
    Refusal.PASSWORD_NOT_USABLE: "Use a password of up to 200 letters, numbers and symbols.",
    Refusal.NOTES_TOO_LONG: "Shorten your notes to 1,000 characters.",
    Refusal.NOTES_NOT_USABLE: "There are characters in your notes that can’t be sent.",
    Refusal.TOO_MANY_SENDINGS: f"{OPEN_AT_ONCE} sent records are open at this moment. Take one back "
    "below, or wait until one expires.",
    Refusal.BUSY: "We are very busy at this moment. Try again in a few seconds.",
}
FIELD = {
    Refusal.PASSWORD_TOO_SHORT: "record_password",
    Refusal.PASSWORD_GUESSABLE: "record_password",
    Refusal.PASSWORD_NOT_USABLE: "record_password",
    Refusal.NOTES_TOO_LONG: "notes",
    Refusal.NOTES_NOT_USABLE: "notes",
}
"""Where a refusal is shown; at the address, unless said otherwise."""
TYPED = {"recipient_email", "notes", "record_password", "days"}
"""No address fills these in."""
TIMES = {"7": "7 days", "14": "14 days", "30": "30 days"}
"""How long a link may work."""
STRENGTHS = {
    Strength.GUESSABLE: "Easily guessed. Choose another.",
    Strength.WEAK: "Weak. A longer one is safer.",
    Strength.GOOD: "Good.",
    Strength.STRONG: "Strong.",
}
WORDS_OF_A_PHRASE = 5
SENDING = 15
"""Seconds: messages are asked for and the password becomes a key meanwhile."""

routes = web.RouteTableDef()


@routes.get("/p/{patient}/health/send", name="send")
async def send(request: web.Request) -> web.Response:
    """The form, with how much would go, and the list of what was sent."""
    acting = await _acting(request)
    return await _page(request, acting, form=_selection(request.query), errors={})


@routes.post("/p/{patient}/health/send")
async def send_off(request: web.Request) -> web.Response:
    """It is locked and packed; the letter goes out once all of it is there."""
    acting = await _acting(request)
    form = await request.post()
    chosen = choose(form, parts_of(acting))
    if reading.ticked(form, "count"):
        return await _page(request, acting, form=form, errors=chosen.problems)
    errors = chosen.problems or await proving.proven_with(request, acting.person, form)
    if errors := errors or _own_password(form):
        return await _page(request, acting, form=form, errors=errors)
    acting = await _acting(request)
    days = reading.text(form, "days")
    asked = SendRecord(
        visa=acting.visa,
        passport=acting.person.session.passport,
        patient_id=acting.patient_id,
        key=reading.key(form),
        recipient=reading.text(form, "recipient_email"),
        selection=chosen.selection,
        notes=reading.raw(form, "notes"),
        password=reading.raw(form, "record_password"),
        days=int(days) if days in TIMES else DAYS,
    )
    try:
        sent = await ask(request.app[BROKER], asked, within=SENDING)
    except Refused as refused:
        if refused.code == Refusal.PROOF_NEEDED:
            errors = proving.explained(refused)
        else:
            field = FIELD.get(Refusal(refused.code), "recipient_email")
            errors = {field: refused.worded(WORDS)}
        return await _page(request, acting, form=form, errors=errors)
    there = request.app.router["send"].url_for(patient=str(acting.patient_id))
    raise web.HTTPSeeOther(there.with_query({"sent": str(sent.sending_id)}))


def _own_password(form: Mapping[str, Any]) -> dict[str, str]:
    """The problem with a password that was typed as one's own beside it."""
    own, chosen = (reading.raw(form, name) for name in ("proof_password", "record_password"))
    if not own or own != chosen:
        return {}
    return {"record_password": "This is the password that you log in with. Choose another."}


@routes.post("/p/{patient}/health/send/strength", name="password_strength")
async def show_strength(request: web.Request) -> web.Response:
    """How strong the password is that somebody is typing, in words."""
    acting = await _acting(request)
    form = await request.post()
    known = [reading.text(form, "recipient_email")]
    if person := await shell.whose(request, acting.access):
        known.append(f"{person.given} {person.family}")
    return web.Response(text=STRENGTHS[strength(reading.raw(form, "record_password"), known)])


@routes.get("/p/{patient}/health/sent/{id}/link", name="sent_link")
async def show_link(request: web.Request) -> web.Response:
    """What was sent as a SMART Health Link, for a recipient whose software takes it."""
    acting = await session.acting(request, Limit.SENDING)
    listed = ListSendings(visa=acting.visa, patient_id=acting.patient_id)
    chrome, sent = await asyncio.gather(
        shell.record(request, acting, tab="health", named=True),
        ask(request.app[BROKER], listed),
    )
    sending_id = reading.path_id(request)
    one = next((one for one in sent.sendings if one.sending_id == sending_id), None)
    if one is None or not one.token:
        raise web.HTTPNotFound
    link = health_link.link(
        request.app[CONFIG].public_url,
        one.token,
        one.link_key,
        expires_at=one.expires_at,
        practice=chrome.practice.name if chrome.practice else "",
    )
    return render(request, "sending/link.html", chrome, sending=one, link=link)


@routes.post("/p/{patient}/health/sent/{id}/revoke", name="revoke_sending")
async def revoke(request: web.Request) -> web.Response:
    """From here on the link opens nothing."""
    acting = await session.acting(request, Limit.SENDING)
    asked = RevokeSending(
        visa=acting.visa, patient_id=acting.patient_id, sending_id=reading.path_id(request)
    )
    await ask(request.app[BROKER], asked)
    there = request.app.router["send"].url_for(patient=str(acting.patient_id))
    response = web.HTTPSeeOther(there.with_fragment("sent"))
    shell.notice(response, "sending_revoked")
    raise response


def _selection(query: Mapping[str, str]) -> Mapping[str, str]:
    """What an address may fill in: dates and parts. Recipient and password are typed by the sender,
    not by whoever made the link that brought them here.
    """
    return MultiDict((name, value) for name, value in query.items() if name not in TYPED)


async def _acting(request: web.Request) -> Acting:
    """Whoever may send this record, or some of it."""
    acting = await session.acting(request, Limit.SENDING)
    parts_of(acting)
    return acting


async def _page(
    request: web.Request, acting: Acting, *, form: Mapping[str, Any], errors: dict[str, str]
) -> web.Response:
    chosen = choose(form, parts_of(acting))
    counted = CountSelection(
        visa=acting.visa, patient_id=acting.patient_id, selection=chosen.selection
    )
    listed = ListSendings(visa=acting.visa, patient_id=acting.patient_id)
    chrome, count, sent = await asyncio.gather(
        shell.record(request, acting, tab="health", named=True),
        ask(request.app[BROKER], counted, within=SENDING),
        ask(request.app[BROKER], listed),
    )
    just = next(
        (one for one in sent.sendings if str(one.sending_id) == request.query.get("sent")), None
    )
    suggestion = _suggestion(form)
    response = render(
        request,
        "sending/index.html",
        chrome,
        chosen=chosen.selection,
        parts=parts_of(acting),
        count=count,
        form=form,
        quick=quick(utcnow().astimezone(wording.zone_named(chrome.time_zone)).date()),
        times=TIMES,
        suggestion=suggestion,
        strength=STRENGTHS[strength(suggestion)],
        longest=NOTES_LIMIT,
        proof=proving.proof_for(acting.person),
        sendings=sent.sendings,
        just=just,
        errors=errors,
        status=400 if errors else 200,
    )
    if any(one.state is SendingState.PACKING for one in sent.sendings) and just:
        response.headers["Refresh"] = "3"
    return response


def _suggestion(form: Mapping[str, Any]) -> str:
    """Five words that are easily said by phone: 64 bits by chance (EFF's long list)."""
    if typed := reading.raw(form, "record_password"):
        return typed
    made: str = xkcd_password.generate_xkcdpassword(
        _WORDS, numwords=WORDS_OF_A_PHRASE, delimiter="-"
    )
    return made


_WORDS = xkcd_password.generate_wordlist(
    wordfile=xkcd_password.locate_wordfile("eff-long"), min_length=4, max_length=7
)
