"""Somebody at the portal without a browser: each request with all that they have, and no more."""

import asyncio
import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self
from uuid import uuid4

import aiohttp
from aiohttp import FormData

from tests.policy.addressing import WITH_FILES
from tests.policy.policy import Page
from tests.policy.world import Actor

AT_ONCE = 12
VARYING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}|[0-9a-f]{16}|value=\"[^\"]*\"|data-idle=\"\d+",
    re.IGNORECASE,
)
"""What differs from one answer to the next: ids, proofs, keys, and how long a session has."""
DOORS = ("/login", "/staff/login")
BUNDLE = b'{"resourceType": "Bundle", "type": "collection", "entry": []}'


@dataclass(frozen=True, kw_only=True)
class Question:
    """One request of one actor, and what the policy says of it."""

    actor: Actor
    page: Page
    address: str
    fields: Mapping[str, str]
    cell: str = ""
    owner: str = ""
    proven: bool = True
    """Whether a form brings its page's proof."""
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.actor.name}: {self.page} ({self.owner or 'mixed'}) [{self.cell}]"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of it."""

    status: int
    text: str
    place: str
    cookies: tuple[str, ...]
    headers: Mapping[str, str]

    @property
    def at_the_door(self) -> bool:
        """Led to a door, or shown one with what was written kept in it."""
        return (self.status == 303 and self.place.startswith(DOORS)) or (
            self.status == 401 and 'name="password"' in self.text
        )

    @property
    def everything(self) -> str:
        return "\n".join((self.text, self.place, *self.cookies))

    @property
    def likeness(self) -> tuple[int, str, str, frozenset[str]]:
        """The same for two answers that nobody can tell apart."""
        place = VARYING.sub("#", self.place)
        return self.status, VARYING.sub("#", self.text), place, frozenset(self.headers)


class Asker:
    """All of them, at one portal; so many requests at a time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._http = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=60)
        )
        self.asked = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def ask_all(self, questions: Iterable[Question]) -> list[tuple[Question, Answer]]:
        """Every question with its answer, in their order."""
        listed = list(questions)
        answers = await asyncio.gather(*(self.ask(question) for question in listed))
        return list(zip(listed, answers, strict=True))

    async def ask(self, question: Question) -> Answer:
        async with self._turn:
            self.asked += 1
            cookie, secret = _cookie(question.actor)
            headers = {"Cookie": cookie} | dict(question.headers)
            if question.actor.key:
                headers["Authorization"] = f"Bearer {question.actor.key}"
            data: FormData | bytes | None = None
            if question.page.method == "POST":
                data = _body(question, secret)
                if isinstance(data, bytes):
                    headers["Content-Type"] = "application/fhir+json"
            async with self._http.request(
                question.page.method,
                self._url + question.address,
                headers=headers,
                data=data,
                allow_redirects=False,
            ) as answer:
                if answer.content_type == "text/event-stream":  # it never ends by itself
                    body = await answer.content.readuntil(b"data: ")
                    body += await answer.content.readline()
                    answer.close()
                else:
                    body = await answer.read()
                return Answer(
                    status=answer.status,
                    text=body.decode("utf-8", "replace"),
                    place=answer.headers.get("Location", ""),
                    cookies=tuple(answer.headers.getall("Set-Cookie", [])),
                    headers=answer.headers,
                )


def _cookie(actor: Actor) -> tuple[str, str]:
    """The cookies that they have, and the secret that their forms are bound to."""
    if actor.token:
        return f"__Host-session={actor.token}", actor.token
    visit = f"visit-of-{actor.name.replace(' ', '-')}"
    return f"__Host-visit={visit}", visit


def _body(question: Question, secret: str) -> FormData | bytes:
    if question.page.path.startswith("/api/"):
        return BUNDLE
    digest = hmac.digest(secret.encode(), b"carespace form", hashlib.sha256)
    streamed = question.page.path in WITH_FILES
    form = FormData(default_to_multipart=streamed)
    if question.proven:
        form.add_field("csrf", urlsafe_b64encode(digest).rstrip(b"=").decode())
    for name, value in question.fields.items():
        form.add_field(name, value)
    if streamed and "messages" not in question.page.path:
        name = f"{uuid4().hex}.json"
        form.add_field("file", BUNDLE, filename=name, content_type="application/fhir+json")
    return form
