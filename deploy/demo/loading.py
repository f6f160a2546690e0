"""Demo data, loaded the first time, through the same requests that everyone makes.

Each step is written down once it is done, so that a start that was interrupted goes on where it
was.
"""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from uuid import NAMESPACE_URL, uuid5

import aiohttp
import pyotp
from faststream.nats import NatsBroker

from deploy import importing, reach
from deploy.demo import chart, family, messages
from deploy.demo.people import DAUGHTER, PASSWORD, PATIENTS, PRACTICES, STAFF, Person, Worker
from deploy.problem import Problem, SaidNo
from deploy.reach import Desk
from libs.contracts.base import Refused
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.registration import CompleteRegistration
from libs.contracts.identity.staff import InviteStaff
from libs.contracts.records.patients import AddPatient
from libs.runtime.broker import ask

if TYPE_CHECKING:
    from deploy.installation import Installation

LINK = re.compile(r"/register/(\S+)")
LETTER_WITHIN = 20
"""Seconds from an invitation to its letter in the mailbox."""


@dataclass
class Progress:
    """How far it came, and what is told only once."""

    file: Path
    import_keys: dict[str, str] = field(default_factory=dict)
    code_secrets: dict[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    code_steps: dict[str, int] = field(default_factory=dict)
    """The steps of one-time codes that were used up on the way."""

    async def once(self, step: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do it unless it is done, and write that down."""
        if step not in self.done:
            await work()
            self.done.append(step)
            self.save()

    def save(self) -> None:
        """Complete on the disk, or as it was."""
        unfinished = self.file.with_suffix(".unfinished")
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(asdict(self) | {"file": self.file.name}))
        unfinished.rename(self.file)


def loaded(folder: Path) -> bool:
    """Whether it is there from an earlier start."""
    return (folder / "demo.json").exists()


async def load(here: "Installation") -> None:
    """Practices, staff and patients, unless they are there from an earlier start."""
    progress = _begun(here.folder)
    async with reach.asking(reach.to(here, "operator")) as broker:
        for practice in PRACTICES:
            added = await ask(broker, practice)
            if added.import_key:
                progress.import_keys[str(practice.practice_id)] = added.import_key
                progress.save()
        desks = {p.practice_id: Desk(broker, p.practice_id) for p in PRACTICES}
        for patient in PATIENTS:
            await _add(desks[patient.practice_id], patient)
        for worker in STAFF:
            await progress.once(f"invited {worker.email}", _inviting(broker, worker))
        registering = [
            progress.once(f"registered {who.email}", _registering(here, broker, progress, who))
            for who in (*PATIENTS, *STAFF)
            if isinstance(who, Worker) or who.registers
        ]
        await asyncio.gather(*registering)
        filing = [
            progress.once(f"filed {p.mrn}", _filing(here.folder / "run", desks[p.practice_id], p))
            for p in PATIENTS
            if p.chart
        ]
        await asyncio.gather(*filing)
        await progress.once("wrote", _writing(here, progress))
        await progress.once("let in", _letting_in(here))
    progress.file.rename(here.folder / "demo.json")


def who_can_log_in(folder: Path, url: str) -> list[str]:
    """The lines that `make run` prints."""
    secrets = json.loads((folder / "demo.json").read_text())["code_secrets"]
    patients = [p for p in PATIENTS if p.registers]
    return [
        f"Patients log in at {url}/login, password {PASSWORD}:",
        *(f"  {p.email:30}{p.given} {p.family}, born {p.birth_date}" for p in patients),
        f"Staff at {url}/staff/login, password {PASSWORD}, and a one-time code: from an",
        "authenticator with the secret below, or from `carespace demo-code EMAIL`:",
        *(f"  {w.email:30}{w.name}, secret {secrets[w.email]}" for w in STAFF),
    ]


def code(folder: Path, email: str) -> str:
    """The one-time code of a member of the demo staff, now."""
    try:
        secrets: dict[str, str] = json.loads((folder / "demo.json").read_text())["code_secrets"]
    except OSError:
        raise Problem(f"There is no demo data in {folder}: see `carespace up --demo`.") from None
    if email not in secrets:
        raise SaidNo(f"Nobody of the demo staff is {email}: {', '.join(secrets)}.")
    return pyotp.TOTP(secrets[email]).now()


def _begun(folder: Path) -> Progress:
    file = folder / "demo.begun.json"
    if not file.exists():
        return Progress(file)
    return Progress(**(json.loads(file.read_text()) | {"file": file}))


async def _add(desk: Desk, person: Person) -> None:
    """Again with the same key changes nothing."""
    await ask(
        desk.broker,
        AddPatient(
            visa=await desk.visa(),
            key=uuid5(NAMESPACE_URL, f"{person.practice_id}/{person.mrn}"),
            given=person.given,
            family=person.family,
            birth_date=person.birth_date,
            email=person.email,
            mrn=person.mrn,
            invite=bool(person.email),
        ),
    )


def _inviting(broker: NatsBroker, worker: Worker) -> Callable[[], Awaitable[None]]:
    invitation = InviteStaff(
        practice_id=worker.practice_id,
        name=worker.name,
        email=worker.email,
        date_of_birth=worker.birth_date,
        role=worker.role,
    )

    async def invite() -> None:
        await ask(broker, invitation)

    return invite


def _registering(
    here: "Installation", broker: NatsBroker, progress: Progress, who: Person | Worker
) -> Callable[[], Awaitable[None]]:
    """As the person would: from the link in the letter."""

    async def register() -> None:
        asked = CompleteRegistration(
            token=await _token(here, who.email),
            date_of_birth=who.birth_date,
            password=PASSWORD,
            confirm_password=PASSWORD,
            terms_version="2026-11",
            source="127.0.0.1",
        )
        try:
            enrolment = (await ask(broker, asked, within=15)).enrolment
        except Refused as refused:
            if refused.code != Refusal.LINK_USED or isinstance(who, Worker):
                raise
            enrolment = ""
        if enrolment:
            progress.code_secrets[who.email] = parse_qs(urlsplit(enrolment).query)["secret"][0]

    return register


async def _token(here: "Installation", email: str, *, by: str = "") -> str:
    """What is in the link of the newest letter to this address, from whoever invites."""
    async with asyncio.timeout(LETTER_WITHIN), aiohttp.ClientSession() as client:
        while True:
            async with client.get(f"http://127.0.0.1:{here.ports['mailbox']}/mails") as answer:
                letters = [letter for letter in await answer.json() if letter["to"] == email]
            links = [LINK.search(each["text"]) for each in letters if by in each["subject"]]
            if found := next((link for link in links if link), None):
                return found[1]
            await asyncio.sleep(0.1)


def _writing(here: "Installation", progress: Progress) -> Callable[[], Awaitable[None]]:
    async def write() -> None:
        nurse = STAFF[0].email
        secret = progress.code_secrets[nurse]
        progress.code_steps[nurse] = await messages.write(here.url, secret, now=time.time())

    return write


def _letting_in(here: "Installation") -> Callable[[], Awaitable[None]]:
    async def let_in() -> None:
        await family.let_in(
            here.url, PATIENTS[0], DAUGHTER, token=lambda: _token(here, DAUGHTER.email, by="Rosa")
        )

    return let_in


def _filing(folder: Path, desk: Desk, person: Person) -> Callable[[], Awaitable[None]]:
    async def file() -> None:
        made = folder / f"{person.mrn}.json"
        made.write_bytes(chart.bundle(person, now=datetime.now(UTC)))
        await importing.bring_in(desk, made, media_type="application/fhir+json")
        made.unlink()

    return file
