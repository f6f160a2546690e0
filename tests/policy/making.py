"""How the world comes about: by the same requests that everyone makes, in the order of life."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import asyncpg
import pyotp
from faststream.nats import NatsBroker

from libs.contracts.base import R, Refused, Request
from libs.contracts.delegation import ListAccess, RevokeAccess
from libs.contracts.identity.letters import DescribeLetter, LetterKind
from libs.contracts.identity.logging_in import LogIn, LogInStaff
from libs.contracts.identity.practices import AddPractice, AdmitOperator
from libs.contracts.identity.registration import CompleteRegistration
from libs.contracts.identity.sessions import EndSession, ResolveSession
from libs.contracts.identity.sharing import InviteDelegate
from libs.contracts.identity.staff import InviteStaff
from libs.contracts.records.patients import AddPatient
from libs.contracts.visa import Capacity, Limit, Passport, Role, Visa
from libs.runtime.broker import ask
from libs.runtime.clock import utcnow
from tests import parts
from tests.policy.place import Place
from tests.policy.world import BORN, Actor, Record, World, everybody
from tests.waiting import until

PASSWORD = "Quiet-Harbor-72"
LIMITS = {
    "delegate": frozenset(Limit),
    "delegate for results": frozenset({Limit.RESULTS}),
    "delegate for documents": frozenset({Limit.DOCUMENTS}),
    "delegate for messages": frozenset({Limit.MESSAGES}),
    "delegate for sending": frozenset({Limit.SENDING}),
    "revoked delegate": frozenset(Limit),
    "delegate whose time is over": frozenset(Limit),
}
ROLES = {
    "administrator": Role.ADMINISTRATOR,
    "clinician": Role.CLINICIAN,
    "front desk": Role.FRONT_DESK,
    "staff by the patients' door": Role.CLINICIAN,
    "staff without their code": Role.CLINICIAN,
    "administrator elsewhere": Role.ADMINISTRATOR,
}
SOURCE = "203.0.113.7"


@dataclass(kw_only=True)
class Maker:
    """Whoever makes it: with the keys of every part."""

    place: Place
    brokers: dict[str, NatsBroker]
    world: World
    admin: asyncpg.Connection
    mark: str = field(default_factory=lambda: uuid4().hex[:8])
    """In every address, so that several worlds can be at one portal."""
    sessions: dict[str, UUID] = field(default_factory=dict)
    """What a token opened, for what asks who was proven in it."""
    codes: dict[str, str] = field(default_factory=dict)
    """The secrets of staff's one-time codes."""

    async def ask(self, request: Request[R], by: str = "gateway") -> R:
        try:
            return await ask(self.brokers[by], request, within=20)
        except Refused as refused:
            raise AssertionError(f"{request.subject}: {refused.code}") from None

    def visa(self, actor: str, owner: str = "rosa") -> str:
        """A visa as its issuer would give it, for acting on this record."""
        who, record = self.world.actors[actor], self.world.records[owner]
        is_staff = actor in ROLES
        now = utcnow()
        visa = Visa(
            capacity=Capacity.STAFF if is_staff else Capacity.SELF,
            practice_id=record.practice_id,
            patient_id=None if is_staff else record.patient_id,
            limits=frozenset() if is_staff else frozenset(Limit),
            role=ROLES.get(actor),
            account_id=who.account_id or UUID(int=0),
            session_id=self.sessions.get(who.token),
            actor_name=actor.title(),
            issued_at=now,
            expires_at=now + timedelta(seconds=10),
        )
        issuer = "identity" if is_staff else "delegation"
        return parts.sealed(self.place.servers, visa, by=issuer)

    def passport(self, actor: str) -> str:
        """Who somebody is, proved just now, as identity would say it."""
        who, now = self.world.actors[actor], utcnow()
        said = Passport(
            session_id=uuid4(),
            account_id=who.account_id or UUID(int=0),
            name=actor.title(),
            proven_at=now,
            issued_at=now,
            expires_at=now + timedelta(seconds=10),
        )
        return parts.sealed(self.place.servers, said, by="identity")

    async def register(self, actor: Actor, kind: LetterKind, *, name: str = "") -> None:
        """From the link in the letter, as they would."""
        invitation = await self.admin.fetchrow(
            "SELECT id, version FROM identity.invitation WHERE email = $1", actor.email
        )
        assert invitation
        letter = await self.ask(
            DescribeLetter(kind=kind, reference_id=invitation["id"], version=invitation["version"]),
            by="notifier",
        )
        registered = await self.ask(
            CompleteRegistration(
                token=letter.path.rsplit("/", 1)[1],
                date_of_birth=actor.born,
                password=PASSWORD,
                confirm_password=PASSWORD,
                terms_version="2026-11",
                name=name,
                source=SOURCE,
            )
        )
        assert registered.accepted, registered.rules
        if registered.enrolment:
            secret = parse_qs(urlsplit(registered.enrolment).query)["secret"][0]
            self.codes[actor.email] = secret
        actor.account_id = await self.admin.fetchval(
            "SELECT id FROM identity.account WHERE email = $1", actor.email
        )

    async def log_in(self, actor: Actor) -> str:
        """By the patients' door; staff need their code there too."""
        code = pyotp.TOTP(self.codes[actor.email]).now() if actor.email in self.codes else ""
        asked = LogIn(
            email=actor.email,
            password=PASSWORD,
            date_of_birth=actor.born,
            code=code,
            source=SOURCE,
        )
        token = (await self.ask(asked)).token
        self.sessions[token] = (await self.ask(ResolveSession(session=hash_of(token)))).session_id
        return token

    async def log_in_staff(self, actor: Actor) -> str:
        code = pyotp.TOTP(self.codes[actor.email]).now()
        asked = LogInStaff(email=actor.email, password=PASSWORD, code=code, source=SOURCE)
        return (await self.ask(asked)).token


def hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@asynccontextmanager
async def made(place: Place) -> AsyncIterator[World]:
    """The world, with everybody in it."""
    lakeside, harbor = uuid4(), uuid4()
    records = {
        "rosa": Record(owner="rosa", practice_id=lakeside),
        "sara": Record(owner="sara", practice_id=lakeside),
        "tara": Record(owner="tara", practice_id=harbor),
    }
    world = World(records=records, actors=everybody())
    async with AsyncExitStack() as stack:
        brokers = {
            part: await stack.enter_async_context(parts.asking(place.servers, part))
            for part in ("gateway", "operator", "notifier")
        }
        admin = await asyncpg.connect(place.servers.database_url("admin"))
        stack.push_async_callback(admin.close)
        maker = Maker(place=place, brokers=brokers, world=world, admin=admin)
        await _practices(maker)
        await _patients(maker)
        await _staff(maker)
        await _family(maker)
        await filled(maker)
        await _over(maker)
        yield world


async def _practices(maker: Maker) -> None:
    records, actors = maker.world.records, maker.world.actors
    for owner, key_holder in (("rosa", "machine"), ("tara", "machine elsewhere")):
        practice_id = records[owner].practice_id
        added = await maker.ask(
            AddPractice(
                practice_id=practice_id,
                name=f"Practice of {owner.title()}",
                phone="555-0100",
                address="1 Lake Street",
                hours="9 to 5",
                emergency="Call 911.",
                time_zone="America/Denver",
                contact_email=f"desk.{owner}@example.com",
            ),
            by="operator",
        )
        actors[key_holder].key = added.import_key
    admitted = await maker.ask(AdmitOperator(practice_id=records["rosa"].practice_id), "operator")
    actors["operator"].key = admitted.visa


async def _patients(maker: Maker) -> None:
    for owner, record in maker.world.records.items():
        admitted = await maker.ask(AdmitOperator(practice_id=record.practice_id), by="operator")
        added = await maker.ask(
            AddPatient(
                visa=admitted.visa,
                key=uuid4(),
                given=owner.title(),
                family=record.words["name"].title(),
                birth_date=BORN,
                email=record.email,
            ),
            by="operator",
        )
        record.patient_id = added.patient_id
        record.ids |= {"patient": str(added.patient_id), "practice": str(record.practice_id)}
        actor = maker.world.actors[owner]
        actor.email = record.email
        await until(partial(_invited, maker, record.email))
        await maker.register(actor, LetterKind.INVITATION)
        actor.token, actor.spare_token = await _twice(maker, actor)


async def _invited(maker: Maker, email: str) -> bool:
    found = await maker.admin.fetchval(
        "SELECT true FROM identity.invitation WHERE email = $1", email
    )
    return bool(found)


async def _twice(maker: Maker, actor: Actor) -> tuple[str, str]:
    return await maker.log_in(actor), await maker.log_in(actor)


