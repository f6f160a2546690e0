"""A whole portal on this machine, for as long as something is measured, and nothing of it after."""

import asyncio
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import aiohttp
import pyotp
from faststream.nats import NatsBroker
from uuid_utils.compat import uuid7

from bench import charts, load
from bench.charts import BORN, Someone
from deploy import importing, installation, reach, waiting
from deploy.demo.browser import Browser
from deploy.installation import Installation
from deploy.reach import Desk
from libs.contracts.identity.passwords import PasswordSet
from libs.contracts.identity.practices import AddPractice
from libs.contracts.identity.registration import CompleteRegistration
from libs.contracts.identity.staff import InviteStaff
from libs.contracts.records.imports import Import
from libs.contracts.records.patients import AddPatient
from libs.contracts.visa import Role
from libs.runtime.broker import ask

UP_WITHIN = 90
UP = "The portal is up"
LETTER_WITHIN = 60
PRACTICE = AddPractice(
    practice_id=UUID("0192a000-0000-7000-8000-00000000be0c"),
    name="Bench Practice",
    phone="(720) 555-0142",
    address="1840 Cottonwood Avenue, Denver, CO 80218",
    hours="Monday to Friday, 8 am to 5 pm",
    emergency="In an emergency, call 911.",
    time_zone="America/Denver",
    contact_email="desk@bench.example.com",
)
PASSWORD = "Grape-Tunnel-84"  # noqa: S105  (of a portal that lasts for a minute)
NURSE = "nurse@bench.example.com"
LINK = re.compile(r"/register/(\S+)")
HIDDEN = re.compile(r'<input type="hidden" name="csrf" value="([^"]*)">')
VISIT = "__Host-visit"
SESSION = "__Host-session"


