"""Every route of the running application, asked for by those whom it is not for.

A new route is covered without anyone editing this: it has to name who may see it, or be refused.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from aiohttp import FormData, web

from gateway.app import build
from gateway.config import Config
from tests.journeys.client import Client
from tests.journeys.installation import Installation
from tests.journeys.nurse import NURSE

ROSA, ZOE = "rosa.alvarez@example.com", "zoe.mueller@example.org"
DESK = "desk@harbor.example.com"
STAFF_FILES = {"file_document", "start_import", "answer", "write_to_patient"}
"""Forms whose proof is read after it is known that somebody is staff."""
BROKEN = {"Content-Type": "multipart/form-data; boundary=none"}
"""A form in name only."""
CANARIES = ("Alvarez", "40-2217", "rosa.alvarez", "Infusion summary", "Mammogram", "Kowalski")
"""What is Rosa's, or of her practice's other patients."""
OPEN = {
    "login", "staff_login", "logout", "register", "new_link", "forgot_password", "reset_password",
    "confirm_email", "terms", "privacy", "accessibility", "static", "mailbox", "mailbox_json",
    "mail", "mail_html",
}  # fmt: skip
"""For everyone: the door, what stands beside it, and the mailbox of one-machine mode."""
OWN = {
    "home", "stay", "account", "end_sessions", "change_password", "change_email", "choose_emails",
    "accept", "two_step", "confirm_two_step",
}  # fmt: skip
"""For everyone logged in, about themselves only."""


@dataclass(frozen=True, kw_only=True)
class Route:
    method: str
    path: str
    name: str


def routes() -> list[Route]:
    app = build(
        Config(nats_url="nats://127.0.0.1:1", public_url="http://x", mailbox_url="http://x")
    )
    found = []
    for resource in app.router.resources():
        for route in resource:
            assert isinstance(route, web.AbstractRoute)
            if route.method in ("GET", "POST"):
                found.append(
                    Route(
                        method=route.method,
                        path=resource.canonical,
                        name=resource.name or _named(app, resource.canonical),
                    )
                )
    return found


def _named(app: web.Application, path: str) -> str:
    """A POST to a page's own address goes by the page's name."""
    return next(
        name for name, other in app.router.named_resources().items() if other.canonical == path
    )


@pytest.fixture(scope="module")
async def ids(portal: Installation) -> dict[str, str]:
    """Of Rosa's record: her id, a document, a test; of her practice: an import, an e-mail."""
    async with Client(portal) as rosa, Client(portal) as nurse:
        health = await rosa.log_in(ROSA, (1961, 4, 12))
        await nurse.log_in_as_staff(NURSE)
        imports = await nurse.get("/staff/imports")
        emails = await nurse.get("/staff/emails")
    patient = _first(r"/p/([0-9a-f-]{36})/health", health.text)
    return {
        "patient": patient,
        "document": _first(r"/health/documents/([0-9a-f-]{36})", health.text),
        "test": _first(r"/health/labs/([^\"/?#]+)", health.text),
        "import": _first(r"/staff/imports/([0-9a-f-]{36})", imports.text),
        "mail": next(iter(re.findall(r"/staff/emails/([0-9a-f-]{36})", emails.text)), str(uuid4())),
    }


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, pattern
    return found[1]


def address(route: Route, ids: dict[str, str]) -> str:
    """The route with Rosa's own ids in it."""
    one = ids["document"]
    if "/imports/" in route.path or "/import/" in route.path:
        one = ids["import"]
    elif "/emails/" in route.path:
        one = ids["mail"]
    filled = route.path.replace("{patient}", ids["patient"]).replace("{code}", ids["test"])
    return filled.replace("{id}", one).replace("{token}", "x").replace("{name}", "x")


