"""The gate of a service: who passes with which visa."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.access.gate import Gate, NotAllowed
from libs.contracts.delegation import AccessChanged, AccessRevoked
from libs.contracts.identity.sessions import SessionEnded
from libs.contracts.records.standing import StandingChanged
from libs.contracts.visa import Capacity, Limit, Role, Visa
from libs.runtime.clock import utcnow
from libs.runtime.seal import Seal
from tests.runtime.test_seal import OTHER, PRIVATE, private, public

IDENTITY = Seal("identity", private(PRIVATE))
DELEGATION = Seal("delegation", private(OTHER))
ROSA, ANA, SESSION = uuid4(), uuid4(), uuid4()
NOW = utcnow()


def gate() -> Gate:
    return Gate(f"identity:{public(PRIVATE)},delegation:{public(OTHER)}")


def visa(**changes: Any) -> Visa:
    given: dict[str, Any] = {
        "capacity": Capacity.SELF,
        "practice_id": uuid4(),
        "patient_id": ROSA,
        "limits": frozenset(Limit),
        "account_id": ANA,
        "session_id": SESSION,
        "issued_at": NOW,
        "expires_at": NOW + timedelta(seconds=10),
    }
    return Visa(**given | changes)


def staff(**changes: Any) -> Visa:
    return visa(capacity=Capacity.STAFF, patient_id=None, role=Role.CLINICIAN, **changes)


def revoked(account_id: UUID, *, at: datetime, grant_id: UUID | None = None) -> AccessRevoked:
    return AccessRevoked(
        grant_id=grant_id,
        practice_id=uuid4(),
        patient_id=ROSA,
        account_id=account_id,
        at=at,
        revoked_at=at,
        invitation_id=uuid4(),
        invitation_version=1,
    )


def test_a_patient_passes_for_their_own_record() -> None:
    said = visa()
    assert gate().admit(DELEGATION.close(said), now=NOW, patient_id=ROSA) == said


def test_nobody_passes_for_another_record() -> None:
    with pytest.raises(NotAllowed):
        gate().admit(DELEGATION.close(visa()), now=NOW, patient_id=uuid4())


def test_a_limit_holds() -> None:
    limited = DELEGATION.close(visa(limits=frozenset({Limit.DOCUMENTS})))
    assert gate().admit(limited, now=NOW, patient_id=ROSA, limit=Limit.DOCUMENTS)
    with pytest.raises(NotAllowed):
        gate().admit(limited, now=NOW, patient_id=ROSA, limit=Limit.RESULTS)


@pytest.mark.parametrize("capacity", list(Capacity))
def test_only_its_own_issuer_may_say_a_capacity(capacity: Capacity) -> None:
    wrong = IDENTITY if capacity in (Capacity.SELF, Capacity.DELEGATE) else DELEGATION
    with pytest.raises(NotAllowed):
        gate().admit(wrong.close(visa(capacity=capacity)), now=NOW, patient_id=ROSA)


def test_a_patients_visa_without_a_patient_opens_nothing() -> None:
    for patient_id in (ROSA, None):
        with pytest.raises(NotAllowed):
            gate().admit(DELEGATION.close(visa(patient_id=None)), now=NOW, patient_id=patient_id)


def test_staff_pass_by_role() -> None:
    sealed = IDENTITY.close(staff())
    assert gate().admit_staff(sealed, now=NOW)
    assert gate().admit_staff(sealed, now=NOW, roles={Role.CLINICIAN})
    with pytest.raises(NotAllowed):
        gate().admit_staff(sealed, now=NOW, roles={Role.ADMINISTRATOR})


def test_a_patient_is_no_staff_and_a_machine_only_where_it_is_named() -> None:
    machine = IDENTITY.close(visa(capacity=Capacity.MACHINE, patient_id=None, session_id=None))
    assert gate().admit_staff(machine, now=NOW, machines=True)
    for sealed in (machine, DELEGATION.close(visa())):
        with pytest.raises(NotAllowed):
            gate().admit_staff(sealed, now=NOW)


def test_a_visa_ends_after_ten_seconds() -> None:
    sealed = DELEGATION.close(visa())
    with pytest.raises(NotAllowed):
        gate().admit(sealed, now=NOW + timedelta(seconds=10), patient_id=ROSA)


def test_an_ended_session_is_refused_at_once() -> None:
    here = gate()
    here.hear_ended(SessionEnded(session_ids=(SESSION,)))
    for sealed in (DELEGATION.close(visa()), IDENTITY.close(staff())):
        with pytest.raises(NotAllowed):
            here.admit(sealed, now=NOW, patient_id=ROSA)


def test_a_revocation_voids_visas_from_before_and_not_after() -> None:
    here = gate()
    here.hear_revoked(revoked(ANA, at=NOW))
    later = NOW + timedelta(seconds=1)
    fresh = visa(issued_at=later, expires_at=later + timedelta(seconds=10))
    with pytest.raises(NotAllowed):
        here.admit(DELEGATION.close(visa()), now=later, patient_id=ROSA)
    assert here.admit(DELEGATION.close(fresh), now=later, patient_id=ROSA)


def changed(grant_id: UUID, revision: int, *, narrower: bool = True) -> AccessChanged:
    return AccessChanged(
        practice_id=uuid4(),
        patient_id=ROSA,
        account_id=ANA,
        grant_id=grant_id,
        revision=revision,
        limits=frozenset({Limit.RESULTS}),
        ends_at=None,
        narrower=narrower,
        changed_at=NOW,
        invitation_id=uuid4(),
        invitation_version=1,
    )


def passes(here: Gate, said: Visa) -> bool:
    try:
        here.admit(DELEGATION.close(said), now=NOW, patient_id=ROSA)
    except NotAllowed:
        return False
    return True


def test_what_came_of_a_revoked_grant_is_void_whenever_it_was_issued_and_nothing_else_is() -> None:
    here, gone = gate(), uuid4()
    here.hear_revoked(revoked(ANA, at=NOW + timedelta(seconds=2), grant_id=gone))
    late = NOW + timedelta(seconds=5)
    assert not passes(here, visa(grant_id=gone))
    assert not passes(here, visa(grant_id=gone, issued_at=late))
    assert passes(here, visa(grant_id=uuid4()))


def test_visas_and_revocations_of_the_last_release_name_no_grant_and_count_by_time() -> None:
    here, there = gate(), gate()
    here.hear_revoked(revoked(ANA, at=NOW, grant_id=uuid4()))
    there.hear_revoked(revoked(ANA, at=NOW))
    assert not passes(here, visa())
    assert not passes(there, visa(grant_id=uuid4()))


def test_what_was_taken_away_voids_visas_of_an_older_revision_in_whatever_order_it_is_heard() -> (
    None
):
    here, grant_id = gate(), uuid4()
    here.hear_changed(changed(grant_id, 2))
    here.hear_changed(changed(grant_id, 1))
    here.hear_changed(changed(grant_id, 3, narrower=False))
    held = [passes(here, visa(grant_id=grant_id, revision=revision)) for revision in range(4)]
    assert held == [False, False, True, True]
    here.hear_revoked(revoked(ANA, at=NOW, grant_id=grant_id))
    here.hear_changed(changed(grant_id, 4))
    assert not passes(here, visa(grant_id=grant_id, revision=4))


def test_what_was_heard_is_remembered_as_long_as_a_visa_lives_and_no_longer() -> None:
    here = gate()
    long_ago = datetime.now(UTC) - timedelta(minutes=1)
    here.hear_revoked(revoked(uuid4(), at=long_ago))
    here.hear_revoked(revoked(ANA, at=datetime.now(UTC)))
    assert list(here._revoked) == [(ANA, ROSA, False)]


def test_while_a_record_is_closed_only_the_practice_passes_whenever_a_visa_was_signed() -> None:
    here = gate()
    closed, opened = (
        StandingChanged(practice_id=uuid4(), patient_id=ROSA, active=active, change=change)
        for change, active in ((1, False), (2, True))
    )
    later = visa(issued_at=NOW + timedelta(seconds=5), expires_at=NOW + timedelta(seconds=15))
    delegate = visa(capacity=Capacity.DELEGATE, grant_id=uuid4())
    here.hear_standing(closed)
    for said in (visa(), later, delegate):
        with pytest.raises(NotAllowed):
            here.admit(DELEGATION.close(said), now=NOW + timedelta(seconds=5), patient_id=ROSA)
    assert here.admit(IDENTITY.close(staff()), now=NOW, patient_id=ROSA)
    other = visa(patient_id=uuid4())
    assert here.admit(DELEGATION.close(other), now=NOW, patient_id=other.patient_id)
    here.hear_standing(opened)
    here.hear_standing(closed)  # heard late
    assert here.admit(DELEGATION.close(visa()), now=NOW, patient_id=ROSA)
