"""What came of a patient's invitation, and how it ends."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

import services.delegation.app
import services.messaging.app
from libs.contracts.base import Refused
from libs.contracts.delegation import (
    AccessRevoked,
    ListDelegates,
)
from libs.contracts.messaging.mailbox import CountUnread
from libs.contracts.visa import LIFETIME, Capacity, Limit
from libs.runtime.broker import ask
from libs.runtime.clock import utcnow
from tests import parts, proxy
from tests.delegation.test_list_access import delegation, messaging
from tests.delegation.ward import ANA, INVITATION, RECORD, ROSA, Ward, accepted
from tests.servers import Servers
from tests.waiting import until


async def test_who_accepted_holds_what_the_patient_wished_and_no_more(ward: Ward) -> None:
    await ward.hears(accepted(limits=frozenset({Limit.RESULTS})))
    (access,) = await until(ward.holds)
    assert (access.capacity, access.limits) == (Capacity.DELEGATE, {Limit.RESULTS})
    with pytest.raises(Refused, match="not_allowed"):
        await ask(ward.broker, CountUnread(visa=access.visa, patient_id=RECORD))


async def test_a_visa_from_before_a_revocation_is_refused_at_once(ward: Ward) -> None:
    await ward.hears(accepted())
    (access,) = await until(ward.holds)
    look = CountUnread(visa=access.visa, patient_id=RECORD)
    assert (await ask(ward.broker, look)).count == 0
    await ward.revokes()

    async def refused() -> bool:
        try:
            await ask(ward.broker, look)
        except Refused:
            return True
        return False

    await until(refused)
    assert await ward.holds() == ()
    (ended,) = await ward.known()
    assert ended.revoked_at is not None
    assert not ended.by_practice


async def test_an_end_that_comes_before_the_acceptance_wins(ward: Ward) -> None:
    await ward.revokes()
    await ward.hears(accepted())
    await ward.hears(accepted(account_id=uuid4(), invitation_id=uuid4()))
    await until(ward.known)
    assert await ward.holds() == ()
    assert [one.invitation_id for one in await ward.known()] != [INVITATION]


async def test_a_newer_acceptance_holds_whatever_ended_before(ward: Ward) -> None:
    await ward.revokes()
    await ward.hears(accepted(version=2))
    (access,) = await until(ward.holds)
    assert access.patient_id == RECORD
    await ward.revokes()
    assert len(await ward.holds()) == 1


async def test_the_same_acceptance_twice_gives_one_access(ward: Ward) -> None:
    for _ in range(3):
        await ward.hears(accepted())  # each an event of its own
    await ward.hears(accepted(invitation_id=uuid4(), account_id=ROSA))
    await until(lambda: ward.holds(ROSA))
    assert [one.account_id for one in await ward.known()] == [ROSA, ANA]


async def test_an_access_ends_with_its_last_moment_and_its_visa_before(ward: Ward) -> None:
    ends_at: datetime = utcnow() + timedelta(seconds=4)
    await ward.hears(accepted(ends_at=ends_at))
    (access,) = await until(ward.holds)
    assert access.visa_expires_at == ends_at
    await until(lambda: _over(ends_at))
    assert await ward.holds() == ()


async def _over(at: datetime) -> bool:
    return utcnow() >= at


async def test_a_practice_ends_an_access_with_a_reason_and_not_without(ward: Ward) -> None:
    await ward.hears(accepted())
    await until(ward.holds)
    staff = ward.visa(Capacity.STAFF)
    with pytest.raises(Refused, match="reason_missing"):
        await ward.revokes(staff)
    await ward.revokes(staff, reason="She asked us to.")
    (ended,) = await ward.known()
    assert (ended.by_practice, ended.reason) == (True, "She asked us to.")
    (event,) = await until(lambda: parts.stored(ward.servers, AccessRevoked))
    assert (event.account_id, event.patient_id) == (ANA, RECORD)
    assert not event.letter  # a gateway of the last release asks for none


async def test_a_letter_tells_of_an_end_unless_the_access_was_over(ward: Ward) -> None:
    ends_at = utcnow() + timedelta(seconds=2)
    for number, end in enumerate((None, ends_at)):
        invitation_id = uuid4()
        await ward.hears(accepted(invitation_id=invitation_id, ends_at=end))
        await until(ward.holds)
        if end:
            await until(lambda: _over(ends_at))
        await ward.revokes(invitation_id=invitation_id, letter=True)

        async def told(count: int = number + 1) -> bool:
            return len(await parts.stored(ward.servers, AccessRevoked)) == count

        await until(told)
    events = await parts.stored(ward.servers, AccessRevoked)
    assert [event.letter for event in events] == [True, False]


async def test_nobody_else_ends_or_sees_an_access(ward: Ward) -> None:
    await ward.hears(accepted())
    await until(ward.holds)
    elsewhere = ward.visa(Capacity.STAFF, practice_id=uuid4())
    for visa in (ward.visa(Capacity.DELEGATE, account_id=ANA), ward.visa(patient_id=uuid4())):
        with pytest.raises(Refused, match="not_allowed"):
            await ward.revokes(visa)
        with pytest.raises(Refused, match="not_allowed"):
            await ask(ward.broker, ListDelegates(visa=visa, patient_id=RECORD))
    await ward.revokes(elsewhere, reason="Not mine to end.")
    asked = ListDelegates(visa=elsewhere, patient_id=RECORD)
    assert (await ask(ward.broker, asked)).delegates == ()
    assert len(await ward.holds()) == 1


async def test_cut_off_from_nats_a_revoked_access_goes_on_for_no_longer_than_a_visa_lives(
    clean: Servers,
) -> None:
    """Delegation wrote the end down and can tell nobody; messaging has no way to know of it."""
    async with proxy.between(clean.nats_port) as line:
        cut_off = replace(delegation(clean), nats_url=f"nats://127.0.0.1:{line.port}")
        async with (
            parts.running(services.messaging.app.build(messaging(clean))),
            parts.asking(clean) as broker,
            parts.running(services.delegation.app.build(cut_off), parts.relay(clean, "identity")),
        ):
            ward = Ward(clean, broker)
            await ward.hears(accepted())
            (access,) = await until(ward.holds)
            look = CountUnread(visa=access.visa, patient_id=RECORD)
            line.hold()
            await _writes_down_the_end(clean)
            began = utcnow()
            with pytest.raises(Refused, match="not_allowed"):
                while utcnow() < began + 2 * LIFETIME:
                    await ask(broker, look)
                    await asyncio.sleep(0.1)
            assert utcnow() - began <= LIFETIME + timedelta(seconds=1)
            line.mend()


async def _writes_down_the_end(servers: Servers) -> None:
    db = await asyncpg.connect(servers.database_url("admin"))
    await db.execute(
        "UPDATE delegation.access_grant SET revoked_at = now(), revoked_by = granted_by"
    )
    await db.close()