async def _staff(maker: Maker) -> None:
    records = maker.world.records
    for number, (name, role) in enumerate(ROLES.items()):
        actor = maker.world.actors[name]
        actor.email, actor.born = (
            f"staff{number}.{maker.mark}@example.com",
            date(1984, 2, 1 + number),
        )
        practice = records["tara" if "elsewhere" in name else "rosa"].practice_id
        await maker.ask(
            InviteStaff(
                practice_id=practice,
                name=f"Staff {number}",
                email=actor.email,
                date_of_birth=actor.born,
                role=role,
            ),
            by="operator",
        )
        await maker.register(actor, LetterKind.STAFF_INVITATION)
        if name == "staff by the patients' door":
            actor.token = await maker.log_in(actor)
        elif name != "staff without their code":
            actor.token = await maker.log_in_staff(actor)


async def _family(maker: Maker) -> None:
    """Invited by the patient, registered, logged in; and somebody who has not answered yet."""
    let_in = [("rosa", name, limits) for name, limits in LIMITS.items()]
    let_in += [(owner, f"delegate of {owner}", frozenset(Limit)) for owner in ("sara", "tara")]
    for number, (owner, name, limits) in enumerate(let_in):
        actor = maker.world.actors[name]
        actor.email, actor.born = (
            f"family{number}.{maker.mark}@example.com",
            date(1988, 9, 1 + number),
        )
        await _invite(maker, owner, actor.email, actor.born, limits)
        await maker.register(actor, LetterKind.DELEGATE_INVITATION, name=f"Family {number}")
        actor.token = await maker.log_in(actor)
    for owner, record in maker.world.records.items():
        for ids, start in ((record.ids, ""), (record.spare, "spare.")):
            email = f"{start}{record.words['users']}@example.com"
            await _invite(maker, owner, email, BORN, frozenset(Limit))
            ids["invitation"] = await _invitation(maker, email)
    await asyncio.gather(
        *(until(partial(_let_in, maker, name), within=30) for _, name, _ in let_in)
    )
    for owner, name in (
        ("rosa", "delegate"),
        ("sara", "delegate of sara"),
        ("tara", "delegate of tara"),
    ):
        record, email = maker.world.records[owner], maker.world.actors[name].email
        record.ids["access"] = await _invitation(maker, email)


async def _invite(
    maker: Maker, owner: str, email: str, born: date, limits: frozenset[Limit]
) -> None:
    asked = InviteDelegate(
        visa=maker.visa(owner, owner),
        key=uuid4(),
        patient_id=maker.world.records[owner].patient_id,
        email=email,
        date_of_birth=born,
        limits=limits,
    )
    await maker.ask(asked)


async def _invitation(maker: Maker, email: str) -> str:
    return str(
        await maker.admin.fetchval("SELECT id FROM identity.invitation WHERE email = $1", email)
    )


async def _let_in(maker: Maker, name: str) -> bool:
    return len(await visas(maker.brokers["gateway"], maker.world.actors[name])) == 1


async def visas(gateway: NatsBroker, actor: Actor) -> list[str]:
    """The visas that this actor can have, from a session that is open."""
    session = await ask(gateway, ResolveSession(session=hash_of(actor.token)))
    if session.seat:
        return [session.seat.visa]
    held = await ask(gateway, ListAccess(passport=session.passport))
    return [access.visa for access in held.records]


async def _over(maker: Maker) -> None:
    """What has ended: an access taken away, one that ran out, a session."""
    rosa, actors = maker.world.records["rosa"], maker.world.actors
    gateway = maker.brokers["gateway"]
    grants = {
        row["account_id"]: row["invitation_id"]
        for row in await maker.admin.fetch("SELECT * FROM delegation.access_grant")
    }
    revoked, over = actors["revoked delegate"], actors["delegate whose time is over"]
    [revoked.visa] = await visas(gateway, revoked)
    await maker.ask(
        RevokeAccess(
            visa=maker.visa("rosa"),
            patient_id=rosa.patient_id,
            invitation_id=grants[revoked.account_id],
            version=1,
        )
    )
    await maker.admin.execute(
        """
        UPDATE delegation.access_grant
           SET granted_at = now() - interval '2 days', ends_at = now() - interval '1 day'
         WHERE account_id = $1
        """,
        over.account_id,
    )
    await maker.admin.execute(
        "UPDATE identity.invitation SET ends_at = now() - interval '1 day' WHERE email = $1",
        over.email,
    )
    ended = actors["ended session"]
    ended.email = rosa.email
    ended.token = await maker.log_in(ended)
    [ended.visa] = await visas(gateway, ended)
    await maker.ask(EndSession(session=hash_of(ended.token)))


async def filled(maker: Maker) -> None:
    from tests.policy.filling import fill

    await fill(maker)
