"""What a patient and a laboratory see while the schema of records moves, and afterwards."""

import hashlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest

import gateway.app
import services.delegation.app
from gateway.config import Config
from gateway.session import COOKIE
from libs.contracts.identity.letters import DescribeLetter, LetterKind
from libs.contracts.identity.logging_in import LogIn
from libs.contracts.identity.practices import AddPractice
from libs.contracts.identity.registration import CompleteRegistration
from libs.contracts.identity.sessions import ResolveSession
from libs.contracts.records.patients import AddPatient
from libs.runtime.broker import ask
from services.delegation.config import Config as DelegationConfig
from tests import parts
from tests.cluster import apart
from tests.cluster.apart import Apart
from tests.messaging import ward
from tests.records import office
from tests.records.bundles import bundle, patient, result
from tests.records.office import BORN, Office
from tests.servers import Servers
from tests.waiting import until

EMAIL = "rosa.alvarez@example.com"
PASSWORD = "Quiet-Harbor-72"
SOURCE = "203.0.113.7"


@pytest.fixture
async def two(clean: Servers) -> AsyncIterator[Apart]:
    async with apart.running(clean) as made:
        yield made


@dataclass(frozen=True, kw_only=True)
class Browser:
    """A patient's, logged in."""

    http: aiohttp.ClientSession
    url: str
    token: str

    async def sees(self, address: str, *words: str) -> int:
        """The status of a page; a page that is there has these words on it."""
        headers = {"Cookie": f"{COOKIE}={self.token}"}
        async with self.http.get(f"{self.url}{address}", headers=headers) as answer:
            text = await answer.text()
        return answer.status if answer.status != 200 or all(word in text for word in words) else 0

    async def sends(self, file: bytes, key: str) -> int:
        """A file as a laboratory's machine sends it."""
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/fhir+json"}
        async with self.http.post(
            f"{self.url}/api/v1/import", headers=headers, data=file
        ) as answer:
            return answer.status


@asynccontextmanager
async def rest(here: Servers) -> AsyncIterator[str]:
    """Everything but records; the address of the portal."""
    delegation = services.delegation.app.build(
        DelegationConfig(
            database_url=here.database_url("delegation"),
            nats_url=here.nats_url,
            nats_credentials=here.credentials("delegation"),
            visa_keys=here.keys.visa_keys,
            visa_signing_key=here.keys.signing["delegation"],
        )
    )
    portal = gateway.app.build(
        Config(
            nats_url=here.nats_url,
            nats_credentials=here.credentials("gateway"),
            public_url="http://127.0.0.1",
        )
    )
    async with parts.running(office.identity(here), delegation, ward.app(here), portal) as running:
        yield str(running[-1].make_url("")).rstrip("/")


async def practice_opened(practice: Office) -> str:
    """The key that its laboratory sends files with."""
    async with parts.asking(practice.servers, "operator") as operator:
        asked = AddPractice(
            practice_id=practice.practice_id,
            name="Lakeside Oncology",
            phone="555-0100",
            address="1 Lake Street",
            hours="9 to 5",
            emergency="Call 911.",
            time_zone=office.TIME_ZONE,
            contact_email="desk@lakeside.example.com",
        )
        return (await ask(operator, asked)).import_key


async def registered(practice: Office) -> tuple[UUID, str]:
    """A patient who came by the link in the letter, and the token of their session."""
    added = await ask(
        practice.broker,
        AddPatient(
            visa=practice.staff,
            key=uuid4(),
            given="Rosa",
            family="Alvarez",
            birth_date=BORN,
            email=EMAIL,
        ),
    )

    async def invited() -> list[tuple[UUID, int]]:
        async with apart.connected(practice.servers) as db:
            return [
                tuple(row) for row in await db.fetch("SELECT id, version FROM identity.invitation")
            ]

    ((invitation_id, version),) = await until(invited)
    letter = DescribeLetter(kind=LetterKind.INVITATION, reference_id=invitation_id, version=version)
    async with parts.asking(practice.servers, "notifier") as notifier:
        link = (await ask(notifier, letter)).path
    done = await ask(
        practice.broker,
        CompleteRegistration(
            token=link.rsplit("/", 1)[1],
            date_of_birth=BORN,
            password=PASSWORD,
            confirm_password=PASSWORD,
            terms_version="2026-11",
            source=SOURCE,
        ),
        within=20,
    )
    assert done.accepted, done.rules
    came = await ask(
        practice.broker,
        LogIn(email=EMAIL, password=PASSWORD, date_of_birth=BORN, source=SOURCE),
        within=20,
    )
    hashed = hashlib.sha256(came.token.encode()).digest()
    assert (await ask(practice.broker, ResolveSession(session=hashed))).session_id
    return added.patient_id, came.token


async def test_a_page_is_away_while_its_data_moves_and_then_is_as_it_was(two: Apart) -> None:
    async with rest(two.first) as url, aiohttp.ClientSession() as http:
        async with office.opened(two.first) as practice:
            key = await practice_opened(practice)
            rosa, token = await registered(practice)
            browser = Browser(http=http, url=url, token=token)
            health = f"/p/{rosa}/health"
            assert await browser.sends(bundle(patient(), result("r1", "3.1")), key) == 202
            await until(lambda: _is(browser.sees(health, "Albumin", "3.1"), 200), within=30)
        assert await browser.sees(health, "Labs and documents are away for the moment.") == 200
        assert await browser.sees(f"/p/{rosa}/messages", "Messages") == 200
        assert await browser.sees("/account", EMAIL) == 200
        assert await browser.sends(bundle(patient(), result("r2", "3.4")), key) == 503
        await two.says("migrate")
        await two.says("move", "records")
        assert await browser.sees("/account", EMAIL) == 200
        async with office.opened(two.second):
            assert await browser.sees(health, "Albumin", "3.1") == 200
            assert await browser.sends(bundle(patient(), result("r2", "3.4")), key) == 202
            await until(lambda: _is(browser.sees(health, "3.1", "3.4"), 200), within=30)


async def _is(asked: Coroutine[Any, Any, int], status: int) -> bool:
    return await asked == status
