"""A browser without a window: pages, forms and cookies, and nothing else."""

import re
from collections.abc import Mapping
from html import unescape
from types import TracebackType
from typing import Self

import aiohttp

from deploy.problem import Problem

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


class Browser:
    """One person at the portal, whose forms are sent as they stand."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._cookies: dict[str, str] = {}
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.close()

    async def see(self, address: str) -> str:
        """A page, wherever it leads."""
        status, text = await self.ask("GET", address)
        while status == 303:  # noqa: PLR2004
            status, text = await self.ask("GET", text)
        return text

    async def send(self, page: str, fields: Mapping[str, str], *, to: str = "") -> str:
        """A page's form, with its hidden fields; where it leads."""
        hidden = await self.hidden(page)
        status, text = await self.ask("POST", to or page, {**hidden, **fields})
        if status != 303:  # noqa: PLR2004
            raise Problem(f"The form {to or page} was answered with {status}.")
        return text

    async def hidden(self, page: str) -> dict[str, str]:
        """The fields that a page's form has beside what is typed."""
        return {name: unescape(value) for name, value in HIDDEN.findall(await self.see(page))}

    @property
    def cookies(self) -> str:
        """As they are sent."""
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    async def ask(
        self, method: str, address: str, form: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """The status, and the page, or the address that it leads to."""
        async with self._http.request(
            method,
            self._url + address,
            data=form,
            headers={"Cookie": self.cookies},
            allow_redirects=False,
        ) as answer:
            self._cookies |= {name: one.value for name, one in answer.cookies.items()}
            place = answer.headers.get("Location", "")
            return answer.status, place or await answer.text()
