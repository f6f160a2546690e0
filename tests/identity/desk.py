"""Identity and records side by side, and somebody who walks through them by contract."""

import inspect
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, get_type_hints
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import asyncpg
import nats
import pyotp
from faststream._internal.endpoint.call_wrapper import HandlerCallWrapper
from faststream.nats import NatsBroker

import services.identity.app
import services.records.app
from libs.contracts.base import R, Refused, Request
from libs.contracts.identity.invitations import InvitationChanged
from libs.contracts.identity.letters import DescribeLetter, Letter, LetterDue, LetterKind
from libs.contracts.identity.logging_in import LogIn, LogInStaff
from libs.contracts.identity.passwords import PasswordSet
from libs.contracts.identity.practices import AddPractice, AdmitOperator, PracticeAdded
from libs.contracts.identity.registration import CompleteRegistration
from libs.contracts.identity.sessions import ResolveSession, Session, SessionEnded
from libs.contracts.identity.staff import InviteStaff
from libs.contracts.notifier import MailSettled
from libs.contracts.records.patients import AddPatient
from libs.contracts.visa import LIFETIME, Capacity, Role, Visa
from libs.runtime.broker import BROKER, ask
from libs.runtime.clock import utcnow
from libs.runtime.database import POOL, Pool
from services.identity import handlers
from services.identity.app import Means
from services.identity.config import Config
from services.identity.hashing import Hashing
from services.records.config import Config as RecordsConfig
from tests import parts
from tests.servers import Servers
from tests.waiting import until

PRACTICE = UUID("0192a000-0000-7000-8000-00000000aaaa")
BORN = date(1961, 4, 12)
PASSWORD = "Quiet-Harbor-72"
EMAIL = "rosa@example.com"
NURSE = "nora@example.com"
NURSE_BORN = date(1980, 2, 29)
HOME = "203.0.113.9"


