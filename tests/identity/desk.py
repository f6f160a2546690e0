"""Identity and records side by side, and somebody who walks through them by contract."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from faststream.nats import NatsBroker

import services.identity.app
import services.records.app
from libs.contracts.base import R, Refused, Request
from libs.contracts.identity import (
    AddPractice,
    AdmitOperator,
    CompleteRegistration,
    DescribeLetter,
    InvitationChanged,
    LetterDue,
    LetterKind,
    LogIn,
    PasswordSet,
    ResolveSession,
    Session,
    SessionEnded,
)
from libs.contracts.records import AddPatient
from libs.runtime.broker import ask
from services.identity.config import Config
from services.records.config import Config as RecordsConfig
from tests import parts
from tests.servers import Servers
from tests.waiting import until

PRACTICE = UUID("0192a000-0000-7000-8000-00000000aaaa")
BORN = date(1961, 4, 12)
PASSWORD = "Quiet-Harbor-72"
EMAIL = "rosa@example.com"


@dataclass
class Desk:
    """Everything that a test of identity asks for."""

    servers: Servers
    gateway: NatsBroker
    notifier: NatsBroker
    operator: NatsBroker

    async def ask(self, request: Request[R]) -> R:
        return await ask(self.gateway, request, within=10)

    async def refusal(self, request: Request[Any]) -> str:
        """The code of the refusal that this must bring."""
        try:
            said = await self.ask(request)
        except Refused as refused:
            return refused.code
        raise AssertionError(said)

    async def invite(self, email: str = EMAIL, *, born: date = BORN) -> UUID:
        """A new patient with an invitation on its way."""
        admitted = await ask(self.operator, AdmitOperator(practice_id=PRACTICE))
        added = await ask(
            self.operator,
            AddPatient(
                visa=admitted.visa,
                key=uuid4(),
                given="Rosa",
                family=f"Alvarez {uuid4().hex[:6]}",
                birth_date=born,
                email=email,
            ),
        )
        await until(lambda: self.states(added.patient_id))
        return added.patient_id

    async def states(self, patient_id: UUID) -> list[str]:
        """Every state that was announced of the patient's invitation."""
        events = await parts.stored(self.servers, InvitationChanged)
        return [event.state.value for event in events if event.patient_id == patient_id]

    async def letters(self, kind: LetterKind) -> list[LetterDue]:
        events = await parts.stored(self.servers, LetterDue)
        return [event for event in events if event.kind is kind]

    async def token(self, kind: LetterKind = LetterKind.INVITATION, *, more_than: int = 0) -> str:
        """The token of the newest letter of this kind, as the notifier would have it."""

        async def newest() -> LetterDue | None:
            letters = await self.letters(kind)
            return letters[-1] if len(letters) > more_than else None

        due: LetterDue = await until(newest)
        letter = await ask(
            self.notifier,
            DescribeLetter(kind=kind, reference_id=due.reference_id, version=due.version),
        )
        return letter.path.rsplit("/", 1)[1]

    def registration(self, token: str, **changes: Any) -> CompleteRegistration:
        given: dict[str, Any] = {
            "token": token,
            "date_of_birth": BORN,
            "password": PASSWORD,
            "confirm_password": PASSWORD,
            "terms_version": "2026-11",
            "source": "203.0.113.9",
        }
        return CompleteRegistration(**given | changes)

    async def register(self, email: str = EMAIL) -> PasswordSet:
        before = len(await self.letters(LetterKind.INVITATION))
        await self.invite(email)
        return await self.ask(self.registration(await self.token(more_than=before)))

    def login(self, **changes: Any) -> LogIn:
        given: dict[str, Any] = {
            "email": EMAIL,
            "password": PASSWORD,
            "date_of_birth": BORN,
            "source": "203.0.113.9",
            "device": "Firefox on Android",
        }
        return LogIn(**given | changes)

    async def session(self, **changes: Any) -> bytes:
        """A session's hash."""
        opened = await self.ask(self.login(**changes))
        return sha256(opened.token.encode()).digest()

    async def resolve(self, session: bytes) -> Session:
        return await self.ask(ResolveSession(session=session))

    async def ended(self) -> set[UUID]:
        events = await parts.stored(self.servers, SessionEnded)
        return {session_id for event in events for session_id in event.session_ids}

    async def move(self, statement: str, *given: object) -> None:
        """Change the past, as only the database's owner can."""
        db = await asyncpg.connect(self.servers.database_url("admin"))
        await db.execute("SET search_path TO identity")
        await db.execute(statement, *given)
        await db.close()


def identity(servers: Servers) -> Config:
    return Config(
        database_url=servers.database_url("identity"),
        nats_url=servers.nats_url,
        nats_credentials=servers.credentials("identity"),
        visa_keys=servers.keys.visa_keys,
        visa_signing_key=servers.keys.signing["identity"],
        link_key=servers.keys.link_key,
        key_ring=servers.keys.key_ring,
        argon2_memory_kib=16 * 1024,
        argon2_passes=2,
        argon2_lanes=1,
    )


def records(servers: Servers) -> RecordsConfig:
    return RecordsConfig(
        database_url=servers.database_url("records"),
        nats_url=servers.nats_url,
        nats_credentials=servers.credentials("records"),
        visa_keys=servers.keys.visa_keys,
        key_ring=servers.keys.key_ring,
    )


@asynccontextmanager
async def opened(servers: Servers) -> AsyncIterator[Desk]:
    """Identity and records, with one practice."""
    async with (
        parts.running(
            services.identity.app.build(identity(servers)),
            services.records.app.build(records(servers)),
        ),
        parts.asking(servers, "gateway") as gateway,
        parts.asking(servers, "notifier") as notifier,
        parts.asking(servers, "operator") as operator,
    ):
        await ask(
            operator,
            AddPractice(
                practice_id=PRACTICE,
                name="Lakeside Oncology",
                phone="1",
                address="",
                hours="",
                emergency="",
                time_zone="America/Denver",
                contact_email="desk@example.com",
            ),
        )
        yield Desk(servers, gateway, notifier, operator)
