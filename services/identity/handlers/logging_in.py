"""Logging in: one answer and one amount of work, whatever does not fit."""

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from faststream.nats import NatsRouter

from libs.contracts.activity import Act
from libs.contracts.base import Refused
from libs.contracts.identity.logging_in import LogIn, LogInStaff, SessionOpened
from libs.contracts.identity.refusals import Refusal
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, Pool, transaction, wall
from services.identity import watch
from services.identity.domain.account import Account, still_so
from services.identity.domain.email import canonical
from services.identity.domain.session import Session, printable
from services.identity.domain.throttle import Guess
from services.identity.factors import AtFactors, Factors
from services.identity.guessing import AtGuesser, Guesser, trying
from services.identity.hashing import ASKED, AtHashing, Hashing
from services.identity.means import announce_ended, new_id, tell_log
from services.identity.store import accounts, attempts, invitations, sessions

router = NatsRouter()


@answers(router, LogIn, workers=ASKED)
async def log_in(  # noqa: PLR0913
    asked: LogIn,
    pool: Database,
    now: Now,
    hashing: AtHashing,
    factors: AtFactors,
    guesser: AtGuesser,
) -> SessionOpened:
    with watch.logging_in(watch.PATIENT):
        hashing.expect_room()
        async with trying(pool, _guess(guesser, asked), now=now):
            account = await _recognised(asked, pool, hashing)
            if asked.date_of_birth != account.date_of_birth:
                raise Refused(Refusal.NOT_RECOGNISED)
            return await _come_in(asked, account, pool, hashing, factors, guesser, now=now)


@answers(router, LogInStaff, workers=ASKED)
async def log_in_staff(  # noqa: PLR0913
    asked: LogInStaff,
    pool: Database,
    now: Now,
    hashing: AtHashing,
    factors: AtFactors,
    guesser: AtGuesser,
) -> SessionOpened:
    with watch.logging_in(watch.STAFF):
        hashing.expect_room()
        async with trying(pool, _guess(guesser, asked), now=now):
            account = await _recognised(asked, pool, hashing)
            if account.code_secret is None:
                raise Refused(Refusal.NOT_RECOGNISED)
            return await _come_in(asked, account, pool, hashing, factors, guesser, now=now)


def _guess(guesser: Guesser, asked: LogIn | LogInStaff) -> Guess:
    """What is no address is counted too, as it was typed."""
    return guesser.at_the_door(canonical(asked.email) or asked.email, asked.source)


async def _recognised(asked: LogIn | LogInStaff, pool: Pool, hashing: Hashing) -> Account:
    """Whose address this is, if it is their password. Nobody takes as long as somebody."""
    email = canonical(asked.email) or ""
    async with transaction(pool, email=email) as db:
        account = await accounts.find_by_email(db, email)
    fits = await hashing.fits(account.password_hash if account else None, asked.password)
    if account is None or not fits or not account.active:
        raise Refused(Refusal.NOT_RECOGNISED)
    return account


async def _come_in(  # noqa: PLR0913
    asked: LogIn | LogInStaff,
    account: Account,
    pool: Pool,
    hashing: Hashing,
    factors: Factors,
    guesser: Guesser,
    *,
    now: datetime,
) -> SessionOpened:
    """A session with a new token, once the code fits too; one that came along is over."""
    rehashed = await _rehashed(account, asked.password, hashing)
    token = secrets.token_urlsafe(32)
    async with transaction(pool, account=account.id) as db:
        if not still_so(await accounts.lock_account(db, account.id), account):
            raise Refused(Refusal.NOT_RECOGNISED)
        practice_id = None
        if isinstance(asked, LogInStaff):
            practice_id = await _seat(db, account)
        if asked.passkey and account.code_secret is not None:
            passed = await factors.answers(db, account, asked.passkey, now=now)
        else:
            passed = await factors.pass_(db, account, asked.code, now=now)
        if not passed:
            raise Refused(Refusal.NOT_RECOGNISED)
        session = Session(
            id=new_id(),
            account_id=account.id,
            practice_id=practice_id,
            device=printable(asked.device),
            source=printable(asked.source),
            started_at=now,
            last_seen_at=now,
            previous_login_at=account.last_login_at,
            proven_at=now,
        )
        await sessions.add_session(db, session, hashlib.sha256(token.encode()).digest())
        await sessions.add_sign_in(db, session)
        await accounts.save_login(db, account.id, now=now)
        await attempts.remember(db, _guess(guesser, asked), now=now)
        if practice_id is None:
            for own in await invitations.list_own(db, account.id):
                await tell_log(db, own, account.id, Act.LOGGED_IN, now=now)
        if rehashed:
            await accounts.save_rehash(db, account.id, rehashed)
        if asked.earlier_session:
            await wall(db, session=asked.earlier_session.hex())
            earlier = await sessions.end_session(db, asked.earlier_session)
            await announce_ended(db, [earlier] if earlier else [])
    return SessionOpened(token=token, staff=practice_id is not None)


async def _rehashed(account: Account, password: str, hashing: Hashing) -> str | None:
    """The password under today's parameters, if it is not; that can wait for a quieter moment."""
    if not hashing.outdated(account.password_hash):
        return None
    try:
        return await hashing.hash(password)
    except Refused:
        return None


async def _seat(db: Connection, account: Account) -> UUID:
    """The practice where they work."""
    practice_id = await accounts.find_seat(db, account.id)
    if practice_id is None:
        raise Refused(Refusal.NOT_RECOGNISED)
    return practice_id
