"""What a gateway remembers of sessions and access, and what it must not."""

from datetime import timedelta
from uuid import UUID, uuid4

from gateway.session import Desk
from libs.contracts.delegation import Access, AccessChanged, AccessList, AccessRevoked
from libs.contracts.identity.sessions import SessionEnded
from libs.contracts.visa import LIFETIME, Capacity, Limit
from libs.runtime.clock import utcnow
from tests.gateway import samples

TOKEN = b"the hash of a token"


def access() -> AccessList:
    one = Access(
        practice_id=uuid4(),
        patient_id=uuid4(),
        capacity=Capacity.DELEGATE,
        limits=frozenset(Limit),
        visa="sealed",
        visa_expires_at=utcnow() + LIFETIME,
    )
    return AccessList(records=(one,))


def revoked() -> AccessRevoked:
    return AccessRevoked(
        practice_id=uuid4(),
        patient_id=uuid4(),
        account_id=uuid4(),
        at=utcnow(),
        revoked_at=utcnow(),
        invitation_id=uuid4(),
        invitation_version=1,
    )


def changed() -> AccessChanged:
    return AccessChanged(
        practice_id=uuid4(),
        patient_id=uuid4(),
        account_id=uuid4(),
        grant_id=uuid4(),
        revision=1,
        limits=frozenset({Limit.RESULTS}),
        ends_at=utcnow() + timedelta(days=1),
        narrower=True,
        changed_at=utcnow(),
        invitation_id=uuid4(),
        invitation_version=1,
    )


def test_access_is_remembered_until_anybodys_access_ends_or_changes() -> None:
    for heard in (revoked(), changed()):
        desk, session_id = Desk(), uuid4()
        desk.keep_access(session_id, access(), heard=desk.heard)
        assert desk.access.get(session_id)
        desk.hear_changed(heard)
        assert desk.access.get(session_id) is None


def test_what_was_asked_before_an_end_and_comes_after_it_is_not_remembered() -> None:
    desk, session_id = Desk(), uuid4()
    before = desk.heard
    desk.hear_changed(revoked())
    desk.keep_access(session_id, access(), heard=before)
    assert desk.access.get(session_id) is None
    session = samples.session("Rosa Alvarez")
    before = desk.heard
    desk.hear_ended(SessionEnded(session_ids=(session.session_id,)))
    desk.keep_session(TOKEN, session, heard=before)
    assert desk.sessions.get(TOKEN) is None


def test_a_session_is_remembered_until_it_ends_and_no_other_with_it() -> None:
    desk, session = Desk(), samples.session("Rosa Alvarez")
    desk.keep_session(TOKEN, session, heard=desk.heard)
    desk.hear_ended(SessionEnded(session_ids=(UUID(int=1),)))
    assert desk.sessions.get(TOKEN) == session
    desk.hear_ended(SessionEnded(session_ids=(session.session_id,)))
    assert desk.sessions.get(TOKEN) is None
