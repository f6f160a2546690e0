"""What a patient and her daughter ask of delegation, and of messaging beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from faststream.nats import NatsBroker

import services.delegation.app
import services.messaging.app
from libs.contracts.delegation import (
    Access,
    ChangeAccess,
    Delegate,
    ListAccess,
    ListDelegates,
    RevokeAccess,
)
from libs.contracts.identity.sharing import DelegateAccepted
from libs.contracts.visa import LIFETIME, Capacity, Limit, Passport, Visa
from libs.runtime.broker import ask
from libs.runtime.clock import utcnow
from tests import parts
from tests.delegation.test_list_access import announce, delegation, messaging, passport
from tests.servers import Servers

PRACTICE, ROSA, RECORD, ANA = uuid4(), uuid4(), uuid4(), uuid4()
INVITATION = uuid4()


def accepted(**changes: Any) -> DelegateAccepted:
    given: dict[str, Any] = {
        "practice_id": PRACTICE,
        "patient_id": RECORD,
        "account_id": ANA,
        "invitation_id": INVITATION,
        "version": 1,
        "limits": frozenset(Limit),
        "ends_at": None,
        "granted_by": ROSA,
    }
    return DelegateAccepted(**given | changes)


class Ward:
    """Delegation and messaging, and somebody who asks them."""

    def __init__(self, servers: Servers, broker: NatsBroker) -> None:
        self.servers = servers
        self.broker = broker

    async def hears(self, event: DelegateAccepted) -> None:
        await announce(self.servers, event)

    async def holds(self, account_id: UUID = ANA) -> tuple[Access, ...]:
        asked = ListAccess(passport=passport(self.servers, account_id))
        return (await ask(self.broker, asked)).records

    async def known(self) -> tuple[Delegate, ...]:
        asked = ListDelegates(visa=self.visa(), patient_id=RECORD)
        return (await ask(self.broker, asked)).delegates

    async def revokes(self, visa: str = "", **changes: Any) -> None:
        given: dict[str, Any] = {
            "visa": visa or self.visa(),
            "patient_id": RECORD,
            "invitation_id": INVITATION,
            "version": 1,
        }
        await ask(self.broker, RevokeAccess(**given | changes))

    async def changes(self, visa: str = "", passport: str = "", **changes: Any) -> None:
        given: dict[str, Any] = {
            "visa": visa or self.visa(),
            "passport": passport or self.passport(),
            "patient_id": RECORD,
            "invitation_id": INVITATION,
            "version": 1,
            "revision": 0,
            "limits": frozenset({Limit.RESULTS}),
            "ends_at": None,
        }
        await ask(self.broker, ChangeAccess(**given | changes))

    def passport(self, *, ago: timedelta = timedelta(), **changes: Any) -> str:
        """The patient's, who proved who she is so long ago."""
        now = utcnow()
        given: dict[str, Any] = {
            "session_id": uuid4(),
            "account_id": ROSA,
            "name": "Rosa Alvarez",
            "proven_at": now - ago,
            "issued_at": now,
            "expires_at": now + LIFETIME,
        }
        return parts.sealed(self.servers, Passport(**given | changes), by="identity")

    def visa(self, capacity: Capacity = Capacity.SELF, **changes: Any) -> str:
        now = utcnow()
        staff = capacity is Capacity.STAFF
        given: dict[str, Any] = {
            "capacity": capacity,
            "practice_id": PRACTICE,
            "patient_id": None if staff else RECORD,
            "limits": frozenset(Limit),
            "role": "front_desk" if staff else None,
            "account_id": ROSA,
            "issued_at": now,
            "expires_at": now + LIFETIME,
        }
        by = "identity" if staff else "delegation"
        return parts.sealed(self.servers, Visa(**given | changes), by=by)


@asynccontextmanager
async def opened(servers: Servers) -> AsyncIterator[Ward]:
    async with (
        parts.running(
            services.delegation.app.build(delegation(servers)),
            services.messaging.app.build(messaging(servers)),
            parts.relay(servers, "identity"),
        ),
        parts.asking(servers) as broker,
    ):
        yield Ward(servers, broker)
