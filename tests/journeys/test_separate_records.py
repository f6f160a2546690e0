"""Records that could be taken for one another, and are not: namesakes, and one person with three."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from uuid import UUID, uuid4

import aiohttp
import asyncpg
from faststream.nats import NatsBroker
from uuid_utils.compat import uuid7

from deploy import importing, installation, reach
from deploy.demo.people import HARBOR, LAKESIDE
from deploy.reach import Desk
from libs.contracts.identity.practices import AddPractice
from libs.contracts.records.imports import (
    AddChunk,
    Import,
    ImportState,
    ShowImport,
    StartImport,
    StartUpload,
)
from libs.contracts.records.patients import AddPatient
from libs.runtime.broker import ask
from tests.journeys.client import Client, date_fields
from tests.journeys.installation import Installation
from tests.records import bundles
from tests.waiting import until

BORN = (1970, 1, 2)
TERMS = {"terms": "yes"}
PASSWORDS = {"password": "Quiet-Meadow-72", "confirm_password": "Quiet-Meadow-72"}


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A patient whose record has one thing in it that no other has."""

    patient_id: UUID
    canary: str
    email: str


@asynccontextmanager
async def operator(portal: Installation) -> AsyncIterator[NatsBroker]:
    there = reach.to(installation.running(portal.folder), "operator")
    async with reach.asking(there) as broker:
        yield broker


async def chart(
    broker: NatsBroker,
    practice_id: UUID,
    *,
    given: str = "Mary",
    family: str = "Jones",
    email: str = "",
) -> Chart:
    """Somebody with a result and a document, whose words are theirs alone."""
    desk, mark = Desk(broker, practice_id), uuid4().hex[:10]
    email = email or f"{given.lower()}.{mark}@example.com"
    asked = AddPatient(
        visa=await desk.visa(),
        key=uuid7(),
        given=given,
        family=family,
        birth_date=date(*BORN),
        email=email,
        mrn=mark,
        even_so=True,
    )
    patient_id = (await ask(broker, asked, within=15)).patient_id
    about = bundles.patient(given=given, family=family, born="1970-01-02")
    result = bundles.result(f"o{mark}")
    result["note"] = [{"text": f"canary-{mark}"}]
    note = bundles.note(f"n{mark}", f"canary-{mark}".encode())
    note["description"] = f"canary-{mark}"
    report = await _brought(desk, patient_id, bundles.bundle(about, result, note))
    (subject,) = report.subjects
    assert (subject.patient_id, subject.results_taken, subject.documents_taken) == (
        patient_id, 1, 1,
    )  # fmt: skip
    return Chart(patient_id=patient_id, canary=f"canary-{mark}", email=email)


async def _brought(desk: Desk, patient_id: UUID, file: bytes) -> Import:
    """A file that somebody chose the patient for."""
    upload = StartUpload(visa=await desk.visa(), key=uuid7(), file_name="chart.json")
    upload_id = (await ask(desk.broker, upload)).upload_id
    await ask(
        desk.broker, AddChunk(visa=await desk.visa(), upload_id=upload_id, number=0, data=file)
    )
    start = StartImport(visa=await desk.visa(), upload_id=upload_id, patient_id=patient_id)
    import_id = (await ask(desk.broker, start)).import_id

    async def read() -> Import | None:
        shown = await ask(desk.broker, ShowImport(visa=await desk.visa(), import_id=import_id))
        return None if shown.state is ImportState.READING else shown

    report: Import = await until(read)
    return report


async def registered(portal: Installation, client: Client, who: Chart) -> None:
    """By the link in the letter, and logged in."""
    link = await asyncio.to_thread(portal.link, who.email)
    answer = await client.send(link, date_fields(BORN) | PASSWORDS | TERMS)
    assert answer.status == 303, answer.text
    await client.log_in(who.email, BORN, PASSWORDS["password"])


async def pages(client: Client, patient_id: UUID) -> str:
    """Everything that a record's pages say."""
    said = ""
    for page in ("health", "health/documents", "messages", "activity", "users"):
        answer = await client.ask("GET", f"/p/{patient_id}/{page}")
        said += unescape(answer.text)
    for address in set(re.findall(r'href="(/p/[^"]*/health/(?:labs|documents)/[^"]+)"', said)):
        said += unescape((await client.get(address)).text)
    return said


async def test_two_patients_with_one_name_and_birth_date_are_never_mixed(
    portal: Installation, tmp_path: Path
) -> None:
    async with (
        operator(portal) as broker, Client(portal) as first, Client(portal) as second,
    ):  # fmt: skip
        charts = [await chart(broker, LAKESIDE) for _ in range(2)]
        for client, who in zip((first, second), charts, strict=True):
            await registered(portal, client, who)
        # A file with the name and birth date that both have waits; it is filed for neither.
        file = tmp_path / "either.json"
        lost = bundles.result(f"o{uuid4().hex}")
        lost["note"] = [{"text": "canary-either"}]
        file.write_bytes(
            bundles.bundle(bundles.patient(given="Mary", family="Jones", born="1970-01-02"), lost)
        )
        report = await importing.bring_in(Desk(broker, LAKESIDE), file)
        assert [subject.why_waiting for subject in report.subjects] == ["several_match"]
        sent = {"category": "health", "subject": "Mine", "body": charts[0].canary, "do": "send"}
        await first.send(f"/p/{charts[0].patient_id}/messages/compose", sent)
        for client, (mine, theirs) in zip((first, second), (charts, reversed(charts)), strict=True):
            said = await pages(client, mine.patient_id)
            assert mine.canary in said
            assert theirs.canary not in said
            assert "canary-either" not in said
            for page in ("health", "messages", "activity", "health/documents"):
                assert (await client.ask("GET", f"/p/{theirs.patient_id}/{page}")).status == 404


