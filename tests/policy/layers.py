"""The portal with one of its layers of checks taken out, in the test's own process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import gateway.app
from gateway import session
from gateway.config import Config
from libs.contracts.delegation import Access
from libs.contracts.identity.staff import Seat
from libs.contracts.visa import Capacity, Limit, Role
from libs.runtime import lifeline
from libs.runtime.clock import utcnow
from tests.policy.place import Place
from tests.waiting import until


@asynccontextmanager
async def at_the_gateway(place: Place, nats_url: str = "") -> AsyncIterator[str]:
    """One more gateway of this portal; where it answers."""
    app = gateway.app.build(
        Config(
            nats_url=nats_url or place.servers.nats_url,
            nats_credentials=place.servers.credentials("gateway"),
            public_url=place.url,
        )
    )
    async with TestServer(app) as server:
        await until(lambda: app[lifeline.LINE].ready)
        yield str(server.make_url("/")).rstrip("/")


def unchecked(patch: pytest.MonkeyPatch, practice_id: UUID) -> None:
    """The gateway lets everyone who is logged in through to everything, with what they have."""

    async def visa_of(request: web.Request, person: session.SignedIn) -> tuple[UUID, str]:
        if seat := person.session.seat:
            return seat.practice_id, seat.visa
        for access in (await session.access_of(request, person)).records:
            return access.practice_id, access.visa
        return practice_id, person.session.passport

    async def acting(request: web.Request, _: Limit | None = None) -> session.Acting:
        person = await session.signed_in(request)
        try:
            patient_id = UUID(request.match_info["patient"])
        except ValueError:
            raise web.HTTPNotFound from None
        own, visa = await visa_of(request, person)
        access = Access(
            practice_id=own,
            patient_id=patient_id,
            capacity=Capacity.SELF,
            limits=frozenset(Limit),
            visa=visa,
            visa_expires_at=utcnow(),
        )
        return session.Acting(person=person, access=access, several=False)

    async def at_work(request: web.Request) -> session.AtWork:
        person = await session.find(request)
        if person is None:
            raise session.to_the_door(request, staff=True)
        own, visa = await visa_of(request, person)
        seat = Seat(practice_id=own, role=Role.ADMINISTRATOR, visa=visa)
        return session.AtWork(person=person, seat=seat)

    patch.setattr(session, "acting", acting)
    patch.setattr(session, "at_work", at_work)
