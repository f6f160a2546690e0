"""Logging in, staying in, and getting back in."""

import asyncio
import statistics
import time
from datetime import date, timedelta
from hashlib import sha256

import pytest

from libs.contracts.base import Refused
from libs.contracts.identity import (
    ChangeEmail,
    ChangePassword,
    ConfirmEmail,
    EndSession,
    EndSessions,
    ForgotPassword,
    LetterKind,
    ListSessions,
    Refusal,
    ResetPassword,
    ResolveSession,
    ShowResetLink,
)
from libs.runtime.clock import utcnow
from services.identity.domain.session import IDLE, LONGEST, Session
from services.identity.domain.throttle import WINDOW, Count, Scope, held_back
from tests.identity.desk import BORN, EMAIL, PASSWORD, PRACTICE, Desk
from tests.waiting import until

NOON = utcnow()
NEW = "Other-Meadow-58"


def session(**changes: object) -> Session:
    given: dict[str, object] = {
        "id": PRACTICE,
        "account_id": PRACTICE,
        "practice_id": None,
        "device": "",
        "source": "",
        "started_at": NOON,
        "last_seen_at": NOON,
        "previous_login_at": None,
    }
    return Session(**given | changes)  # type: ignore[arg-type]


def test_a_session_ends_after_fifteen_minutes_without_activity_and_after_twelve_hours() -> None:
    moment = timedelta(microseconds=1)
    assert session().holds(now=NOON + IDLE - moment)
    assert not session().holds(now=NOON + IDLE)
    busy = session(last_seen_at=NOON + LONGEST - timedelta(minutes=1))
    assert busy.holds(now=NOON + LONGEST - moment)
    assert not busy.holds(now=NOON + LONGEST)


def test_an_accounts_own_count_outlasts_the_window_and_the_others_do_not() -> None:
    def count(scope: Scope, failures: int) -> list[Count]:
        return [Count(scope=scope, failures=failures, since=NOON)]

    assert not held_back(count(Scope.ACCOUNT_AND_SOURCE, 9), now=NOON)
    assert held_back(count(Scope.ACCOUNT_AND_SOURCE, 10), now=NOON)
    assert not held_back(count(Scope.ACCOUNT_AND_SOURCE, 10), now=NOON + WINDOW)
    assert held_back(count(Scope.ACCOUNT, 100), now=NOON + WINDOW * 9)
    assert not held_back(count(Scope.ACCOUNT, 99), now=NOON)


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody@example.com"},
        {"email": "not an address"},
        {"password": PASSWORD + "x"},
        {"password": "x" * 100_000},
        {"date_of_birth": date(1961, 4, 13)},
        {"date_of_birth": None},
    ],
)
async def test_whatever_does_not_fit_the_answer_is_the_same(
    desk: Desk, wrong: dict[str, object]
) -> None:
    await desk.register()
    assert await desk.refusal(desk.login(**wrong)) == Refusal.NOT_RECOGNISED


async def test_known_and_unknown_take_the_same_time(desk: Desk) -> None:
    """The medians lie within a third of the time; a skipped hash would be most of it."""
    await desk.register()
    took: dict[str, list[float]] = {EMAIL: [], "nobody@example.com": []}
    for number in range(60):
        for email, times in took.items():
            began = time.perf_counter()
            with pytest.raises(Refused):
                await desk.ask(
                    desk.login(email=email, password="Wrong-One-9", source=f"10.0.0.{number}")
                )
            times.append(time.perf_counter() - began)
            await desk.move("DELETE FROM attempt")
    known, unknown = (statistics.median(times[20:]) for times in took.values())
    assert abs(known - unknown) < max(known, unknown) / 3


async def test_guessing_ends_for_the_source_and_not_for_the_owner(desk: Desk) -> None:
    await desk.register()
    for _ in range(10):
        assert await desk.refusal(desk.login(password="Wrong-One-9")) == Refusal.NOT_RECOGNISED
    assert await desk.refusal(desk.login()) == Refusal.TRY_LATER
    assert await desk.session(source="198.51.100.7")
    assert await desk.refusal(desk.login(email="ghost@example.com", source="a")) == (
        Refusal.NOT_RECOGNISED
    )


async def test_an_unknown_address_is_counted_like_a_known_one(desk: Desk) -> None:
    wrong = desk.login(email="ghost@example.com")
    for _ in range(10):
        assert await desk.refusal(wrong) == Refusal.NOT_RECOGNISED
    assert await desk.refusal(wrong) == Refusal.TRY_LATER


