"""The link of an invitation: four days to the second, never used up by looking, void once resent.

And at each step, what the practice's list says of it.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import asyncpg
import pytest

from deploy import installation as installations
from libs.runtime.clock import utcnow
from tests.journeys.client import Client, date_fields
from tests.journeys.installation import Installation
from tests.journeys.nurse import NURSE
from tests.waiting import until

PASSWORD = "Quiet-Harbor-72"
BORN = (1972, 7, 9)
TIMES = 50


@pytest.fixture(scope="module")
async def nurse(portal: Installation) -> AsyncIterator[Client]:
    async with Client(portal) as staff:
        await staff.log_in_as_staff(NURSE)
        yield staff


async def add(nurse: Client, email: str, mrn: str) -> str:
    """Somebody new on the list, invited; the address of their page for staff."""
    name = {"given": "Lena", "family": f"Link {mrn}", "email": email, "mrn": mrn, "invite": "yes"}
    added = await nurse.send("/staff/patients/new", name | date_fields(BORN))
    assert added.status == 303, added.text
    return added.place


async def state(nurse: Client, mrn: str) -> str:
    """What the practice's list says of this patient's invitation."""
    listed = await nurse.get(f"/staff/patients?q={mrn}")
    rows = re.findall(rf"<tr[^>]*>(?:(?!</tr>).)*{mrn}.*?</tr>", listed.text, re.DOTALL)
    assert len(rows) == 1, listed.text
    return " ".join(re.sub(r"<[^>]+>", " ", rows[0]).split())


async def says(nurse: Client, mrn: str, word: str) -> bool:
    """Whether the list comes to say this word of them."""
    return bool(await until(lambda: _said(nurse, mrn, word)))


async def _said(nurse: Client, mrn: str, word: str) -> bool:
    return word in await state(nurse, mrn)


async def link(portal: Installation, email: str, *, more_than: int = 0) -> str:
    return await asyncio.to_thread(portal.link, email, more_than=more_than)


async def register(person: Client, address: str, born: tuple[int, int, int] = BORN) -> int:
    """Fill in the form of the page that is open and send it: what the answer's status is."""
    fields = {"password": PASSWORD, "confirm_password": PASSWORD, "terms": "yes"}
    return (await person.send(address, fields | date_fields(born))).status


async def ends_at(portal: Installation, email: str, at: datetime | None = None) -> datetime:
    """When the newest link to this address ends, after moving the whole invitation there."""
    database = await asyncpg.connect(
        installations.running(portal.folder).database_url("admin"),
        server_settings={"search_path": "identity"},
    )
    try:
        if at:
            await database.execute(
                "UPDATE invitation SET sent_at = $2::timestamptz - (expires_at - sent_at), expires_at = $2 "
                "WHERE email = $1",
                email,
                at,
            )
        row = await database.fetchrow(
            "SELECT sent_at, expires_at FROM invitation WHERE email = $1", email
        )
    finally:
        await database.close()
    assert row
    assert row["expires_at"] - row["sent_at"] == timedelta(days=4)
    ends: datetime = row["expires_at"]
    return ends


async def test_a_link_works_for_four_days_to_the_second(
    portal: Installation, nurse: Client
) -> None:
    email = "four.days@example.com"
    await add(nurse, email, "L-4")
    address = await link(portal, email)
    ends = await ends_at(portal, email, utcnow() + timedelta(seconds=4))
    async with Client(portal) as person:
        await asyncio.sleep((ends - timedelta(seconds=1) - utcnow()).total_seconds())
        before = await person.get(address)
        assert utcnow() < ends, "this machine is too slow to look at the last second"
        assert before.status == 200
        assert "Complete Your Registration" in before.text
        await asyncio.sleep((ends + timedelta(seconds=1) - utcnow()).total_seconds())
        after = await person.get(address)
        assert after.status == 410
        assert "This registration link has run out" in after.text
        assert "Lena" not in after.text
        assert email not in after.text
        assert await register(person, address) == 410
        assert await says(nurse, "L-4", "Invite ran out")
        asked = await person.send(address, {}, to=f"{address}/new-link")
        assert asked.status == 200
        assert await says(nurse, "L-4", "Asks for a new link")


async def test_looking_never_uses_a_link_up_and_each_step_is_seen(
    portal: Installation, nurse: Client
) -> None:
    email = "looked.at@example.com"
    page = await add(nurse, email, "L-50")
    assert "Invited" in (await nurse.get(page)).text
    first = await link(portal, email)
    assert await says(nurse, "L-50", "Delivered")

    async with Client(portal) as scanner:
        for _ in range(TIMES):
            assert (await scanner.ask("HEAD", first)).status == 200
            assert (await scanner.ask("GET", first)).status == 200
    assert await says(nurse, "L-50", "Opened")

    again = await nurse.send(page, {}, to=f"{page}/resend")
    assert again.status == 303
    second = await link(portal, email, more_than=1)
    assert second != first
    async with Client(portal) as person:
        void = await person.get(first)
        assert void.status == 410
        assert "There is a newer link" in void.text
        assert await register(person, second, (1972, 7, 10)) == 400
        assert await register(person, second) == 303
        assert await says(nurse, "L-50", "Registered")
        used = await person.get(second)
        assert used.status == 410
        assert "This registration link was used" in used.text


async def test_fifty_who_send_the_form_at_once_make_one_account(
    portal: Installation, nurse: Client
) -> None:
    email = "at.once@example.com"
    await add(nurse, email, "L-O")
    address = await link(portal, email)
    async with Client(portal) as person:
        await person.get(address)
        answers = await asyncio.gather(*(register(person, address) for _ in range(TIMES)))
    assert set(answers) <= {303, 410, 429}
    assert answers.count(303) == 1


async def test_a_bounce_is_seen_and_another_address_gets_the_link(
    portal: Installation, nurse: Client
) -> None:
    page = await add(nurse, "lena@bounces.example.com", "L-B")
    assert await says(nurse, "L-B", "Email bounced")

    corrected = await nurse.send(page, {"email": "lena.right@example.com"}, to=f"{page}/email")
    assert corrected.status == 303
    address = await link(portal, "lena.right@example.com")
    assert await says(nurse, "L-B", "Delivered")
    async with Client(portal) as person:
        assert await register(person, address) == 303
    assert await says(nurse, "L-B", "Registered")


async def test_too_many_wrong_dates_lock_the_link_and_the_practice_sees_it(
    portal: Installation, nurse: Client
) -> None:
    email = "wrong.date@example.com"
    await add(nurse, email, "L-W")
    address = await link(portal, email)
    async with Client(portal) as person:
        tries = [await register(person, address, (1950, 1, day)) for day in range(1, 12)]
        assert tries[0] == 400
        assert tries[-1] in (410, 429)
        locked = await person.get(address)
        assert "This registration link is locked" in locked.text
    assert await says(nurse, "L-W", "Locked")
