"""Demo data, loaded the first time, through the same requests that everyone makes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import aiohttp
from aiohttp import web
from faststream.nats import NatsBroker
from uuid_utils.compat import uuid7

from deploy.demo import chart
from deploy.demo.people import PASSWORD, PATIENTS, PRACTICES, STAFF, Person, Worker
from libs.contracts.identity import (
    AdmitOperator,
    CompleteRegistration,
    InviteStaff,
)
from libs.contracts.records import (
    CHUNK_SIZE,
    AddChunk,
    AddPatient,
    ImportState,
    ShowImport,
    StartImport,
    StartUpload,
)
from libs.runtime import broker, lifeline
from libs.runtime.broker import ask

if TYPE_CHECKING:
    from deploy.installation import Installation

LETTER_WITHIN = 20
"""Seconds from an invitation to its letter in the mailbox."""


def loaded(folder: Path) -> bool:
    """Whether it is there from an earlier start."""
    return (folder / "demo.json").exists()


async def load(here: "Installation") -> None:
    """Practices, staff and patients, unless they are there from an earlier start."""
    known = here.folder / "demo.json"
    if known.exists():
        return
    async with _operator(here) as asking:
        keys = {str(p.practice_id): (await ask(asking, p)).import_key for p in PRACTICES}
        for patient in PATIENTS:
            await _add(asking, patient)
        for worker in STAFF:
            await ask(asking, _invitation(worker))
        registering = [_register(here, asking, p.email, p) for p in PATIENTS if p.registers] + [
            _register(here, asking, w.email, w) for w in STAFF
        ]
        enrolments = await asyncio.gather(*registering)
        await asyncio.gather(*(_chart(asking, p) for p in PATIENTS if p.chart))
    secrets = {email: _secret(enrolment) for email, enrolment in enrolments if enrolment}
    known.touch(mode=0o600)
    known.write_text(json.dumps({"import_keys": keys, "code_secrets": secrets}))


def who_can_log_in(folder: Path) -> list[str]:
    """The lines that `make run` prints."""
    known = json.loads((folder / "demo.json").read_text())
    lines = ["", "Demo people, password for all of them: " + PASSWORD]
    lines += [
        f"  {p.given} {p.family}  {p.email}  born {p.birth_date}" for p in PATIENTS if p.registers
    ]
    for worker in STAFF:
        secret = known["code_secrets"][worker.email]
        lines.append(f"  {worker.name}  {worker.email}  at /staff/login, one-time code {secret}")
    return lines


@asynccontextmanager
async def _operator(here: "Installation") -> AsyncIterator[NatsBroker]:
    settings = here.environment("operator")
    app = web.Application()
    app.cleanup_ctx.append(
        broker.connected(
            "operator", settings["CARESPACE_NATS_URL"], settings["CARESPACE_NATS_CREDENTIALS"]
        )
    )
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        while not _connected(app[broker.BROKER]):  # noqa: ASYNC110  (nothing tells of it)
            await asyncio.sleep(0.02)
        yield app[broker.BROKER]
    finally:
        await runner.cleanup()


def _connected(asking: NatsBroker) -> bool:
    client = lifeline.connection(asking)
    return client is not None and client.is_connected


async def _visa(asking: NatsBroker, person: Person) -> str:
    return (await ask(asking, AdmitOperator(practice_id=person.practice_id))).visa


async def _add(asking: NatsBroker, person: Person) -> None:
    await ask(
        asking,
        AddPatient(
            visa=await _visa(asking, person),
            key=uuid7(),
            given=person.given,
            family=person.family,
            birth_date=person.birth_date,
            email=person.email,
            mrn=person.mrn,
            invite=bool(person.email),
        ),
    )


def _invitation(worker: Worker) -> InviteStaff:
    return InviteStaff(
        practice_id=worker.practice_id,
        name=worker.name,
        email=worker.email,
        date_of_birth=worker.birth_date,
        role=worker.role,
    )


async def _register(
    here: "Installation", asking: NatsBroker, email: str, who: Person | Worker
) -> tuple[str, str]:
    """As the person would: from the link in the letter. For staff, the one-time code's URI."""
    token = await _token(here, email)
    asked = CompleteRegistration(
        token=token,
        date_of_birth=who.birth_date,
        password=PASSWORD,
        confirm_password=PASSWORD,
        terms_version="2026-11",
        source="127.0.0.1",
    )
    return email, (await ask(asking, asked, within=15)).enrolment


async def _token(here: "Installation", email: str) -> str:
    async with asyncio.timeout(LETTER_WITHIN), aiohttp.ClientSession() as client:
        while True:
            async with client.get(f"http://127.0.0.1:{here.ports['mailbox']}/mails") as answer:
                letters = [letter for letter in await answer.json() if letter["to"] == email]
            for word in (word for letter in letters for word in letter["text"].split()):
                if word.startswith(f"{here.url}/register/"):
                    return str(word.rsplit("/", 1)[1])
            await asyncio.sleep(0.1)


async def _chart(asking: NatsBroker, person: Person) -> None:
    content = chart.bundle(person, now=datetime.now(UTC))
    visa = await _visa(asking, person)
    start = StartUpload(
        visa=visa, key=uuid7(), file_name=f"{person.mrn}.json", media_type="application/fhir+json"
    )
    upload = (await ask(asking, start)).upload_id
    for number, begins in enumerate(range(0, len(content), CHUNK_SIZE)):
        data = content[begins : begins + CHUNK_SIZE]
        await ask(asking, AddChunk(visa=visa, upload_id=upload, number=number, data=data))
    started = await ask(asking, StartImport(visa=visa, upload_id=upload), within=10)
    async with asyncio.timeout(30):
        while True:
            shown = await ask(
                asking,
                ShowImport(visa=await _visa(asking, person), import_id=started.import_id),
            )
            if shown.state is not ImportState.READING:
                return
            await asyncio.sleep(0.1)


def _secret(enrolment: str) -> str:
    return parse_qs(urlsplit(enrolment).query)["secret"][0]
