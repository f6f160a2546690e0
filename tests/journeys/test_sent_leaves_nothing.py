"""What whoever copies the database, every stream and every log finds of a record that was sent."""

import base64
import io
import zipfile
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import nats

from deploy import installation as installations
from deploy import reach
from services.records.handlers.sending import unlocked
from services.records.sending.locking import Locks
from services.records.store import sendings as store
from tests.journeys.client import Client
from tests.journeys.installation import Installation

ROSA, BORN = "rosa.alvarez@example.com", (1961, 4, 12)
RECIPIENT = "dr.okafor.of.the.dump@clinic.example.com"
CANARY = "Zwergspitzmaus-of-the-dump"
PASSWORD = "maple-orbit-tundra-lemon"
RESULT = "Albumin"


async def test_a_dump_of_everything_says_nothing_of_what_was_sent(portal: Installation) -> None:
    async with Client(portal) as rosa, Client(portal) as doctor:
        health = await rosa.log_in(ROSA, BORN)
        patient = health.place.split("/")[2]
        message = {"category": "health", "subject": CANARY, "body": CANARY, "do": "send"}
        written = await rosa.send(f"/p/{patient}/messages/compose", message)
        assert written.status == 303, written.text
        before = await _everything(portal)
        fields = {
            "recipient_email": RECIPIENT,
            "kinds": "labs,documents,messages",
            "notes": CANARY,
            "record_password": PASSWORD,
        }
        sent = await rosa.send(f"/p/{patient}/health/send", fields)
        assert sent.status == 303, sent.text
        letter = portal.letter(RECIPIENT, within=60)
        link = urlsplit(portal.link(RECIPIENT)).path
        opened = await doctor.send(link, {"record_password": PASSWORD})
        assert opened.status == 303, opened.text
        assert CANARY in (await doctor.get(link)).text
        cookies = "; ".join(f"{name}={value}" for name, value in doctor.cookies.items())
        note = await doctor.send(link, {"note": f"{CANARY}, thank you"}, to=f"{link}/note")
        assert note.status == 303, note.text
        assert CANARY in await _all_of_it(doctor, f"{portal.url}{link}/files/zip", cookies)

    sending_id = UUID(sent.place.rpartition("=")[2])
    after = await _everything(portal)
    assert RECIPIENT in after  # what is looked through is really there
    assert str(sending_id) in after
    assert after.count(RESULT) == before.count(RESULT)  # a result is a row of its own, and no more
    words = f"{letter['subject']}{letter['text']}{letter['html']}"
    token = link.rpartition("/")[2]
    ticket = base64.urlsafe_b64decode(doctor.cookies["__Secure-shared"].strip('"'))
    key = await _key(portal, sending_id)
    for secret in (CANARY.encode(), PASSWORD.encode(), token.encode(), ticket, key):
        for form in _forms(secret):
            assert form not in after
    for word in (CANARY, PASSWORD, "Rosa", "Alvarez", RESULT, patient):
        assert word not in words


async def _all_of_it(doctor: Client, address: str, cookies: str) -> str:
    """Everything that is in the archive."""
    async with doctor._http.get(address, headers={"Cookie": cookies}) as answer:
        archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
    return "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def _forms(secret: bytes) -> set[str]:
    """As a dump may spell it."""
    return {
        secret.hex(),
        secret.decode("latin-1"),
        base64.b64encode(secret).decode().rstrip("="),
        base64.urlsafe_b64encode(secret).decode().rstrip("="),
    }


async def _key(portal: Installation, sending_id: UUID) -> bytes:
    """The key of what was sent, by the only way there is: the password."""
    db = await _admin(portal)
    try:
        await db.execute("SET search_path TO records")
        practice_id = await store.find_practice(db, sending_id)
        assert practice_id
        sending = await store.get_sending(db, practice_id, sending_id)
    finally:
        await db.close()
    locks = Locks()
    key = unlocked(await locks.key(PASSWORD, sending.salt, sending.cost), sending)
    locks.close()
    return key


async def _everything(portal: Installation) -> str:
    logs = sorted((portal.folder / "logs").iterdir())
    return "\n".join([*await _tables(portal), *await _streams(portal), *map(Path.read_text, logs)])


async def _tables(portal: Installation) -> list[str]:
    """Every row of every table, as text."""
    db = await _admin(portal)
    try:
        tables = await db.fetch(
            """
            SELECT format('%I.%I', table_schema, table_name) AS name
              FROM information_schema.tables
             WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
               AND table_type = 'BASE TABLE'
            """
        )
        names = [table["name"] for table in tables]
        assert "records.sending_chunk" in names
        rows = [await db.fetch(f"SELECT t::text AS row FROM {name} t") for name in names]
    finally:
        await db.close()
    return [row["row"] for found in rows for row in found]


async def _streams(portal: Installation) -> list[str]:
    """Every message of every stream, with its headers."""
    there = reach.to(installations.running(portal.folder), "provisioner")
    client = await nats.connect(
        there.nats_url, nkeys_seed=there.nats_credentials, inbox_prefix=b"_INBOX_provisioner"
    )
    jetstream, found = client.jetstream(), list[str]()
    for stream in await jetstream.streams_info():
        assert stream.config.name
        for number in range(max(stream.state.first_seq, 1), stream.state.last_seq + 1):
            message = await jetstream.get_msg(stream.config.name, seq=number)
            found.append(f"{message.subject} {message.headers} {message.data!r}")
    await client.close()
    return found


async def _admin(portal: Installation) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(installations.running(portal.folder).database_url("admin"))
