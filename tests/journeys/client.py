"""A browser without a window: cookies, forms and their hidden fields, and nothing else.

It knows the portal by its pages only. Where a page is away for a moment it tries again with the
very same form, as somebody would who presses the button once more.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any, Self

import aiohttp

from deploy.demo.people import PASSWORD
from tests.journeys.installation import Installation

PATIENCE = 60
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    text: str
    headers: Mapping[str, str]
    place: str
    """Where it leads, for a redirect; else its own address."""


class Client:
    """One person's browser."""

    def __init__(self, portal: Installation) -> None:
        self.portal = portal
        self.cookies: dict[str, str] = {}
        self._http = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=30)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def ask(self, method: str, address: str, **given: Any) -> Answer:
        """One request, as it is."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookies} if cookies else {}
        headers |= given.pop("headers", {})
        url = address if address.startswith("http") else self.portal.url + address
        async with self._http.request(
            method, url, headers=headers, allow_redirects=False, **given
        ) as answer:
            for name, morsel in answer.cookies.items():
                if morsel.value:
                    self.cookies[name] = morsel.value
                else:
                    self.cookies.pop(name, None)
            if answer.content_type == "text/event-stream":  # it never ends by itself
                body = await answer.content.readuntil(b"data: ")
                answer.close()
            else:
                body = await answer.read()
            return Answer(
                status=answer.status,
                text=body.decode("utf-8", "replace"),
                headers=answer.headers,
                place=answer.headers.get("Location", address),
            )

    async def get(self, address: str) -> Answer:
        """A page, following where it leads; again where it is away."""
        for _ in range(10):
            answer = await self._patiently("GET", address)
            if answer.status not in (302, 303):
                return answer
            address = answer.place
        raise AssertionError(f"{address} leads in circles")

    async def send(self, page: str, fields: Mapping[str, str], *, to: str = "") -> Answer:
        """The form of a page, with its hidden fields; the same form again where it is away."""
        shown = await self.get(page)
        hidden = {name: unescape(value) for name, value in HIDDEN.findall(shown.text)}
        return await self._patiently("POST", to or page, data=hidden | dict(fields))

    async def _patiently(self, method: str, address: str, **given: Any) -> Answer:
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    answer = await self.ask(method, address, **given)
                except (aiohttp.ClientError, ConnectionError):
                    answer = None
                if answer and answer.status != 503:
                    return answer
                await asyncio.sleep(0.3)

    async def log_in(
        self, email: str, born: tuple[int, int, int], password: str = PASSWORD
    ) -> Answer:
        """As a patient; the page after it."""
        answer = await self.send(
            "/login", {"email": email, "password": password} | date_fields(born)
        )
        assert answer.status == 303, answer.text
        return await self.get(answer.place)

    async def log_in_as_staff(self, email: str) -> Answer:
        """As a member of staff, with the one-time code; once per half minute and person."""
        fields = {"email": email, "password": PASSWORD, "code": self.portal.code(email)}
        answer = await self.send("/staff/login", fields)
        assert answer.status == 303, answer.text
        return await self.get(answer.place)


def date_fields(born: tuple[int, int, int], name: str = "date_of_birth") -> dict[str, str]:
    """The three fields of a date."""
    year, month, day = born
    return {f"{name}_year": str(year), f"{name}_month": str(month), f"{name}_day": str(day)}