class NotUp(Exception):
    """It did not come up, or ended."""


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A patient who has registered."""

    who: Someone
    id: UUID


@dataclass(frozen=True, kw_only=True)
class Portal:
    """One that is up, and how to make something of it."""

    here: Installation
    broker: NatsBroker
    desk: Desk

    @property
    def practice_id(self) -> UUID:
        return PRACTICE.practice_id

    def pid(self, part: str) -> int:
        """The process of a part."""
        return int((self.here.folder / "run" / f"{part}.pid").read_text())

    async def add(self, people: Sequence[Someone], *, invite: bool = False) -> list[Patient]:
        """They are patients of the practice now."""
        return [await self._add(who, invite=invite) for who in people]

    async def registered(self, people: Sequence[Someone]) -> list[Patient]:
        """They have registered too, each from the link in their letter."""
        patients = await self.add(people, invite=True)
        tokens = await self._tokens([who.email for who in people])
        for who in people:
            await self._register(who.email, tokens[who.email])
        return patients

    async def bring_in(self, people: Sequence[Someone], *, dates: int, documents: int) -> Import:
        """Their charts, by an import as any other."""
        return await self.bring_in_file(self.written(people, dates=dates, documents=documents))

    async def bring_in_file(self, file: Path) -> Import:
        return await importing.bring_in(self.desk, file, media_type="application/fhir+json")

    def written(self, people: Sequence[Someone], *, dates: int, documents: int) -> Path:
        """Their charts as one file."""
        file = self.here.folder / "run" / "charts.json"
        with file.open("wb") as made:
            made.writelines(charts.bundle(people, dates=dates, documents=documents))
        return file

    async def log_in(self, patient: Patient) -> load.Asked:
        """The form that logs this patient in, which may be sent as often as one likes."""
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser,
            browser.get(f"{self.here.url}/login") as door,
        ):
            visit = door.cookies[VISIT].value
            found = HIDDEN.search(await door.text())
        fields = {
            "csrf": unescape(found[1]) if found else "",
            "email": patient.who.email,
            "password": PASSWORD,
            "date_of_birth_year": str(BORN.year),
            "date_of_birth_month": str(BORN.month),
            "date_of_birth_day": str(BORN.day),
        }
        return load.form(f"{self.here.url}/login", f"{VISIT}={visit}", fields)

    async def session(self, patient: Patient) -> str:
        """The cookie of a patient who has just logged in."""
        return f"{SESSION}={await load.cookie(await self.log_in(patient), SESSION)}"

    async def health(self, patient: Patient) -> load.Asked:
        """The Health page of a patient who has just logged in."""
        return load.page(f"{self.here.url}/p/{patient.id}/health", await self.session(patient))

    @asynccontextmanager
    async def nurse(self) -> AsyncIterator[Browser]:
        """A clinician of the practice, at work."""
        invited = InviteStaff(
            practice_id=self.practice_id,
            name="Nora Bench, RN",
            email=NURSE,
            date_of_birth=BORN,
            role=Role.CLINICIAN,
        )
        await ask(self.broker, invited)
        registered = await self._register(NURSE, (await self._tokens([NURSE]))[NURSE])
        code = parse_qs(urlsplit(registered.enrolment).query)["secret"][0]
        async with Browser(self.here.url) as browser:
            fields = {"email": NURSE, "password": PASSWORD, "code": pyotp.TOTP(code).now()}
            await browser.send("/staff/login", fields)
            yield browser

    async def _add(self, who: Someone, *, invite: bool) -> Patient:
        asked = AddPatient(
            visa=await self.desk.visa(),
            key=uuid7(),
            given="Rosa",
            family=who.family,
            birth_date=BORN,
            email=who.email if invite else "",
            mrn=who.mrn,
            invite=invite,
        )
        return Patient(who=who, id=(await ask(self.broker, asked, within=15)).patient_id)

    async def _register(self, email: str, token: str) -> PasswordSet:
        asked = CompleteRegistration(
            token=token,
            date_of_birth=BORN,
            password=PASSWORD,
            confirm_password=PASSWORD,
            terms_version="2026-11",
            source="127.0.0.1",
        )
        registered = await ask(self.broker, asked, within=15)
        if not registered.accepted:
            raise NotUp(f"The password to measure with is no longer good enough for {email}.")
        return registered

    async def _tokens(self, emails: Sequence[str]) -> dict[str, str]:
        """What is in the links of their letters."""
        async with asyncio.timeout(LETTER_WITHIN), aiohttp.ClientSession() as client:
            while True:
                async with client.get(f"{self.here.url}/mailbox.json") as answer:
                    letters = await answer.json()
                links = {letter["to"]: LINK.search(letter["text"]) for letter in letters}
                found = {to: link[1] for to, link in links.items() if link}
                if found.keys() >= set(emails):
                    return found
                await asyncio.sleep(0.1)


@asynccontextmanager
async def up(source: Path | None = None) -> AsyncIterator[Portal]:
    """A portal with one empty practice; whatever happens, it is stopped and cleared away.

    It runs from this source, or from the folder of another release's.
    """
    folder = Path(tempfile.mkdtemp(prefix="carespace-bench-"))
    folder.chmod(installation.PASSABLE)
    try:
        async with (
            _running(folder / "portal", folder / "said", source) as here,
            reach.asking(reach.to(here, "operator")) as broker,
        ):
            await ask(broker, PRACTICE)
            yield Portal(here=here, broker=broker, desk=Desk(broker, PRACTICE.practice_id))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def _running(folder: Path, said: Path, source: Path | None) -> AsyncIterator[Installation]:
    port = waiting.free_port()
    command = [sys.executable, "-m", "deploy", "up", "--port", str(port), "--data-dir", str(folder)]
    with said.open("wb") as out:
        process = await asyncio.create_subprocess_exec(*command, stdout=out, stderr=out, cwd=source)
    try:
        await until(lambda: UP in said.read_text(), process, said)
        yield installation.running(folder)
    finally:
        await ended(process)


async def until(up: Callable[[], bool], process: asyncio.subprocess.Process, said: Path) -> None:
    """Until it is up; `NotUp` with what was said if the process ends first, or takes too long."""
    loop = asyncio.get_running_loop()
    latest = loop.time() + UP_WITHIN
    while not up():
        if process.returncode is not None or loop.time() > latest:
            raise NotUp(said.read_text())
        await asyncio.sleep(0.1)


async def ended(process: asyncio.subprocess.Process) -> None:
    """Stopped as Ctrl-C stops it; killed if it does not heed that."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        await asyncio.wait_for(process.wait(), 60)
    except TimeoutError:
        process.kill()
        await process.wait()
