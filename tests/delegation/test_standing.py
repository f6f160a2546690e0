"""A record that its practice has closed: whoever could act on it can't, until it is open again."""

from typing import Any

from libs.contracts.delegation import AccessList, Closed, Delegate, ListAccess, ListDelegates
from libs.contracts.identity.registration import PatientRegistered
from libs.contracts.records.standing import StandingChanged
from libs.contracts.visa import Capacity
from libs.runtime.broker import ask
from tests import parts
from tests.delegation.test_list_access import announce, passport
from tests.delegation.ward import ANA, INVITATION, PRACTICE, RECORD, ROSA, Ward, accepted
from tests.waiting import until


def changed(change: int, *, active: bool, **more: Any) -> StandingChanged:
    given: dict[str, Any] = {"practice_id": PRACTICE, "patient_id": RECORD}
    return StandingChanged(**given | more, active=active, change=change)


async def access_of(ward: Ward, account_id: Any) -> AccessList:
    asked = ListAccess(passport=passport(ward.servers, account_id))
    return await ask(ward.broker, asked)


async def seen_by_staff(ward: Ward) -> tuple[Delegate, ...]:
    asked = ListDelegates(visa=ward.visa(Capacity.STAFF), patient_id=RECORD)
    return (await ask(ward.broker, asked)).delegates


async def test_a_closed_record_is_nobodys_and_its_patient_alone_is_told(ward: Ward) -> None:
    registered = PatientRegistered(
        practice_id=PRACTICE, patient_id=RECORD, account_id=ROSA, invitation_id=INVITATION
    )
    async with parts.running(parts.relay(ward.servers, "records")):
        await announce(ward.servers, registered)
        await ward.hears(accepted())
        await until(ward.holds)
        await until(lambda: ward.holds(ROSA))

        async def tell(event: StandingChanged) -> None:
            await announce(ward.servers, event, by="records")

        async def nobody() -> bool:
            return not await ward.holds() and not await ward.holds(ROSA)

        await tell(changed(1, active=False))
        await until(nobody)
        own = Closed(practice_id=PRACTICE, patient_id=RECORD)
        assert (await access_of(ward, ROSA)).closed == (own,)
        assert (await access_of(ward, ANA)).closed == ()
        (kept,) = await seen_by_staff(ward)
        assert kept.revoked_at is None

        await tell(changed(2, active=True))
        await tell(changed(1, active=False))  # heard late
        await until(lambda: ward.holds(ROSA))
        assert len(await ward.holds()) == 1
        assert (await access_of(ward, ROSA)).closed == ()


async def test_who_accepts_or_registers_after_a_record_was_closed_sees_nothing(ward: Ward) -> None:
    async with parts.running(parts.relay(ward.servers, "records")):
        await announce(ward.servers, changed(1, active=False), by="records")
        await ward.hears(accepted())
        await until(lambda: seen_by_staff(ward))
        assert await ward.holds() == ()