async def test_the_link_gets_the_owner_in_after_everybody_else_was_shut_out(desk: Desk) -> None:
    await desk.register()
    await desk.move("UPDATE attempt SET failures = 0")
    for number in range(100):
        await desk.refusal(desk.login(password="Wrong-One-9", source=f"192.0.2.{number}"))
    assert await desk.refusal(desk.login(source="198.51.100.7")) == Refusal.TRY_LATER
    await desk.ask(ForgotPassword(email=EMAIL, source="198.51.100.7"))
    token = await desk.token(LetterKind.PASSWORD_RESET)
    await desk.ask(reset(token))
    assert await desk.session(password=NEW, source="198.51.100.7")


def reset(token: str, password: str = NEW) -> ResetPassword:
    return ResetPassword(
        token=token, password=password, confirm_password=password, source="198.51.100.7"
    )


async def test_a_session_resolves_until_it_is_ended(desk: Desk) -> None:
    await desk.register()
    token_hash = await desk.session()
    resolved = await desk.resolve(token_hash)
    assert (resolved.email, resolved.seat) == (EMAIL, None)
    assert resolved.name.startswith("Rosa Alvarez")
    await desk.ask(EndSession(session=token_hash))
    assert await desk.refusal(ResolveSession(session=token_hash)) == Refusal.NO_SESSION

    async def announced() -> bool:
        return resolved.session_id in await desk.ended()

    await until(announced)


async def test_an_idle_session_is_over_and_a_used_one_is_not(desk: Desk) -> None:
    await desk.register()
    token_hash = await desk.session()
    await desk.move(
        "UPDATE session SET last_seen_at = now() - $1::interval", IDLE - timedelta(seconds=5)
    )
    await desk.resolve(token_hash)
    await desk.resolve(token_hash)
    await desk.move("UPDATE session SET last_seen_at = now() - $1::interval", IDLE)
    assert await desk.refusal(ResolveSession(session=token_hash)) == Refusal.NO_SESSION


async def test_asking_without_touching_keeps_nobody_awake(desk: Desk) -> None:
    await desk.register()
    token_hash = await desk.session()
    await desk.move("UPDATE session SET last_seen_at = now() - $1::interval", timedelta(minutes=14))
    before = (await desk.ask(ResolveSession(session=token_hash, touch=False))).idle_ends_at
    after = (await desk.ask(ResolveSession(session=token_hash, touch=False))).idle_ends_at
    assert before == after


async def test_sessions_are_listed_and_ended_one_by_one_or_all_but_this(desk: Desk) -> None:
    await desk.register()
    here, there, elsewhere = [await desk.session() for _ in range(3)]
    listed = (await desk.ask(ListSessions(session=here))).sessions
    assert [line.current for line in listed] == [True, False, False]
    assert {line.place for line in listed} == {"203.0.113.x"}
    theirs = await desk.resolve(there)
    await desk.ask(EndSessions(session=here, session_id=theirs.session_id))
    assert await desk.refusal(ResolveSession(session=there)) == Refusal.NO_SESSION
    await desk.ask(EndSessions(session=here))
    assert await desk.refusal(ResolveSession(session=elsewhere)) == Refusal.NO_SESSION
    assert await desk.resolve(here)


async def test_nobody_ends_anybody_elses_session(desk: Desk) -> None:
    await desk.register()
    await desk.register("ana@example.com")
    rosa, ana = await desk.session(), await desk.session(email="ana@example.com")
    theirs = await desk.resolve(rosa)
    await desk.ask(EndSessions(session=ana, session_id=theirs.session_id))
    assert await desk.resolve(rosa)


async def test_a_new_login_has_a_new_token_and_ends_the_one_that_came_along(desk: Desk) -> None:
    await desk.register()
    old = await desk.session()
    new = await desk.session(earlier_session=old)
    assert old != new
    assert await desk.refusal(ResolveSession(session=old)) == Refusal.NO_SESSION


async def test_a_reset_link_works_once_for_an_hour_and_a_newer_one_voids_it(desk: Desk) -> None:
    await desk.register()
    held = await desk.session()
    await desk.ask(ForgotPassword(email=EMAIL, source="x"))
    first = await desk.token(LetterKind.PASSWORD_RESET)
    await desk.ask(ForgotPassword(email=EMAIL, source="x"))
    second = await desk.token(LetterKind.PASSWORD_RESET, more_than=1)
    assert await desk.refusal(ShowResetLink(token=first)) == Refusal.LINK_VOID
    for _ in range(5):
        await desk.ask(ShowResetLink(token=second))
    said = await asyncio.gather(*(_said(desk, second) for _ in range(20)))
    assert said.count("done") == 1
    assert await desk.refusal(ResolveSession(session=held)) == Refusal.NO_SESSION
    assert await desk.session(password=NEW)
    assert await desk.refusal(desk.login()) == Refusal.NOT_RECOGNISED
    assert await desk.letters(LetterKind.PASSWORD_CHANGED)


