"""Sessions: who is logged in, and until when."""

from datetime import datetime

from faststream.nats import NatsRouter

from libs.contracts.base import Done, Refused
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.sessions import (
    EndSession,
    EndSessions,
    ListSessions,
    OpenSession,
    ResolveSession,
    Sessions,
)
from libs.contracts.identity.sessions import Session as Resolved
from libs.contracts.identity.staff import Seat
from libs.contracts.visa import LIFETIME, Capacity, Passport
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from libs.runtime.seal import Seal
from services.identity.domain.account import Account
from services.identity.domain.session import IDLE, Session, shortened
from services.identity.means import AtSeal, announce_ended, own_session, practice_visa
from services.identity.store import accounts
from services.identity.store import sessions as store

router = NatsRouter()


@answers(router, ResolveSession)
async def resolve_session(
    asked: ResolveSession, pool: Database, now: Now, seal: AtSeal
) -> Resolved:
    async with transaction(pool) as db:
        session = await own_session(db, asked.session, now=now)
        account = await accounts.get_account(db, session.account_id)
        if not account.active:
            raise Refused(Refusal.NO_SESSION)
        seat = await _seat(db, session, account, seal, now=now)
        if asked.touch and session.stale(now=now):
            await store.touch(db, session, now=now)
    passport = Passport(
        session_id=session.id,
        account_id=account.id,
        name=account.name,
        proven_at=session.proven_at,
        issued_at=now,
        expires_at=now + LIFETIME,
    )
    return Resolved(
        session_id=session.id,
        account_id=account.id,
        name=account.name,
        email=account.email,
        passport=seal.close(passport),
        seat=seat,
        idle_ends_at=now + IDLE if asked.touch else session.idle_ends_at,
        ends_at=session.ends_at,
        previous_login_at=session.previous_login_at,
        proven_at=session.proven_at,
        code=account.code_secret is not None,
    )


@answers(router, ListSessions)
async def list_sessions(asked: ListSessions, pool: Database, now: Now) -> Sessions:
    async with transaction(pool) as db:
        own = await own_session(db, asked.session, now=now)
        held = await store.list_sessions(db, own.account_id, now=now)
    lines = [
        OpenSession(
            session_id=session.id,
            device=session.device,
            place=shortened(session.source),
            started_at=session.started_at,
            last_seen_at=session.last_seen_at,
            current=session.id == own.id,
        )
        for session in held
    ]
    return Sessions(sessions=tuple(sorted(lines, key=lambda line: not line.current)))


@answers(router, EndSession)
async def end_session(asked: EndSession, pool: Database) -> Done:
    async with transaction(pool, session=asked.session.hex()) as db:
        ended = await store.end_session(db, asked.session)
        await announce_ended(db, [ended] if ended else [])
    return Done()


@answers(router, EndSessions)
async def end_sessions(asked: EndSessions, pool: Database, now: Now) -> Done:
    async with transaction(pool) as db:
        own = await own_session(db, asked.session, now=now)
        if asked.session_id:
            ended = await store.end_one(db, own.account_id, asked.session_id)
        else:
            ended = await store.end_others(db, own.account_id, but=own.id)
        await announce_ended(db, ended)
    return Done()


async def _seat(
    db: Connection, session: Session, account: Account, seal: Seal, *, now: datetime
) -> Seat | None:
    """The staff seat that the session is for; where it was taken away, so is the session."""
    if session.practice_id is None:
        return None
    role = await accounts.find_role(db, account.id, session.practice_id)
    if role is None:
        raise Refused(Refusal.NO_SESSION)
    visa = practice_visa(
        seal,
        Capacity.STAFF,
        session.practice_id,
        account_id=account.id,
        now=now,
        role=role,
        session_id=session.id,
        name=account.name,
    )
    return Seat(practice_id=session.practice_id, role=role, visa=visa)