@pytest.fixture(scope="module")
async def strangers(portal: Installation) -> AsyncIterator[dict[str, Client]]:
    async with Client(portal) as nobody, Client(portal) as patient, Client(portal) as staff:
        await patient.log_in(ZOE, (2001, 12, 31))
        await staff.log_in_as_staff(DESK)
        yield {"nobody": nobody, "another patient": patient, "another practice": staff}


@pytest.mark.parametrize("who", ["nobody", "another patient", "another practice"])
async def test_nobody_gets_anything_that_is_not_theirs(
    ids: dict[str, str], strangers: dict[str, Client], who: str
) -> None:
    leaks, asked = [], 0
    for route in routes():
        if route.name in OPEN or (route.name in OWN and who != "nobody"):
            continue
        client = strangers[who]
        if route.method == "POST" and not route.path.startswith("/api/"):
            page = "/login" if who == "nobody" else "/account"
            answer = await client.send(page, {}, to=address(route, ids))
        else:
            answer = await client.ask(route.method, address(route, ids))
        asked += 1
        told = [canary for canary in CANARIES if canary in answer.text]
        to_the_door = answer.status == 303 and answer.place.startswith(("/login", "/staff/login"))
        own_lists = who == "another practice" and "{" not in route.path
        refused = answer.status in (401, 404) or to_the_door
        if told or not (refused or own_lists):
            leaks.append((route, answer.status, answer.place, told))
    assert leaks == [], "\n".join(map(str, leaks))
    assert asked >= 25


async def test_what_is_refused_looks_like_what_does_not_exist(
    ids: dict[str, str], strangers: dict[str, Client]
) -> None:
    client = strangers["another patient"]
    for route in (route for route in routes() if "{patient}" in route.path):
        if route.method == "GET":
            foreign = await client.ask("GET", address(route, ids))
            absent = await client.ask("GET", address(route, ids | {"patient": str(uuid4())}))
            assert foreign.status == absent.status == 404
            assert _without_ids(foreign.text) == _without_ids(absent.text)


def multipart(fields: dict[str, str]) -> FormData:
    """A form as one with a file is sent."""
    form = FormData(default_to_multipart=True)
    for name, value in (fields | {"other": "x"}).items():
        form.add_field(name, value)
    return form


def _without_ids(text: str) -> str:
    return re.sub(r"[0-9a-f]{32}|[0-9a-f-]{36}", "", re.sub(r'value="[^"]*"', "", text))


async def test_a_form_without_its_proof_does_nothing(
    ids: dict[str, str], portal: Installation
) -> None:
    async with Client(portal) as rosa:
        await rosa.log_in(ROSA, (1961, 4, 12))
        for route in routes():
            if route.method != "POST" or route.path.startswith("/api/"):
                continue
            refused = 404 if route.name in STAFF_FILES else 403
            for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
                for form in (FormData({"csrf": "x"}), multipart({"csrf": "x"}), multipart({})):
                    answer = await rosa.ask("POST", address(route, ids), data=form, headers=headers)
                    assert answer.status in (403, refused), route
            answer = await rosa.ask("POST", address(route, ids), data=b"--", headers=BROKEN)
            assert answer.status in (400, refused), route
        assert (await rosa.get("/account")).status == 200


async def test_every_answer_carries_the_headers(ids: dict[str, str], portal: Installation) -> None:
    async with Client(portal) as rosa:
        await rosa.log_in(ROSA, (1961, 4, 12))
        for route in [*routes(), Route(method="GET", path="/nowhere", name="")]:
            answer = await rosa.ask(route.method, address(route, ids))
            headers = answer.headers
            policy = headers["Content-Security-Policy"]
            assert headers["X-Content-Type-Options"] == "nosniff", route
            assert headers["Referrer-Policy"] == "no-referrer", route
            assert "default-src 'none'" in policy, route
            assert "script-src 'unsafe-inline'" not in policy, route
            assert "max-age=31536000" in headers["Strict-Transport-Security"], route
            assert headers["Request-Id"], route
            if route.name != "static":
                assert headers["Cache-Control"] == "no-store", route