async def test_a_patient_at_two_practices_and_delegate_of_a_third_sees_three_records(
    portal: Installation,
) -> None:
    third = uuid4()
    async with (
        operator(portal) as broker, Client(portal) as ida, Client(portal) as zed,
    ):  # fmt: skip
        await ask(broker, _practice(third), within=15)
        email = f"ida.{uuid4().hex[:8]}@example.com"
        lakeside = await chart(broker, LAKESIDE, given="Ida", family="Voss", email=email)
        await registered(portal, ida, lakeside)
        harbor = await chart(broker, HARBOR, given="Ida", family="Voss", email=email)
        link = await asyncio.to_thread(portal.link, email, more_than=1)
        accept = link.replace("/register/", "/invitations/")
        assert (await ida.send(accept, date_fields(BORN) | TERMS)).status == 303
        zeds = await chart(broker, third, given="Zed", family="Third")
        await registered(portal, zed, zeds)
        invited = {"email": email, "access": "full"} | date_fields(BORN)
        users = f"/p/{zeds.patient_id}/users"
        assert (await zed.send(users, invited, to=f"{users}/invite")).status == 303
        link = await asyncio.to_thread(portal.link, email, more_than=2)
        link = link.replace("/register/", "/invitations/")
        assert (await ida.send(link, date_fields(BORN) | TERMS)).status == 303

        three = (lakeside, harbor, zeds)

        async def has_three() -> bool:
            found = set(re.findall(r"/p/([0-9a-f-]{36})/health", (await ida.get("/")).text))
            return found == {str(one.patient_id) for one in three}

        await until(has_three)
        for mine in three:
            said = await pages(ida, mine.patient_id)
            assert mine.canary in said
            assert not [other for other in three if other != mine and other.canary in said]
            acting = "You are viewing Zed Third's record" in said
            assert acting is (mine == zeds)
        # In two tabs at once, each stays the record of its address.
        for one in (harbor, zeds, lakeside, zeds, harbor):
            assert one.canary in (await ida.get(f"/p/{one.patient_id}/health")).text
        for other in (lakeside, harbor):
            assert (await zed.ask("GET", f"/p/{other.patient_id}/health")).status == 404


async def test_an_open_page_ends_with_the_last_moment_of_an_access(
    portal: Installation,
) -> None:
    async with (
        operator(portal) as broker, Client(portal) as rosa, Client(portal) as ana,
    ):  # fmt: skip
        hers, anas = [await chart(broker, LAKESIDE, given=name) for name in ("R", "A")]
        await registered(portal, rosa, hers)
        await registered(portal, ana, anas)
        invited = {"email": anas.email, "access": "full"} | date_fields(BORN)
        users = f"/p/{hers.patient_id}/users"
        assert (await rosa.send(users, invited, to=f"{users}/invite")).status == 303
        link = await asyncio.to_thread(portal.link, anas.email, more_than=1)
        link = link.replace("/register/", "/invitations/")
        assert (await ana.send(link, date_fields(BORN) | TERMS)).status == 303
        health = f"/p/{hers.patient_id}/health"
        await until(lambda: _is_in(ana, health))
        admin = await asyncpg.connect(installation.running(portal.folder).database_url("admin"))
        await admin.execute(
            """
            UPDATE delegation.access_grant SET ends_at = now() + interval '14 seconds'
             WHERE patient_id = $1 AND capacity = 'delegate'
            """,
            hers.patient_id,
        )
        # What the gateway knew before is good for as long as a visa lives; then it knows the end.
        await asyncio.sleep(8)
        cookies = "; ".join(f"{name}={value}" for name, value in ana.cookies.items())
        address = f"{portal.url}/p/{hers.patient_id}/live"
        async with (
            aiohttp.ClientSession() as http,
            http.get(address, headers={"Cookie": cookies}) as stream,
            asyncio.timeout(20),
        ):
            assert stream.status == 200
            await stream.content.readuntil(b"event: over")
        late = await admin.fetchval(
            "SELECT now() - ends_at FROM delegation.access_grant WHERE patient_id = $1 AND capacity = 'delegate'",
            hers.patient_id,
        )
        await admin.close()
        assert timedelta() < late < timedelta(seconds=1)
        assert (await ana.ask("GET", health)).status == 404


async def _is_in(ana: Client, page: str) -> bool:
    return (await ana.ask("GET", page)).status == 200


def _practice(practice_id: UUID) -> AddPractice:
    return AddPractice(
        practice_id=practice_id,
        name="Third Street Clinic",
        phone="555-0103",
        address="3 Third Street",
        hours="9 to 5",
        emergency="Call 911.",
        time_zone="America/New_York",
        contact_email="desk@third.example.com",
    )
