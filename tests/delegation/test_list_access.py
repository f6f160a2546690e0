"""Which records somebody may act on, and the visas that say so."""

from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

import services.delegation.app
import services.messaging.app
from libs.access.gate import Gate
from libs.contracts.base import Event, Refused
from libs.contracts.delegation import Access, ListAccess
from libs.contracts.identity.registration import PatientRegistered
from libs.contracts.messaging.mailbox import CountUnread
from libs.contracts.visa import Capacity, Limit, Passport
from libs.runtime import outbox
from libs.runtime.broker import ask
from libs.runtime.clock import utcnow
from services.delegation.config import Config
from services.messaging.config import Config as MessagingConfig
from tests import parts
from tests.servers import Servers
from tests.waiting import until


def delegation(servers: Servers) -> Config:
    return Config(
        database_url=servers.database_url("delegation"),
        nats_url=servers.nats_url,
        nats_credentials=servers.credentials("delegation"),
        visa_keys=servers.keys.visa_keys,
        visa_signing_key=servers.keys.signing["delegation"],
    )


def messaging(servers: Servers) -> MessagingConfig:
    return MessagingConfig(
        database_url=servers.database_url("messaging"),
        nats_url=servers.nats_url,
        nats_credentials=servers.credentials("messaging"),
        visa_keys=servers.keys.visa_keys,
        key_ring=servers.keys.key_ring,
    )


def passport(servers: Servers, account_id: UUID) -> str:
    now = utcnow()
    statement = Passport(
        session_id=uuid4(),
        account_id=account_id,
        name="Rosa Alvarez",
        issued_at=now,
        expires_at=now + timedelta(seconds=10),
    )
    return parts.sealed(servers, statement, by="identity")


async def announce(servers: Servers, event: Event, *, by: str = "identity") -> None:
    """As this service would: in its own outbox, carried by a relay of its own."""
    db = await asyncpg.connect(servers.database_url(by), server_settings={"search_path": by})
    await outbox.announce(db, event)
    await db.close()


def registered(account_id: UUID) -> PatientRegistered:
    return PatientRegistered(
        practice_id=uuid4(), patient_id=uuid4(), account_id=account_id, invitation_id=uuid4()
    )


async def records_of(servers: Servers, account_id: UUID) -> tuple[Access, ...]:
    async with parts.asking(servers) as broker:
        asked = ListAccess(passport=passport(servers, account_id))
        return (await ask(broker, asked)).records


async def test_a_registered_patient_holds_their_own_record_and_may_open_their_messages(
    clean: Servers,
) -> None:
    rosa, event = uuid4(), registered(uuid4())
    event = event.model_copy(update={"account_id": rosa})
    async with parts.running(
        services.delegation.app.build(delegation(clean)),
        services.messaging.app.build(messaging(clean)),
        parts.relay(clean, "identity"),
    ):
        await announce(clean, event)
        (access,) = await until(lambda: records_of(clean, rosa))
        async with parts.asking(clean) as broker:
            asked = CountUnread(visa=access.visa, patient_id=event.patient_id)
            assert (await ask(broker, asked)).count == 0
    assert (access.capacity, access.limits) == (Capacity.SELF, frozenset(Limit))
    assert (access.practice_id, access.patient_id) == (event.practice_id, event.patient_id)
    visa = Gate(clean.keys.visa_keys).admit(
        access.visa, now=utcnow(), patient_id=event.patient_id, limit=Limit.SENDING
    )
    assert (visa.account_id, visa.actor_name) == (rosa, "Rosa Alvarez")


async def test_nobody_holds_anybody_elses_record(clean: Servers) -> None:
    rosa = uuid4()
    async with parts.running(
        services.delegation.app.build(delegation(clean)), parts.relay(clean, "identity")
    ):
        await announce(clean, registered(rosa))
        await until(lambda: records_of(clean, rosa))
        assert await records_of(clean, uuid4()) == ()


async def test_without_a_passport_from_identity_there_is_nothing_to_see(clean: Servers) -> None:
    async with (
        parts.running(services.delegation.app.build(delegation(clean))),
        parts.asking(clean) as broker,
    ):
        for forged in ("", "identity.e30.x", passport(clean, uuid4())[:-4]):
            with pytest.raises(Refused, match="not_logged_in"):
                await ask(broker, ListAccess(passport=forged))
