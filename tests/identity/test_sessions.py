"""Sessions: 15 minutes without activity, 12 hours at most, ended at once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from libs.access.gate import Gate
from libs.contracts.base import Refused
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.sessions import (
    EndSession,
    EndSessions,
    ListSessions,
    ResolveSession,
    SessionEnded,
)
from libs.contracts.identity.staff import ListColleagues
from libs.contracts.visa import Role
from libs.runtime.clock import utcnow
from services.identity.domain.session import IDLE, LONGEST, Session, shortened
from tests.identity.desk import PRACTICE, Desk, code, hash_of

NOON = utcnow()
MOMENT = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
SESSION = Session(
    id=PRACTICE,
    account_id=PRACTICE,
    practice_id=None,
    device="",
    source="",
    started_at=NOON,
    last_seen_at=NOON,
    previous_login_at=None,
    proven_at=None,
)


def test_a_session_ends_after_fifteen_minutes_without_activity_and_after_twelve_hours() -> None:
    assert SESSION.holds(now=NOON + IDLE - MOMENT)
    assert not SESSION.holds(now=NOON + IDLE)
    busy = replace(SESSION, last_seen_at=NOON + LONGEST - timedelta(minutes=1))
    assert busy.holds(now=NOON + LONGEST - MOMENT)
    assert not busy.holds(now=NOON + LONGEST)


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("203.0.113.9", "203.0.113.x"),
        ("2001:db8:1:2::/64", "2001:db8:1:2::"),
        ("unix", "unknown"),
        ("", "unknown"),
    ],
)
def test_where_a_session_began_is_shown_without_all_of_it(source: str, place: str) -> None:
    assert shortened(source) == place


async def test_each_use_keeps_a_session_awake_until_twelve_hours_are_over(desk: Desk) -> None:
    await desk.register()
    began = utcnow()
    token = hash_of((await desk.at(began, desk.login())).token)
    asked = ResolveSession(session=token)
    now = began
    while now + timedelta(minutes=14) < began + LONGEST:
        now += timedelta(minutes=14)
        resolved = await desk.at(now, asked)
        assert resolved.idle_ends_at == now + IDLE
        assert resolved.ends_at == began + LONGEST
    assert await desk.at(began + LONGEST - SECOND, asked)
    assert await desk.refusal(asked, now=began + LONGEST) == Refusal.NO_SESSION


async def test_an_idle_session_is_over_to_the_second(desk: Desk) -> None:
    await desk.register()
    began = utcnow()
    token = hash_of((await desk.at(began, desk.login())).token)
    look = ResolveSession(session=token, touch=False)
    assert await desk.at(began + IDLE - SECOND, look)
    assert await desk.refusal(look, now=began + IDLE) == Refusal.NO_SESSION
    assert await desk.refusal(ListSessions(session=token), now=began + IDLE)


async def test_asking_without_touching_keeps_nobody_awake(desk: Desk) -> None:
    await desk.register()
    began = utcnow()
    token = hash_of((await desk.at(began, desk.login())).token)
    for minutes in (5, 10, 14):
        look = ResolveSession(session=token, touch=False)
        shown = await desk.at(began + timedelta(minutes=minutes), look)
        assert shown.idle_ends_at == began + IDLE


async def test_many_uses_at_once_are_written_down_seldom_and_exactly_enough(desk: Desk) -> None:
    await desk.register()
    began = utcnow()
    token = hash_of((await desk.at(began, desk.login())).token)
    asked = ResolveSession(session=token)
    for tenth in range(1, 40):
        await desk.at(began + timedelta(seconds=tenth / 10), asked)
    seen = await desk.look("SELECT last_seen_at FROM session")
    assert timedelta(0) <= began + timedelta(seconds=3.9) - seen < SECOND
    await desk.at(began, asked)
    assert await desk.look("SELECT last_seen_at FROM session") == seen


async def test_logging_out_is_the_end_everywhere(desk: Desk) -> None:
    await desk.register()
    token = await desk.session()
    session_id = (await desk.resolve(token)).session_id
    await desk.ask(EndSession(session=token))
    assert await desk.refusal(ResolveSession(session=token)) == Refusal.NO_SESSION
    assert await desk.ended() == {session_id}
    await desk.ask(EndSession(session=token))
    assert await desk.ended() == {session_id}


async def test_sessions_are_listed_and_ended_one_by_one_or_all_but_this(desk: Desk) -> None:
    await desk.register()
    here, there, elsewhere = [await desk.session() for _ in range(3)]
    listed = (await desk.ask(ListSessions(session=here))).sessions
    assert [line.current for line in listed] == [True, False, False]
    assert {(line.place, line.device) for line in listed} == {("203.0.113.x", "Firefox on Android")}
    theirs, last = await desk.resolve(there), await desk.resolve(elsewhere)
    await desk.ask(EndSessions(session=here, session_id=theirs.session_id))
    assert await desk.refusal(ResolveSession(session=there)) == Refusal.NO_SESSION
    await desk.ask(EndSessions(session=here))
    assert await desk.refusal(ResolveSession(session=elsewhere)) == Refusal.NO_SESSION
    assert await desk.resolve(here)
    assert await desk.ended() == {theirs.session_id, last.session_id}


async def test_sessions_that_are_over_are_not_listed(desk: Desk) -> None:
    await desk.register()
    began = utcnow()
    await desk.at(began, desk.login())
    late = began + IDLE
    token = hash_of((await desk.at(late, desk.login())).token)
    listed = await desk.at(late, ListSessions(session=token))
    assert [line.current for line in listed.sessions] == [True]


async def test_nobody_ends_or_sees_anybody_elses_session(desk: Desk) -> None:
    await desk.register()
    await desk.register("ana@example.com")
    rosa, ana = await desk.session(), await desk.session(email="ana@example.com")
    theirs = await desk.resolve(rosa)
    await desk.ask(EndSessions(session=ana, session_id=theirs.session_id))
    await desk.ask(EndSessions(session=ana))
    assert await desk.resolve(rosa)
    listed = (await desk.ask(ListSessions(session=ana))).sessions
    assert theirs.session_id not in {line.session_id for line in listed}


async def test_a_session_ends_once_however_many_end_it(desk: Desk) -> None:
    await desk.register()
    token = await desk.session()
    await asyncio.gather(*(desk.ask(EndSession(session=token)) for _ in range(20)))
    assert len(await desk.ended()) == 1


async def test_what_is_said_of_a_session_is_believed_by_a_gate_until_it_ends(desk: Desk) -> None:
    secret = await desk.register_staff()
    token = hash_of((await desk.ask(desk.staff_login(code=code(secret)))).token)
    session, now = await desk.resolve(token), utcnow()
    gate = Gate(desk.servers.keys.visa_keys)
    passport = gate.passport(session.passport, now=now)
    assert (passport.session_id, passport.account_id) == (session.session_id, session.account_id)
    assert session.seat
    visa = gate.admit_staff(session.seat.visa, now=now)
    assert (visa.practice_id, visa.actor_name) == (PRACTICE, "Nora Lind")
    late = now + timedelta(seconds=11)
    for statement in (gate.passport, gate.admit):
        sealed = session.passport if statement == gate.passport else session.seat.visa
        with pytest.raises(Refused):
            statement(sealed, now=late)
    gate.hear_ended(SessionEnded(session_ids=(session.session_id,)))
    with pytest.raises(Refused):
        gate.admit_staff(session.seat.visa, now=now)


async def test_a_deactivated_accounts_session_is_over(desk: Desk) -> None:
    await desk.register()
    token = await desk.session()
    await desk.change("UPDATE account SET active = false")
    assert await desk.refusal(ResolveSession(session=token)) == Refusal.NO_SESSION


async def test_sessions_long_over_are_swept_away(desk: Desk) -> None:
    from services.identity import worker

    await desk.register()
    now = utcnow()
    await desk.at(now - LONGEST - SECOND, desk.login())
    kept = hash_of((await desk.at(now, desk.login())).token)
    await worker.sweep(desk.pool, now=now)
    assert await desk.look("SELECT count(*) FROM session") == 1
    assert await desk.resolve(kept)
    assert await desk.look("SELECT count(*) FROM sign_in") == 2


async def test_staff_see_their_colleagues_and_nobody_else_does(desk: Desk) -> None:
    await desk.register()
    secret = await desk.register_staff()
    staff = await desk.ask(desk.staff_login(code=code(secret)))
    listed = await desk.ask(ListColleagues(session=hash_of(staff.token)))
    [nurse] = listed.colleagues
    assert (nurse.role, bool(nurse.name)) == (Role.CLINICIAN, True)
    patient = await desk.session()
    assert await desk.refusal(ListColleagues(session=patient)) == Refusal.NO_SESSION
    assert await desk.refusal(ListColleagues(session=b"x" * 32)) == Refusal.NO_SESSION
