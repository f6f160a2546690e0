"""Who is told of a patient's messages follows what the patient lets them see."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from libs.contracts.base import Event
from libs.contracts.delegation import AccessChanged, AccessGranted
from libs.contracts.visa import Limit
from libs.runtime.clock import utcnow
from tests import parts
from tests.delegation.test_list_access import announce
from tests.messaging.ward import Someone, Ward
from tests.waiting import until


def granted(ana: Someone, at: datetime) -> AccessGranted:
    return AccessGranted(
        practice_id=ana.ward.practice_id,
        patient_id=ana.patient_id,
        account_id=ana.account_id,
        limits=frozenset(Limit),
        granted_at=at,
        ends_at=None,
    )


def changed(ana: Someone, at: datetime, **changes: Any) -> AccessChanged:
    given: dict[str, Any] = {
        "practice_id": ana.ward.practice_id,
        "patient_id": ana.patient_id,
        "account_id": ana.account_id,
        "grant_id": uuid4(),
        "revision": 1,
        "limits": frozenset(Limit),
        "ends_at": None,
        "narrower": False,
        "changed_at": at,
        "invitation_id": uuid4(),
        "invitation_version": 1,
    }
    return AccessChanged(**given | changes)


async def test_who_may_no_longer_read_messages_is_no_longer_told_and_then_is_again(
    ward: Ward,
) -> None:
    rosa, now = ward.patient(), utcnow()
    ana = ward.delegate(rosa, "Ana Ruiz")
    less = {"limits": frozenset({Limit.RESULTS}), "narrower": True}
    last = now + timedelta(days=3)

    async def tell(event: Event) -> None:
        await announce(ward.servers, event, by="delegation")

    async def until_when() -> list[datetime | None]:
        async with ward.rows() as rows:
            return [
                row["until"]
                for row in await rows.fetch(
                    "SELECT until FROM correspondent WHERE account_id = $1", ana.account_id
                )
            ]

    async with parts.running(parts.relay(ward.servers, "delegation")):
        await tell(granted(ana, now))
        await until(until_when)
        assert await until_when() == [None]
        await tell(changed(ana, now + timedelta(seconds=1), **less))
        await _becomes(until_when, now + timedelta(seconds=1))
        await tell(changed(ana, now + timedelta(seconds=3), ends_at=last))
        await _becomes(until_when, last)
        await tell(changed(ana, now + timedelta(seconds=2), **less))  # heard late
        await tell(changed(ana, now + timedelta(seconds=4)))
        await _becomes(until_when, None)


async def _becomes(until_when: Any, moment: datetime | None) -> None:
    async def is_so() -> bool:
        return bool(await until_when() == [moment])

    await until(is_so)
