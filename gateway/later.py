"""Refusals that pass by themselves: what they are in HTTP, and when to come again.

RFC 6585, section 4, and RFC 9110, sections 10.2.3 and 15.6.4.
"""

from aiohttp import web

from libs.contracts.base import Refused
from libs.contracts.identity.refusals import Refusal

LATER: dict[str, tuple[type[web.HTTPException], str]] = {
    Refusal.TRY_LATER: (web.HTTPTooManyRequests, "900"),
    Refusal.BUSY: (web.HTTPServiceUnavailable, "10"),
}
"""The error of each, and the seconds until it makes sense to come again."""


def marked(page: web.Response, refused: Refused) -> web.Response:
    """The form again, as an answer that says when to send it again, if that is what is needed."""
    if refused.code in LATER:
        error, seconds = LATER[refused.code]
        page.set_status(error.status_code)
        page.headers["Retry-After"] = seconds
    return page


def check(refused: Refused) -> None:
    """Raise the refusal as an error page, if it is one that passes by itself."""
    if refused.code in LATER:
        error, seconds = LATER[refused.code]
        raise error(headers={"Retry-After": seconds})
