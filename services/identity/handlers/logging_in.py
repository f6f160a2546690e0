"""Logging in: one answer and one amount of work, whatever does not fit."""

import hashlib
import secrets
from datetime import datetime

import pyotp
from faststream.nats import NatsRouter

from libs.contracts.base import Refused
from libs.contracts.identity import LogIn, LogInStaff, Refusal, SessionOpened
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Database, Pool, transaction
from libs.runtime.keyring import KeyRing
from services.identity.domain.email import canonical
from services.identity.domain.session import Session
from services.identity.hashing import AtHashing, Hashing
from services.identity.means import (
    AtGuesser,
    AtKeyRing,
    Guesser,
    announce_ended,
    count_failure,
    may_try,
    new_id,
)
from services.identity.store import accounts, attempts, sessions
from services.identity.store.accounts import Account

STEP = 30
"""Seconds of a one-time code (RFC 6238)."""

router = NatsRouter()


@answers(router, LogIn)
async def log_in(  # noqa: PLR0913
    asked: LogIn,
    pool: Database,
    now: Now,
    hashing: AtHashing,
    key_ring: AtKeyRing,
    guesser: AtGuesser,
) -> SessionOpened:
    account, fits = await _known(asked, pool, hashing, guesser, now=now)
    fits = fits and account is not None and asked.date_of_birth == account.date_of_birth
    return await _in(asked, pool, account if fits else None, hashing, key_ring, guesser, now=now)


@answers(router, LogInStaff)
async def log_in_staff(  # noqa: PLR0913
    asked: LogInStaff,
    pool: Database,
    now: Now,
    hashing: AtHashing,
    key_ring: AtKeyRing,
    guesser: AtGuesser,
) -> SessionOpened:
    account, fits = await _known(asked, pool, hashing, guesser, now=now)
    if account and fits:
        async with transaction(pool, account=account.id) as db:
            fits = await accounts.find_seat(db, account.id) is not None
    return await _in(asked, pool, account if fits else None, hashing, key_ring, guesser, now=now)


async def _known(
    asked: LogIn | LogInStaff, pool: Pool, hashing: Hashing, guesser: Guesser, *, now: datetime
) -> tuple[Account | None, bool]:
    """The account of this address, and whether the password is its own."""
    email = canonical(asked.email) or asked.email[:300].casefold()
    if not await may_try(pool, guesser.of(email, asked.source), now=now):
        raise Refused(Refusal.TRY_LATER)
    async with transaction(pool) as db:
        account = await accounts.find_by_email(db, email)
    fits = await hashing.fits(account.password_hash if account else None, asked.password)
    return account, fits and account is not None and account.active


async def _in(  # noqa: PLR0913
    asked: LogIn | LogInStaff,
    pool: Pool,
    account: Account | None,
    hashing: Hashing,
    key_ring: KeyRing,
    guesser: Guesser,
    *,
    now: datetime,
) -> SessionOpened:
    """A session, once everything fits."""
    email = canonical(asked.email) or asked.email[:300].casefold()
    guessing = guesser.of(email, asked.source)
    if account is None or (
        asked.code and not await _code_fits(pool, account, asked, key_ring, now)
    ):
        await count_failure(pool, guessing, now=now)
        raise Refused(Refusal.NOT_RECOGNISED)
    if account.code_secret and not asked.code:
        raise Refused(Refusal.CODE_NEEDED)
    rehashed = (
        await hashing.hash(asked.password) if hashing.outdated(account.password_hash) else None
    )
    token = secrets.token_urlsafe(32)
    async with transaction(pool, account=account.id) as db:
        seat = await accounts.find_seat(db, account.id)
        staff = isinstance(asked, LogInStaff) and seat is not None
        await sessions.add_session(
            db,
            Session(
                id=new_id(),
                account_id=account.id,
                practice_id=seat[0] if staff and seat else None,
                device=asked.device[:100],
                source=asked.source,
                started_at=now,
                last_seen_at=now,
                previous_login_at=account.last_login_at,
            ),
            hashlib.sha256(token.encode()).digest(),
        )
        await accounts.save_login(db, account.id, now=now)
        await attempts.forget(db, guessing)
        if rehashed:
            await accounts.save_rehash(db, account.id, account.password_hash, rehashed)
        if asked.earlier_session and (
            ended := await sessions.end_session(db, asked.earlier_session)
        ):
            await announce_ended(db, [ended])
    return SessionOpened(token=token, staff=staff)


async def _code_fits(
    pool: Pool, account: Account, asked: LogIn | LogInStaff, key_ring: KeyRing, now: datetime
) -> bool:
    """The one-time code, within a step of now, and none that was used before (RFC 6238, 5.2)."""
    if not account.code_secret or not account.code_key_id:
        return True
    secret = key_ring.unwrap(
        account.code_key_id, account.code_secret, belongs_to=f"code {account.id}"
    )
    totp = pyotp.TOTP(secret.decode())
    current = int(now.timestamp()) // STEP
    for step in (current, current - 1, current + 1):
        if secrets.compare_digest(
            totp.at(step * STEP).encode(), asked.code.encode("utf-8", "replace")
        ):
            async with transaction(pool) as db:
                return await accounts.use_code(db, account.id, step)
    return False
