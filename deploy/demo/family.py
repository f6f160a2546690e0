"""The demo patient lets her daughter in, each in a browser of their own."""

import re
from collections.abc import Awaitable, Callable

from deploy.demo.browser import Browser
from deploy.demo.people import PASSWORD, Person

RECORD = re.compile(r"/p/[0-9a-f-]{36}")


async def let_in(
    url: str, patient: Person, daughter: Person, *, token: Callable[[], Awaitable[str]]
) -> None:
    """Invited and accepted, unless that was done before somebody interrupted us."""
    async with Browser(url) as hers, Browser(url) as daughters:
        await logs_in(hers, patient)
        record = RECORD.search(await hers.see("/"))
        assert record  # noqa: S101  (her own page has links to itself)
        users = f"{record[0]}/users"
        listed = await hers.see(users)
        if "Has access" in listed:
            return
        if daughter.email not in listed:
            fields = {"email": daughter.email, "access": "full"} | born(daughter)
            await hers.send(users, fields, to=f"{users}/invite")
        await logs_in(daughters, daughter)
        accept = f"/invitations/{await token()}"
        await daughters.send(accept, {"terms": "yes"} | born(daughter))


async def logs_in(browser: Browser, who: Person) -> None:
    """With what everybody of the demo logs in with."""
    await browser.send("/login", {"email": who.email, "password": PASSWORD} | born(who))


def born(who: Person) -> dict[str, str]:
    """A date of birth, as a form brings it."""
    day = who.birth_date
    return {
        "date_of_birth_year": str(day.year),
        "date_of_birth_month": str(day.month),
        "date_of_birth_day": str(day.day),
    }
