"""What each actor can show on the wire: the statement they have, and the hash of their session."""

import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from faststream.nats import NatsBroker

from libs.contracts.base import Event, Refused
from libs.contracts.delegation import AccessRevoked
from libs.contracts.identity.practices import AdmitMachine, AdmitOperator
from libs.contracts.identity.sessions import ResolveSession, SessionEnded
from libs.contracts.records.patients import NamePatients
from libs.contracts.visa import LIFETIME, Capacity, Limit, Visa
from libs.runtime.broker import ask
from libs.runtime.clock import utcnow
from tests import parts
from tests.policy.making import hash_of, visas
from tests.policy.place import Place
from tests.policy.world import Actor, World
from tests.waiting import until

REVOKED_AT = utcnow()
"""The same however often it is announced, so that it is written down once."""


@dataclass(frozen=True, kw_only=True)
class Papers:
    """What somebody shows with each request that wants it."""

    visa: str
    passport: str
    session: bytes


NONE = Papers(visa="", passport="", session=b"")


@dataclass(frozen=True, kw_only=True)
class Office:
    """Where papers are had, and said to be void."""

    place: Place
    world: World
    brokers: dict[str, NatsBroker]

    @property
    def gateway(self) -> NatsBroker:
        return self.brokers["gateway"]

    async def papers(self, actor: Actor) -> Papers:
        """Good for 10 seconds, or void from this moment on."""
        rosa = self.world.records["rosa"].practice_id
        if actor.name == "operator":
            admitted = await ask(self.brokers["operator"], AdmitOperator(practice_id=rosa))
            return Papers(visa=admitted.visa, passport="", session=b"")
        if actor.key:
            digest = hashlib.sha256(actor.key.encode()).digest()
            admitted = await ask(self.gateway, AdmitMachine(key_hash=digest))
            return Papers(visa=admitted.visa, passport=admitted.visa, session=digest)
        if actor.name == "ended session":
            return Papers(
                visa=await self._of_an_ended_session(), passport="", session=hash_of(actor.token)
            )
        if not actor.token:
            return Papers(visa="", passport="", session=secrets.token_bytes(32))
        session = await ask(self.gateway, ResolveSession(session=hash_of(actor.token)))
        held = await visas(self.gateway, actor)
        visa = held[0] if held else session.passport
        if actor.name == "revoked delegate":
            visa = await self._of_a_revoked_access(actor)
        if actor.name == "delegate whose time is over":
            visa = self._visa(actor, issued=-2 * LIFETIME)
        return Papers(visa=visa, passport=session.passport, session=hash_of(actor.token))

    def _visa(self, actor: Actor, *, issued: timedelta = timedelta(), **said: object) -> str:
        """As delegation would have given it to them for Rosa's record, then."""
        rosa = self.world.records["rosa"]
        visa = Visa(
            capacity=Capacity.DELEGATE,
            practice_id=rosa.practice_id,
            patient_id=rosa.patient_id,
            limits=frozenset(Limit),
            account_id=actor.account_id or uuid4(),
            actor_name=actor.name,
            issued_at=utcnow() + issued,
            expires_at=utcnow() + issued + LIFETIME,
            **said,
        )
        return parts.sealed(self.place.servers, visa, by="delegation")

    async def _of_an_ended_session(self) -> str:
        session_id = uuid4()
        visa = self._visa(self.world.actors["rosa"], session_id=session_id)
        await self._announce("identity", SessionEnded(session_ids=(session_id,)))
        await self._is_void(visa)
        return visa

    async def _of_a_revoked_access(self, actor: Actor) -> str:
        rosa = self.world.records["rosa"]
        visa = self._visa(actor)
        assert actor.account_id
        revoked = AccessRevoked(
            practice_id=rosa.practice_id,
            patient_id=rosa.patient_id,
            account_id=actor.account_id,
            at=utcnow() + timedelta(seconds=1),
            revoked_at=REVOKED_AT,
            invitation_id=uuid4(),
            invitation_version=1,
        )
        await self._announce("delegation", revoked)
        await self._is_void(visa)
        return visa

    async def _announce(self, service: str, event: Event) -> None:
        """As the service's own outbox would."""
        await self.brokers[service].publish(event.model_dump_json().encode(), event.subject)

    async def _is_void(self, visa: str) -> None:
        """Every service has heard of it; they hear at the same moment."""
        patient_id = self.world.records["rosa"].patient_id

        async def refused() -> bool:
            try:
                await ask(self.gateway, NamePatients(visa=visa, patient_ids=(patient_id,)))
            except Refused:
                return True
            return False

        await until(refused, within=5)


@asynccontextmanager
async def opened(place: Place, world: World, *, gates_open: bool = False) -> AsyncIterator[Office]:
    """With the revocation in it already, which is announced again whenever it is to be fresh."""
    async with AsyncExitStack() as stack:
        brokers = {
            part: await stack.enter_async_context(parts.asking(place.servers, part))
            for part in ("gateway", "operator", "identity", "delegation")
        }
        office = Office(place=place, world=world, brokers=brokers)
        if not gates_open:
            await office.papers(world.actors["revoked delegate"])
        yield office
