"""Passwords: forgotten, reset; and the address that confirms itself."""

import re
from collections.abc import Iterable

from aiohttp import web

from gateway import later, protection, reading, shell
from gateway.rendering import render
from libs.contracts.base import Refused
from libs.contracts.identity.addresses import ConfirmEmail
from libs.contracts.identity.passwords import (
    ForgotPassword,
    PasswordRule,
    ResetPassword,
    RuleMet,
    ShowResetLink,
)
from libs.contracts.identity.refusals import Refusal
from libs.runtime.broker import BROKER, ask

RULES: dict[PasswordRule, str] = {
    PasswordRule.LENGTH: "8 characters or more",
    PasswordRule.UPPERCASE: "a capital letter",
    PasswordRule.LOWERCASE: "a small letter",
    PasswordRule.NUMBER: "a number",
    PasswordRule.SPECIAL: "a symbol, such as ! or ?",
    PasswordRule.NOT_COMMON: "not a password that many people use",
    PasswordRule.NOT_PERSONAL: "not made of your name, email or date of birth",
}
"""The rules that a page shows, in its order."""
BROKEN: dict[PasswordRule, str] = {
    PasswordRule.LENGTH: "Your password needs 8 characters or more.",
    PasswordRule.UPPERCASE: "Your password needs a capital letter.",
    PasswordRule.LOWERCASE: "Your password needs a small letter.",
    PasswordRule.NUMBER: "Your password needs a number.",
    PasswordRule.SPECIAL: "Your password needs a symbol, such as ! or ?",
    PasswordRule.NOT_COMMON: "Many people use this password, so it is easy to guess. Choose another.",
    PasswordRule.NOT_PERSONAL: "Leave your name, email and date of birth out of your password.",
    PasswordRule.TOO_LONG: "Your password can have up to 256 characters.",
    PasswordRule.CONFIRMED: "The two passwords are not the same. Type them again.",
}  # fmt: skip
LINK_ENDED = {
    Refusal.LINK_EXPIRED,
    Refusal.LINK_VOID,
    Refusal.LINK_USED,
    Refusal.LINK_UNKNOWN,
    Refusal.LINK_LOCKED,
}
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
WITHIN = 8

routes = web.RouteTableDef()


@routes.get("/forgot-password", name="forgot_password")
async def show_forgot_password(request: web.Request) -> web.Response:
    chrome = await shell.door(request)
    return render(request, "door/forgot_password.html", chrome, form={}, problem="")


@routes.post("/forgot-password")
async def forgot_password(request: web.Request) -> web.Response:
    """The page says the same for every address; what is none is said to be none."""
    form = await request.post()
    email = reading.text(form, "email")
    if not ADDRESS.fullmatch(email):
        return render(
            request,
            "door/forgot_password.html",
            await shell.door(request),
            form=form,
            problem="Enter your email address, like name@example.com.",
            status=400,
        )
    asked = ForgotPassword(email=email, source=protection.source(request))
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        later.check(refused)
        raise
    return render(request, "door/reset_link_sent.html", await shell.door(request))


@routes.get("/reset-password/{token}", name="reset_password")
async def show_reset(request: web.Request) -> web.Response:
    """Looking at the page never uses the link up."""
    try:
        link = await ask(request.app[BROKER], ShowResetLink(token=request.match_info["token"]))
    except Refused:
        return await _ended(request)
    return render(
        request,
        "door/reset_password.html",
        await shell.door(request),
        expires_at=link.expires_at,
        errors={},
        rules={},
    )


@routes.post("/reset-password/{token}")
async def reset_password(request: web.Request) -> web.Response:
    """A new password ends every session and every wait."""
    form = await request.post()
    asked = ResetPassword(
        token=request.match_info["token"],
        password=reading.raw(form, "password"),
        confirm_password=reading.raw(form, "confirm_password"),
        source=protection.source(request),
    )
    try:
        answer = await ask(request.app[BROKER], asked, within=WITHIN)
    except Refused as refused:
        if refused.code in LINK_ENDED:
            return await _ended(request)
        later.check(refused)
        raise
    if answer.accepted:
        response = web.HTTPSeeOther(request.app.router["login"].url_for())
        shell.notice(response, "password_reset")
        raise response
    return render(
        request,
        "door/reset_password.html",
        await shell.door(request),
        expires_at=None,
        errors=errors_of(answer.rules),
        rules=rules_shown(answer.rules),
        status=400,
    )


@routes.get("/confirm-email/{token}", name="confirm_email")
async def show_confirmation(request: web.Request) -> web.Response:
    """A button, so that no mail scanner confirms by looking."""
    return render(
        request,
        "door/confirm_email.html",
        await shell.door(request),
        token=request.match_info["token"],
    )


@routes.post("/confirm-email/{token}")
async def confirm_email(request: web.Request) -> web.Response:
    asked = ConfirmEmail(token=request.match_info["token"], source=protection.source(request))
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        later.check(refused)
        return await _ended(request)
    response = web.HTTPSeeOther(request.app.router["login"].url_for())
    shell.notice(response, "email_changed")
    raise response


def rules_shown(rules: Iterable[RuleMet]) -> dict[str, bool]:
    """Each rule of the list, met or not."""
    return {met.rule: met.met for met in rules if met.rule in RULES}


def errors_of(rules: Iterable[RuleMet]) -> dict[str, str]:
    """The first broken rule in words, at the field that it is about."""
    broken = [met.rule for met in rules if not met.met]
    about_first = [rule for rule in broken if rule is not PasswordRule.CONFIRMED]
    if about_first:
        return {"password": " ".join(BROKEN[rule] for rule in about_first)}
    return {"confirm_password": BROKEN[PasswordRule.CONFIRMED]} if broken else {}


async def _ended(request: web.Request) -> web.Response:
    return render(request, "door/reset_link_ended.html", await shell.door(request), status=410)
