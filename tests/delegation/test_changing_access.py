"""A patient changes what somebody may do, and somebody leaves."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from libs.contracts.base import Refused
from libs.contracts.delegation import (
    AccessChanged,
    AccessRevoked,
    DelegationActed,
    LeaveRecord,
)
from libs.contracts.identity.factors import PROVEN_FOR
from libs.contracts.messaging.mailbox import CountUnread
from libs.contracts.visa import Capacity, Limit
from libs.runtime.broker import ask
from libs.runtime.clock import utcnow
from tests import parts
from tests.delegation.ward import ANA, RECORD, Ward, accepted
from tests.waiting import until


async def test_what_a_patient_takes_away_is_void_at_once_in_visas_from_before(ward: Ward) -> None:
    await ward.hears(accepted())
    (access,) = await until(ward.holds)
    look = CountUnread(visa=access.visa, patient_id=RECORD)
    assert (await ask(ward.broker, look)).count == 0
    ends_at = utcnow() + timedelta(days=3)
    began = utcnow()
    await ward.changes(ends_at=ends_at)

    async def refused() -> bool:
        try:
            await ask(ward.broker, look)
        except Refused:
            return True
        return False

    await until(refused)
    assert utcnow() - began < timedelta(seconds=1)
    (access,) = await ward.holds()
    assert access.limits == {Limit.RESULTS}
    assert access.ends_at == ends_at
    (known,) = await ward.known()
    assert known.limits == {Limit.RESULTS}
    assert (known.ends_at, known.revision) == (ends_at, 1)


async def test_what_a_patient_gives_more_of_holds_at_once(ward: Ward) -> None:
    await ward.hears(accepted(limits=frozenset({Limit.RESULTS})))
    (before,) = await until(ward.holds)
    await ward.changes(limits=frozenset(Limit))
    (access,) = await ward.holds()
    look = CountUnread(visa=access.visa, patient_id=RECORD)
    assert (await ask(ward.broker, look)).count == 0
    (event,) = await until(lambda: parts.stored(ward.servers, AccessChanged))
    assert (event.grant_id, event.narrower) == (before.grant_id, False)


async def test_a_change_from_an_older_page_or_of_what_has_ended_changes_nothing(ward: Ward) -> None:
    await ward.hears(accepted())
    await until(ward.holds)
    await ward.changes()
    await ward.changes(revision=1)  # as it is: nothing is told of it
    with pytest.raises(Refused, match="changed_meanwhile"):
        await ward.changes(limits=frozenset(Limit))
    for wrong, code in (
        ({"limits": frozenset()}, "nothing_shared"),
        ({"ends_at": utcnow()}, "end_is_past"),
        ({"version": 2}, "access_over"),
        ({"invitation_id": uuid4()}, "access_over"),
    ):
        with pytest.raises(Refused, match=code):
            await ward.changes(**{"revision": 1} | wrong)
    await ward.revokes()
    with pytest.raises(Refused, match="access_over"):
        await ward.changes(revision=1)
    assert len(await parts.stored(ward.servers, AccessChanged)) == 1


async def test_only_the_patient_changes_an_access_and_only_with_a_fresh_proof(ward: Ward) -> None:
    await ward.hears(accepted())
    await until(ward.holds)
    others = (
        ward.visa(Capacity.DELEGATE, account_id=ANA),
        ward.visa(Capacity.STAFF),
        ward.visa(patient_id=uuid4()),
    )
    for visa in others:
        with pytest.raises(Refused, match="not_allowed"):
            await ward.changes(visa)
    for shown, code in (
        (ward.passport(ago=PROVEN_FOR), "proof_needed"),
        (ward.passport(proven_at=None), "proof_needed"),
        (ward.passport(account_id=ANA), "not_allowed"),
        ("identity.e30.x", "not_allowed"),
    ):
        with pytest.raises(Refused, match=code):
            await ward.changes(passport=shown)
    (access,) = await ward.holds()
    assert access.limits == frozenset(Limit)


async def test_who_is_let_in_again_right_after_a_revocation_may_look_at_once(ward: Ward) -> None:
    """The end of the first access voids what came of it, however late, and nothing newer."""
    await ward.hears(accepted())
    (before,) = await until(ward.holds)
    await ward.revokes()
    await ward.hears(accepted(version=2))
    (again,) = await until(ward.holds)
    await until(lambda: parts.stored(ward.servers, AccessRevoked))
    assert (await ask(ward.broker, CountUnread(visa=again.visa, patient_id=RECORD))).count == 0
    with pytest.raises(Refused, match="not_allowed"):
        await ask(ward.broker, CountUnread(visa=before.visa, patient_id=RECORD))


async def test_a_delegate_leaves_and_nobody_leaves_for_another(ward: Ward) -> None:
    await ward.hears(accepted())
    (access,) = await until(ward.holds)
    assert access.grant_id

    async def leaves(visa: str, grant_id: UUID) -> None:
        asked = LeaveRecord(visa=visa, patient_id=RECORD, grant_id=grant_id)
        await ask(ward.broker, asked)

    for visa in (ward.visa(), ward.visa(Capacity.STAFF)):
        with pytest.raises(Refused, match="not_allowed"):
            await leaves(visa, access.grant_id)
    await leaves(ward.visa(Capacity.DELEGATE, account_id=uuid4()), access.grant_id)
    await leaves(access.visa, uuid4())
    assert len(await ward.holds()) == 1
    await leaves(access.visa, access.grant_id)
    assert await ward.holds() == ()
    (ended,) = await ward.known()
    assert (ended.left, ended.by_practice) == (True, False)
    (event,) = await until(lambda: parts.stored(ward.servers, AccessRevoked))
    assert (event.account_id, event.invitation_version, event.letter) == (ANA, 1, False)
    (act,) = await until(lambda: parts.stored(ward.servers, DelegationActed))
    assert (act.capacity, act.account_id) == (Capacity.DELEGATE, ANA)