async def _said(desk: Desk, token: str) -> str:
    try:
        await desk.ask(reset(token))
    except Refused as refused:
        return refused.code
    return "done"


async def test_an_old_reset_link_is_over(desk: Desk) -> None:
    await desk.register()
    await desk.ask(ForgotPassword(email=EMAIL, source="x"))
    token = await desk.token(LetterKind.PASSWORD_RESET)
    await desk.move("UPDATE reset SET expires_at = now()")
    assert await desk.refusal(ShowResetLink(token=token)) == Refusal.LINK_EXPIRED
    assert await desk.refusal(reset(token)) == Refusal.LINK_EXPIRED


async def test_a_flood_of_forgotten_passwords_is_three_letters_an_hour(desk: Desk) -> None:
    await desk.register()
    for _ in range(12):
        await desk.ask(ForgotPassword(email=EMAIL, source="x"))
        await desk.ask(ForgotPassword(email="nobody@example.com", source="x"))
    await asyncio.sleep(0.5)
    assert len(await desk.letters(LetterKind.PASSWORD_RESET)) == 3
    assert await desk.session()


async def test_a_changed_password_ends_every_other_session(desk: Desk) -> None:
    await desk.register()
    here, there = await desk.session(), await desk.session()
    wrong = ChangePassword(
        session=here, current_password="Wrong-One-9", password=NEW, confirm_password=NEW
    )
    assert await desk.refusal(wrong) == Refusal.WRONG_PASSWORD
    answer = await desk.ask(wrong.model_copy(update={"current_password": PASSWORD}))
    assert answer.accepted
    assert await desk.resolve(here)
    assert await desk.refusal(ResolveSession(session=there)) == Refusal.NO_SESSION


async def test_a_new_address_has_to_confirm_and_the_old_one_is_told(desk: Desk) -> None:
    await desk.register()
    here = await desk.session()
    change = ChangeEmail(session=here, current_password=PASSWORD, email="Rosa.New@example.com")
    wrong = change.model_copy(update={"current_password": "x"})
    assert await desk.refusal(wrong) == Refusal.WRONG_PASSWORD
    for email in ("not an address", "a@x.com, b@y.com", "a@example.com\r\nBcc: b@example.com"):
        bad = change.model_copy(update={"email": email})
        assert await desk.refusal(bad) == Refusal.EMAIL_NOT_USABLE
    same = change.model_copy(update={"email": EMAIL.upper()})
    assert await desk.refusal(same) == Refusal.SAME_EMAIL
    await desk.ask(change)
    assert await desk.session()
    token = await desk.token(LetterKind.EMAIL_CONFIRMATION)
    await desk.ask(ConfirmEmail(token=token))
    assert await desk.refusal(ConfirmEmail(token=token)) == Refusal.LINK_USED
    assert await desk.refusal(desk.login()) == Refusal.NOT_RECOGNISED
    assert await desk.session(email="rosa.new@example.com", date_of_birth=BORN)
    assert await desk.letters(LetterKind.EMAIL_CHANGED)


async def test_a_link_for_one_thing_is_none_for_another(desk: Desk) -> None:
    await desk.register()
    await desk.ask(ForgotPassword(email=EMAIL, source="x"))
    token = await desk.token(LetterKind.PASSWORD_RESET)
    assert await desk.refusal(ConfirmEmail(token=token)) == Refusal.LINK_UNKNOWN
    assert await desk.refusal(desk.registration(token)) == Refusal.LINK_UNKNOWN


async def test_neither_tables_nor_streams_hold_a_token_or_a_password(desk: Desk) -> None:
    await desk.register()
    opened = await desk.ask(desk.login())
    await desk.ask(ForgotPassword(email=EMAIL, source="x"))
    link = await desk.token(LetterKind.PASSWORD_RESET)
    invitation = await desk.letters(LetterKind.INVITATION)
    secrets = [opened.token, link.rsplit(".", 1)[1], PASSWORD]
    dump = await asyncio.to_thread(_dump, desk)
    for secret in secrets:
        assert secret not in dump
    assert sha256(opened.token.encode()).hexdigest() in dump
    assert EMAIL not in "".join(event.model_dump_json() for event in invitation)


def _dump(desk: Desk) -> str:
    """Every row of identity, as text."""

    async def read() -> str:
        import asyncpg

        db = await asyncpg.connect(desk.servers.database_url("admin"))
        tables = await db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'identity'")
        rows = [
            row["text"]
            for table in tables
            for row in await db.fetch(f"SELECT t::text AS text FROM identity.{table[0]} t")
        ]
        await db.close()
        return "\n".join(rows)

    return asyncio.run(read())
