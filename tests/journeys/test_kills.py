"""Every process killed in turn while two hundred people register and write, and nothing is lost."""

import asyncio
import contextlib
import json
import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import asyncpg
import pytest

from deploy import installation as installations
from libs.contracts import registry
from tests.journeys import installation
from tests.journeys.client import Client, date_fields
from tests.journeys.installation import Installation
from tests.journeys.nurse import NURSE

PEOPLE = 200
AT_ONCE = 8
PASSWORD = "Quiet-Harbor-72"
VICTIMS = (*registry.services(), "nats", "postgres", "gateway")
BETWEEN_KILLS = 6
LETTER_WITHIN = 120
"""Seconds; a letter that a killed notifier had in hand waits for its lease to run out."""
OPEN_WITHIN = 60
"""Seconds; a record is opened by delegation, which may have been killed just now."""
IN_FLIGHT = 4
"""Letters that the notifier has in hand at a time: the most that its killing can repeat."""


@pytest.fixture
def own_portal(tmp_path: Path) -> Iterator[Installation]:
    with installation.up(tmp_path / "here") as here:
        yield here


@dataclass
class Journal:
    """What was acknowledged, person by person."""

    added: set[int] = field(default_factory=set)
    registered: set[int] = field(default_factory=set)
    logged_in: set[int] = field(default_factory=set)
    wrote: set[int] = field(default_factory=set)
    killed: list[str] = field(default_factory=list)


def email(number: int) -> str:
    return f"person{number}@example.com"


def subject(number: int) -> str:
    return f"Steady {number}"


def born(number: int) -> tuple[int, int, int]:
    return 1950 + number % 50, 1 + number % 12, 1 + number % 28


async def register(
    portal: Installation, staff: Client, number: int, journal: Journal, turn: asyncio.Semaphore
) -> None:
    """One person's way from the list to their record, each step acknowledged by its page."""
    async with turn:
        fields = {
            "given": f"Person{number}",
            "family": "Steady",
            "email": email(number),
            "mrn": f"S-{number}",
            "invite": "yes",
        } | date_fields(born(number))
        added = await staff.send("/staff/patients/new", fields)
        assert added.status == 303, added.text
        journal.added.add(number)
        link = await asyncio.to_thread(_link, portal, email(number))
        async with Client(portal) as person:
            fields = {"password": PASSWORD, "confirm_password": PASSWORD, "terms": "yes"}
            done = await person.send(link, fields | date_fields(born(number)))
            # An answer that was lost on the way may have been given all the same.
            assert done.status in (303, 410), done.text
            journal.registered.add(number)
            health = await person.log_in(email(number), born(number), PASSWORD)
            journal.logged_in.add(number)
            async with asyncio.timeout(OPEN_WITHIN):
                while "No record here yet" in health.text:
                    await asyncio.sleep(0.5)
                    health = await person.get("/")
            compose = health.place.replace("/health", "/messages/compose")
            message = {"category": "rx", "subject": subject(number), "body": "Hello", "do": "send"}
            wrote = await person.send(compose, message)
            assert wrote.status == 303, wrote.text
            journal.wrote.add(number)
            begun = {"category": "health", "subject": subject(number), "body": "…", "do": "save"}
            saved = await person.send(compose, begun)
            assert "Your draft is saved." in saved.text
            patient = health.place.split("/")[2]
            told = message | {"subject": f"For {subject(number)}"}
            written = await staff.send(f"/staff/patients/{patient}/messages/new", told)
            assert written.status == 303, written.text
            inbox = await person.get(f"/p/{patient}/messages")
            if number % 2:  # every other one reads it
                (address,) = set(re.findall(rf"/p/{patient}/messages/[0-9a-f-]{{36}}", inbox.text))
                assert subject(number) in (await person.get(address)).text


def _link(portal: Installation, to: str) -> str:
    """From the mailbox, which may be away with the gateway for a while."""
    until = time.monotonic() + LETTER_WITHIN
    while time.monotonic() < until:
        with contextlib.suppress(OSError, AssertionError, ValueError):
            return portal.link(to)
        time.sleep(0.5)
    raise AssertionError(f"no letter to {to}")


async def queued(staff: Client) -> Counter[str]:
    """Every message that waits, by its subject."""
    found: Counter[str] = Counter()
    address = "/staff/messages?q=steady"
    while address:
        page = (await staff.get(address)).text
        found.update(re.findall(r"Steady \d+", page))
        more = re.search(r'href="([^"]+)" rel="next"', page)
        address = unescape(more[1]) if more else ""
    return found


async def recount(portal: Installation) -> dict[str, int]:
    """What the rows of these people's mailboxes say, counted one by one."""
    db = await asyncpg.connect(
        installations.running(portal.folder).database_url("admin"),
        server_settings={"search_path": "messaging"},
    )
    try:
        row = await db.fetchrow(
            """
            WITH steady AS (SELECT patient_id FROM draft GROUP BY patient_id HAVING count(*) = 3)
            SELECT (SELECT count(*) FROM draft JOIN steady USING (patient_id) WHERE sent IS NULL)
                   AS drafts,
                   (SELECT count(*) FROM message JOIN steady USING (patient_id)
                     WHERE from_practice) AS received,
                   (SELECT sum(received) FROM mailbox JOIN steady USING (patient_id))
                   AS said_received,
                   (SELECT count(*) FROM read_mark JOIN steady USING (patient_id)) AS read,
                   (SELECT sum(read) FROM reader JOIN steady USING (patient_id)) AS said_read
            """
        )
    finally:
        await db.close()
    assert row
    return {name: int(value or 0) for name, value in row.items()}


async def kill(portal: Installation, journal: Journal, stop: asyncio.Event) -> None:
    order = list(VICTIMS)
    random.Random(7).shuffle(order)
    for victim in order:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=BETWEEN_KILLS)
        if stop.is_set():
            return
        os.kill(portal.pid(victim), signal.SIGKILL)
        journal.killed.append(victim)


async def test_no_step_is_lost_and_no_letter_missing(own_portal: Installation) -> None:
    journal, stop, turn = Journal(), asyncio.Event(), asyncio.Semaphore(AT_ONCE)
    async with Client(own_portal) as staff:
        await staff.log_in_as_staff(NURSE)
        killer = asyncio.create_task(kill(own_portal, journal, stop))
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(PEOPLE):
                    group.create_task(register(own_portal, staff, number, journal, turn))
        finally:
            stop.set()
            await killer
        everyone = set(range(PEOPLE))
        assert journal.added == journal.registered == journal.logged_in == everyone
        assert journal.wrote == everyone
        assert await queued(staff) == Counter(map(subject, everyone))
        assert set(journal.killed) == set(VICTIMS)
        counted = await recount(own_portal)
        assert counted["drafts"] == counted["received"] == counted["said_received"] == PEOPLE
        assert counted["read"] == counted["said_read"] == PEOPLE / 2
        listed = await staff.get("/staff/patients?q=S-&state=registered")
        assert listed.status == 200
        kept = json.loads((await staff.get("/mailbox.json")).text)
    letters = [
        letter
        for letter in kept
        if letter["to"].startswith("person") and "registration" in letter["subject"]
    ]
    per_person = Counter(letter["to"] for letter in letters)
    assert set(per_person) == {email(number) for number in everyone}
    repeats = sum(count - 1 for count in per_person.values())
    assert repeats <= journal.killed.count("notifier") * IN_FLIGHT
    ids = {(letter["to"], letter["message_id"]) for letter in letters}
    assert len(ids) == PEOPLE
    print(f"\nkilled {dict(Counter(journal.killed))}; letters that came twice: {repeats}")
