"""A front desk that adds patients without pause, and remembers which ones were acknowledged."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from itertools import pairwise
from uuid import UUID, uuid4

from faststream.nats import NatsBroker
from uuid_utils.compat import uuid7

from deploy import reach
from deploy.reach import Reach
from libs.contracts.identity.practices import AddPractice
from libs.contracts.records.patients import AddPatient
from libs.contracts.visa import LIFETIME, Capacity, Role, Visa
from libs.runtime.broker import Unavailable, ask
from libs.runtime.clock import utcnow
from tests import parts
from tests.servers import Servers
from tests.waiting import until

AT_ONCE = 6
PAUSE = 0.25
"""Seconds between two patients of one clerk."""
TRIES_FOR = 90
"""Seconds in which the same form is sent again, until somebody acknowledges it."""


class Load:
    """What was acknowledged, and when."""

    def __init__(self, servers: Servers, asking: NatsBroker, practice_id: UUID) -> None:
        self._servers = servers
        self._asking = asking
        self._practice_id = practice_id
        self._account_id = uuid4()
        self.acknowledged: set[UUID] = set()
        self.at: list[float] = []
        self.unavailable = 0

    @property
    def longest_gap(self) -> float:
        """Seconds in which nothing was acknowledged."""
        return max(later - earlier for earlier, later in pairwise(self.at))

    @property
    def told(self) -> str:
        """For people."""
        return (
            f"{len(self.acknowledged)} writes acknowledged in {self.at[-1] - self.at[0]:.0f} s, "
            f"{self.unavailable} times 'unavailable', and sent again; "
            f"longest write gap {self.longest_gap:.2f} s"
        )

    async def more(self, count: int, *, within: float) -> None:
        """So many were acknowledged from now on."""
        before = len(self.acknowledged)
        await until(lambda: len(self.acknowledged) >= before + count, within=within)

    async def work(self, enough: asyncio.Event) -> None:
        """One clerk. A form that nobody acknowledges is sent again as it is."""
        while not enough.is_set():
            self.acknowledged.add(await self._written(uuid7(), uuid4().hex))
            self.at.append(time.monotonic())
            await asyncio.sleep(PAUSE)

    async def _written(self, key: UUID, number: str) -> UUID:
        latest = time.monotonic() + TRIES_FOR
        while True:
            try:
                return (await ask(self._asking, self._form(key, number))).patient_id
            except Unavailable:
                self.unavailable += 1
                assert time.monotonic() < latest, "nobody acknowledges"
                await asyncio.sleep(0.1)

    def _form(self, key: UUID, number: str) -> AddPatient:
        now = utcnow()
        visa = Visa(
            capacity=Capacity.STAFF,
            practice_id=self._practice_id,
            account_id=self._account_id,
            role=Role.FRONT_DESK,
            issued_at=now,
            expires_at=now + LIFETIME,
        )
        return AddPatient(
            visa=parts.sealed(self._servers, visa, by="identity"),
            key=key,
            given="Rosa",
            family=f"Alvarez {number[:12]}",
            birth_date=date(1961, 4, 12),
            email=f"{number}@example.com",
            even_so=True,
        )


async def opened(there: Reach) -> UUID:
    """A practice, by the operator's own connection."""
    asked = AddPractice(
        practice_id=uuid4(),
        name="Lakeside Oncology",
        phone="1",
        address="",
        hours="",
        emergency="",
        time_zone="America/Denver",
        contact_email="desk@example.com",
    )
    async with reach.asking(there) as operator:
        await ask(operator, asked, within=15)
    return asked.practice_id


@asynccontextmanager
async def writing(servers: Servers, asking: NatsBroker, practice_id: UUID) -> AsyncIterator[Load]:
    """It goes on for as long as this is open; whatever was begun is acknowledged by then."""
    load, enough = Load(servers, asking, practice_id), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(load.work(enough))
        try:
            yield load
        finally:
            enough.set()