@dataclass
class Desk:
    """Everything that a test of identity asks for."""

    servers: Servers
    gateway: NatsBroker
    notifier: NatsBroker
    operator: NatsBroker
    answering: NatsBroker
    pool: Pool
    means: Means

    async def ask(self, request: Request[R]) -> R:
        """As the gateway asks, over the wire."""
        return await ask(self.gateway, request, within=20)

    async def as_operator(self, request: Request[R]) -> R:
        return await ask(self.operator, request)

    async def at(self, now: datetime, request: Request[R]) -> R:
        """The same handler, asked at a moment of the test's choosing."""
        handler = HANDLERS[type(request)]
        given = {"asked": request, "pool": self.pool, "now": now, **self.means}
        wanted = inspect.signature(handler).parameters
        reply: R = await handler(**{name: given[name] for name in wanted})
        return reply

    @contextmanager
    def hashing_as(self, **parameters: int) -> Iterator[Hashing]:
        """Identity hashes with these parameters for a while, whichever way it is asked."""
        usual = self.means["hashing"], self.answering.context.get("hashing")
        other = Hashing(**parameters)
        self.means["hashing"] = other
        self.answering.context.set_global("hashing", other)
        try:
            yield other
        finally:
            self.means["hashing"], live = usual
            self.answering.context.set_global("hashing", live)
            other.close()

    async def refusal(self, request: Request[Any], *, now: datetime | None = None) -> str:
        """The code of the refusal that this must bring."""
        try:
            said = await (self.at(now, request) if now else self.ask(request))
        except Refused as refused:
            return refused.code
        raise AssertionError(said)

    async def said(self, request: Request[Any]) -> str:
        """ "done", or the code of the refusal."""
        try:
            await self.ask(request)
        except Refused as refused:
            return refused.code
        return "done"

    async def open_practice(self, practice_id: UUID = PRACTICE) -> PracticeAdded:
        return await self.as_operator(
            AddPractice(
                practice_id=practice_id,
                name="Lakeside Oncology",
                phone="1",
                address="",
                hours="",
                emergency="",
                time_zone="America/Denver",
                contact_email="desk@example.com",
            )
        )

    async def invite(
        self, email: str = EMAIL, *, born: date = BORN, practice_id: UUID = PRACTICE
    ) -> UUID:
        """A new patient with an invitation on its way."""
        admitted = await self.as_operator(AdmitOperator(practice_id=practice_id))
        added = await self.as_operator(
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

    async def changes(self, patient_id: UUID) -> list[InvitationChanged]:
        """Everything that was announced of the patient's invitation."""
        events = await parts.stored(self.servers, InvitationChanged)
        return [event for event in events if event.patient_id == patient_id]

    async def states(self, patient_id: UUID) -> list[str]:
        return [event.state.value for event in await self.changes(patient_id)]

    async def becomes(self, patient_id: UUID, *states: str) -> None:
        """These states were announced, in this order, and no others."""
        await self.all_told()
        assert await self.states(patient_id) == list(states)

    async def letters(self, kind: LetterKind) -> list[LetterDue]:
        """Every letter of this kind that identity owes or owed."""
        events = await parts.stored(self.servers, LetterDue)
        return [event for event in events if event.kind is kind]

    async def letter(self, kind: LetterKind = LetterKind.INVITATION, *, number: int = 0) -> Letter:
        """What the newest letter of this kind says, or the one of that number from the first."""

        async def due() -> LetterDue | None:
            letters = await self.letters(kind)
            return letters[number - 1] if len(letters) >= max(number, 1) else None

        found: LetterDue = await until(due)
        return await ask(
            self.notifier,
            DescribeLetter(kind=kind, reference_id=found.reference_id, version=found.version),
        )

    async def token(self, kind: LetterKind = LetterKind.INVITATION, *, number: int = 0) -> str:
        """The token in it."""
        return (await self.letter(kind, number=number)).path.rsplit("/", 1)[1]

    def registration(self, token: str, **changes: Any) -> CompleteRegistration:
        given: dict[str, Any] = {
            "token": token,
            "date_of_birth": BORN,
            "password": PASSWORD,
            "confirm_password": PASSWORD,
            "terms_version": "2026-11",
            "source": HOME,
        }
        if given["password"] != changes.get("password", PASSWORD):
            given["confirm_password"] = changes["password"]
        return CompleteRegistration(**given | changes)

    async def register(self, email: str = EMAIL, **changes: Any) -> UUID:
        """A patient with an account."""
        before = len(await self.letters(LetterKind.INVITATION))
        patient_id = await self.invite(email)
        token = await self.token(number=before + 1)
        assert (await self.ask(self.registration(token, **changes))).accepted
        return patient_id

    async def register_staff(self, email: str = NURSE, role: Role = Role.CLINICIAN) -> str:
        """A member of staff with an account; the secret of their one-time codes."""
        before = len(await self.letters(LetterKind.STAFF_INVITATION))
        await self.as_operator(
            InviteStaff(
                practice_id=PRACTICE,
                name="Nora Lind",
                email=email,
                date_of_birth=NURSE_BORN,
                role=role,
            )
        )
        token = await self.token(LetterKind.STAFF_INVITATION, number=before + 1)
        answer: PasswordSet = await self.ask(self.registration(token, date_of_birth=NURSE_BORN))
        assert answer.accepted
        return secret_in(answer.enrolment)

    def login(self, **changes: Any) -> LogIn:
        given: dict[str, Any] = {
            "email": EMAIL,
            "password": PASSWORD,
            "date_of_birth": BORN,
            "source": HOME,
            "device": "Firefox on Android",
        }
        return LogIn(**given | changes)

    def staff_login(self, **changes: Any) -> LogInStaff:
        given: dict[str, Any] = {"email": NURSE, "password": PASSWORD, "source": HOME}
        return LogInStaff(**given | changes)

    async def session(self, **changes: Any) -> bytes:
        """The hash of a new session's token."""
        return hash_of((await self.ask(self.login(**changes))).token)

    async def resolve(self, session: bytes) -> Session:
        return await self.ask(ResolveSession(session=session))

    async def ended(self) -> set[UUID]:
        """Every session whose end was announced."""
        await self.all_told()
        events = await parts.stored(self.servers, SessionEnded)
        return {session_id for event in events for session_id in event.session_ids}

    async def settle(self, heard: MailSettled) -> None:
        """The notifier says what became of a letter."""
        client = await nats.connect(
            self.servers.nats_url,
            nkeys_seed=self.servers.credentials("notifier"),
            inbox_prefix=b"_INBOX_notifier",
        )
        await client.jetstream().publish(heard.subject, heard.model_dump_json().encode())
        await client.close()

    def staff_visa(self, practice_id: UUID = PRACTICE) -> str:
        now = utcnow()
        visa = Visa(
            capacity=Capacity.STAFF,
            practice_id=practice_id,
            role=Role.FRONT_DESK,
            account_id=uuid4(),
            issued_at=now,
            expires_at=now + LIFETIME,
        )
        return parts.sealed(self.servers, visa, by="identity")

    async def change(self, statement: str, *given: object) -> None:
        """Change the past, as only the database's owner can."""
        db = await asyncpg.connect(self.servers.database_url("admin"))
        await db.execute("SET search_path TO identity")
        await db.execute(statement, *given)
        await db.close()

    async def look(self, statement: str, *given: object) -> Any:
        """One value, as the database's owner sees it."""
        db = await asyncpg.connect(self.servers.database_url("admin"))
        await db.execute("SET search_path TO identity")
        value = await db.fetchval(statement, *given)
        await db.close()
        return value

    async def all_told(self) -> None:
        """Everything that was to be said is said, and everything asked for is done."""

        async def nothing_left() -> bool:
            counts = await self.look(
                """
                SELECT (SELECT count(*) FROM identity.outbox)
                     + (SELECT count(*) FROM records.outbox)
                     + (SELECT count(*) FROM identity.forgotten)
                """
            )
            return bool(counts == 0)

        await until(nothing_left)


def hash_of(token: str) -> bytes:
    """What the gateway knows a session by."""
    return sha256(token.encode()).digest()


def secret_in(enrolment: str) -> str:
    return parse_qs(urlsplit(enrolment).query)["secret"][0]


def code(secret: str, now: datetime | None = None) -> str:
    """What the authenticator app shows."""
    return pyotp.TOTP(secret).at(now or utcnow())


def _handlers() -> dict[Any, Any]:
    """Each request that identity answers, and the function that does."""
    modules = [value for value in vars(handlers).values() if inspect.ismodule(value)]
    found = {}
    for wrapped in [value for module in modules for value in vars(module).values()]:
        if isinstance(wrapped, HandlerCallWrapper):
            function = wrapped._original_call
            found[get_type_hints(function).get("asked")] = function
    return found


def identity(servers: Servers, **changes: Any) -> Config:
    given: dict[str, Any] = {
        "database_url": servers.database_url("identity"),
        "nats_url": servers.nats_url,
        "nats_credentials": servers.credentials("identity"),
        "visa_keys": servers.keys.visa_keys,
        "visa_signing_key": servers.keys.signing["identity"],
        "link_key": servers.keys.link_key,
        "key_ring": servers.keys.key_ring,
        "argon2_memory_kib": 64,
        "argon2_passes": 1,
        "argon2_lanes": 1,
        "public_url": "https://portal.example.com",
    }
    return Config(**given | changes)


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
    """Identity and records, and everyone who asks them."""
    app = services.identity.app.build(identity(servers))
    async with (
        parts.running(app, services.records.app.build(records(servers))),
        parts.asking(servers, "gateway") as gateway,
        parts.asking(servers, "notifier") as notifier,
        parts.asking(servers, "operator") as operator,
    ):
        yield Desk(
            servers=servers,
            gateway=gateway,
            notifier=notifier,
            operator=operator,
            answering=app[BROKER],
            pool=app[POOL],
            means=services.identity.app.means(identity(servers)),
        )


HANDLERS = _handlers()
