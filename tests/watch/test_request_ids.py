"""A page that failed shows a number, and the logs of all parts are found by it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from deploy import installation
from deploy.demo.people import PASSWORD
from tests.journeys.client import Client, date_fields
from tests.journeys.installation import Installation
from tests.waiting import until, until_now
from tests.watch import using
from tests.watch.conftest import BORN, ROSA, Watched


def logged(portal: Installation, part: str, request_id: str) -> list[dict[str, Any]]:
    """What a part has written down about a request."""
    written = installation.running(portal.folder).log(part).read_text()
    lines = [json.loads(line) for line in written.splitlines() if request_id in line]
    return [line for line in lines if line["request_id"] == request_id]


@asynccontextmanager
async def without_inbox(portal: Installation, service: str) -> AsyncIterator[None]:
    """A service that can do no event, for as long as this is open."""
    admin = await asyncpg.connect(installation.running(portal.folder).database_url("admin"))
    await admin.execute(f"ALTER TABLE {service}.inbox RENAME TO elsewhere")
    try:
        yield
    finally:
        await admin.execute(f"ALTER TABLE {service}.elsewhere RENAME TO inbox")
        await admin.close()


async def page_that_fails(watched: Watched) -> str:
    """The number that Rosa reads on a page whose part did not answer."""
    async with Client(watched.portal) as rosa:
        await rosa.log_in(ROSA, BORN)
        with using.held_up(watched.portal, "records"):
            page = await rosa.ask("GET", f"/p/{watched.patient}/activity")
        assert page.status == 503
        assert f"say this number: {page.headers['Request-Id']}" in page.text
        return page.headers["Request-Id"]


def test_the_number_on_a_page_that_failed_finds_it_in_the_logs_of_gateway_and_service(
    watched: Watched,
) -> None:
    request_id = asyncio.run(page_that_fails(watched))
    asked = logged(watched.portal, "gateway", request_id)
    assert {line["event"] for line in asked} == {"a request got no answer"}
    late = until_now(lambda: logged(watched.portal, "records", request_id))
    assert {line["event"] for line in late} == {"a request took too long"}
    assert {line["subject"] for line in late} <= {line["subject"] for line in asked}


async def test_an_event_that_fails_is_logged_with_the_number_of_its_request(
    watched: Watched,
) -> None:
    async with Client(watched.portal) as rosa, without_inbox(watched.portal, "records"):
        fields = {"email": ROSA, "password": PASSWORD} | date_fields(BORN)
        answer = await rosa.send("/login", fields)
        assert answer.status == 303
        request_id = answer.headers["Request-Id"]
        failed = await until(lambda: logged(watched.portal, "records", request_id))
    assert {(line["event"], line["subject"], line["error"]) for line in failed} == {
        ("an event failed", "event.identity.acted", "UndefinedTableError")
    }
