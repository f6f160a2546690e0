"""Two-step verification: set up, moved to another app, turned off; and recovery codes."""

from uuid import UUID

from aiohttp import web

from gateway import proving, reading, session, shell
from gateway.rendering import render
from libs.contracts.base import Refused
from libs.contracts.identity.factors import (
    AddPasskey,
    BeginCode,
    BeginPasskey,
    ConfirmCode,
    RecoveryCodes,
    RemovePasskey,
    RenewRecoveryCodes,
    ShowFactors,
    TurnOffCode,
)
from libs.contracts.identity.refusals import Refusal
from libs.runtime.broker import BROKER, ask

WORDS: dict[str, str] = proving.WORDS | {
    Refusal.WRONG_CODE: "This code does not fit. Wait for the next one, and see that the clock of your phone is right.",
    Refusal.PASSKEY_NOT_TAKEN: "A passkey can't be added here. There may be ten already.",
    Refusal.CODE_REQUIRED: "As a member of staff you can't turn this off.",
}
OTPAUTH = "otpauth://totp/"
LONGEST_ANSWER = 20_000
"""Characters of what a browser says of a passkey."""

routes = web.RouteTableDef()


@routes.get("/account/two-step", name="two_step")
async def two_step(request: web.Request) -> web.Response:
    return await _page(request)


@routes.post("/account/two-step")
async def change(request: web.Request) -> web.Response:
    """One of what the page offers, for whoever proves once more who they are."""
    person = await session.signed_in(request)
    form = await request.post()
    if errors := await proving.prove(request, person, form):
        return await _page(request, errors=errors)
    try:
        match reading.text(form, "do"):
            case "renew":
                asked = RenewRecoveryCodes(session=person.token_hash)
                return await _codes(request, await ask(request.app[BROKER], asked))
            case "passkey":
                shown = await ask(request.app[BROKER], BeginPasskey(session=person.token_hash))
                return await _passkey(request, shown.options)
            case removed if removed.startswith("remove "):
                await _remove(request, person, removed.removeprefix("remove "))
                raise _back(request, "passkey_removed")
            case "off":
                await ask(request.app[BROKER], TurnOffCode(session=person.token_hash))
                session.renew(request)
                raise _back(request, "two_step_off")
            case _:
                begun = await ask(request.app[BROKER], BeginCode(session=person.token_hash))
                return await _setup(request, begun.enrolment)
    except Refused as refused:
        return await _page(request, errors={proving.PASSWORD: refused.worded(WORDS)})


@routes.post("/account/two-step/confirm", name="confirm_two_step")
async def confirm(request: web.Request) -> web.Response:
    """A code of the new key shows that the app has it."""
    person = await session.signed_in(request)
    form = await request.post()
    enrolment = reading.text(form, "enrolment")
    if not enrolment.startswith(OTPAUTH):
        raise web.HTTPNotFound
    asked = ConfirmCode(session=person.token_hash, code=reading.text(form, "code"))
    try:
        codes = await ask(request.app[BROKER], asked)
    except Refused as refused:
        if refused.code in (Refusal.WRONG_CODE, Refusal.TRY_LATER):
            return await _setup(request, enrolment, problem=refused.worded(WORDS))
        raise _back(request, "two_step_again") from None
    session.renew(request)
    return await _codes(request, codes)


@routes.post("/account/two-step/passkey", name="add_passkey")
async def add_passkey(request: web.Request) -> web.Response:
    """What the browser has made."""
    person = await session.signed_in(request)
    form = await request.post()
    said = reading.whole(form, "passkey")
    asked = AddPasskey(
        session=person.token_hash,
        passkey=said if len(said) <= LONGEST_ANSWER else "",
        name=reading.text(form, "name"),
    )
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        if refused.code not in (Refusal.PASSKEY_NOT_TAKEN, Refusal.PROOF_NEEDED):
            raise
        raise _back(request, "passkey_not_taken") from None
    raise _back(request, "passkey_added")


async def _remove(request: web.Request, person: session.SignedIn, named: str) -> None:
    try:
        passkey_id = UUID(named)
    except ValueError:
        raise web.HTTPNotFound from None
    asked = RemovePasskey(session=person.token_hash, passkey_id=passkey_id)
    await ask(request.app[BROKER], asked)


def _back(request: web.Request, notice: str) -> web.HTTPSeeOther:
    response = web.HTTPSeeOther(request.app.router["two_step"].url_for())
    shell.notice(response, notice)
    return response


async def _passkey(request: web.Request, options: str) -> web.Response:
    person = await session.signed_in(request)
    chrome = await shell.person(request, person)
    return render(request, "account/passkey.html", chrome, options=options)


async def _page(request: web.Request, errors: dict[str, str] | None = None) -> web.Response:
    session.renew(request)
    person = await session.signed_in(request)
    shown = await ask(request.app[BROKER], ShowFactors(session=person.token_hash))
    return render(
        request,
        "account/two_step.html",
        await shell.person(request, person),
        factors=shown,
        proof=proving.proof_for(person, always=True),
        errors=errors or {},
        status=400 if errors else 200,
    )


async def _setup(request: web.Request, enrolment: str, problem: str = "") -> web.Response:
    person = await session.signed_in(request)
    return render(
        request,
        "account/two_step_setup.html",
        await shell.person(request, person),
        enrolment=enrolment,
        problem=problem,
        status=400 if problem else 200,
    )


async def _codes(request: web.Request, told: RecoveryCodes) -> web.Response:
    """Shown this once."""
    session.renew(request)
    person = await session.signed_in(request)
    return render(
        request,
        "account/recovery_codes.html",
        await shell.person(request, person),
        codes=told.codes,
    )
