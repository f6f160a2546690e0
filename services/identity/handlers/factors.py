"""Two-step verification, set up and changed; and whoever is logged in, asked once more."""

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from faststream.nats import NatsRouter

from libs.contracts.base import Done, Refused
from libs.contracts.identity.factors import (
    RECOVERY_CODES,
    AddPasskey,
    BeginCode,
    BeginPasskey,
    BeginPasskeyLogIn,
    CodeBegun,
    ConfirmCode,
    PasskeyAsked,
    ProveAgain,
    RecoveryCodes,
    RemovePasskey,
    RenewRecoveryCodes,
    ShowFactors,
    TurnOffCode,
)
from libs.contracts.identity.factors import Factors as Shown
from libs.contracts.identity.factors import Passkey as ShownPasskey
from libs.contracts.identity.letters import LetterKind
from libs.contracts.identity.refusals import Refusal
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction, wall
from services.identity.domain import one_time_code, recovery_code
from services.identity.domain.account import Account, still_so
from services.identity.domain.passkey import MOST, Passkey, challenge_of, named
from services.identity.domain.session import Session, check_proven
from services.identity.factors import ASKED_FOR, AtFactors, Factors
from services.identity.guessing import AtGuesser, count_asking, trying
from services.identity.hashing import AtHashing
from services.identity.means import (
    AtKeyRing,
    announce_ended,
    binds_code,
    new_id,
    owe,
    own_session,
    sealed_code,
)
from services.identity.store import accounts, passkeys, sessions
from services.identity.store import factors as store

PENDING_FOR = timedelta(minutes=30)

router = NatsRouter()


@answers(router, ShowFactors)
async def show_factors(asked: ShowFactors, pool: Database, now: Now, factors: AtFactors) -> Shown:
    async with transaction(pool) as db:
        session = await own_session(db, asked.session, now=now)
        account = await accounts.get_account(db, session.account_id)
        return Shown(
            code=account.code_secret is not None,
            recovery_codes=await store.count_recovery_codes(db, account.id),
            passkeys=tuple(
                ShownPasskey(
                    passkey_id=one.id,
                    name=one.name,
                    added_at=one.added_at,
                    last_used_at=one.last_used_at,
                )
                for one in await passkeys.list_passkeys(db, account.id)
            ),
            passkeys_possible=factors.site.possible,
            required=await _is_staff(db, account.id),
        )


@answers(router, BeginCode)
async def begin_code(asked: BeginCode, pool: Database, now: Now, key_ring: AtKeyRing) -> CodeBegun:
    async with transaction(pool) as db:
        session = await own_session(db, asked.session, now=now)
        account = await accounts.get_account(db, session.account_id)
        secret = one_time_code.new_secret()
        key_id, sealed = sealed_code(key_ring, account.id, secret)
        await store.save_pending(db, account.id, key_id, sealed, now=now)
    return CodeBegun(enrolment=one_time_code.enrolment(secret, account.email))


@answers(router, ConfirmCode)
async def confirm_code(  # noqa: PLR0913
    asked: ConfirmCode,
    pool: Database,
    now: Now,
    key_ring: AtKeyRing,
    factors: AtFactors,
    guesser: AtGuesser,
) -> RecoveryCodes:
    async with transaction(pool) as db:
        session = await own_session(db, asked.session, now=now)
    async with (
        trying(pool, guesser.inside(session.account_id, session.id), now=now),
        transaction(pool) as db,
    ):
        session, account = await _proven(db, asked.session, now=now)
        pending = await store.find_pending(db, account.id, since=now - PENDING_FOR)
        if pending is None:
            raise Refused(Refusal.SETUP_OVER)
        key_id, sealed = pending
        secret = key_ring.unwrap(key_id, sealed, belongs_to=binds_code(account.id)).decode()
        step = one_time_code.step_of(secret, asked.code.replace(" ", ""), now=now)
        if step is None:
            raise Refused(Refusal.WRONG_CODE)
        await accounts.save_code(db, account.id, key_id, sealed)
        await accounts.use_code(db, account.id, step)
        await store.remove_pending(db, account.id)
        await _changed(db, account, session, now=now)
        return await _new_codes(db, account.id, factors)


@answers(router, RenewRecoveryCodes)
async def renew_recovery_codes(
    asked: RenewRecoveryCodes, pool: Database, now: Now, factors: AtFactors
) -> RecoveryCodes:
    async with transaction(pool) as db:
        session, account = await _proven(db, asked.session, now=now)
        if account.code_secret is None:
            raise Refused(Refusal.SETUP_OVER)
        await _changed(db, account, session, now=now)
        return await _new_codes(db, account.id, factors)


@answers(router, TurnOffCode)
async def turn_off_code(asked: TurnOffCode, pool: Database, now: Now) -> Done:
    async with transaction(pool) as db:
        session, account = await _proven(db, asked.session, now=now)
        if await _is_staff(db, account.id):
            raise Refused(Refusal.CODE_REQUIRED)
        if account.code_secret is not None:
            await accounts.remove_code(db, account.id)
            await store.save_recovery_codes(db, account.id, [])
            await passkeys.remove_all(db, account.id)
            await _changed(db, account, session, now=now)
    return Done()


@answers(router, BeginPasskey)
async def begin_passkey(
    asked: BeginPasskey, pool: Database, now: Now, factors: AtFactors
) -> PasskeyAsked:
    async with transaction(pool) as db:
        session, account = await _proven(db, asked.session, now=now)
        known = await passkeys.list_passkeys(db, session.account_id)
        if account.code_secret is None or not factors.site.possible or len(known) >= MOST:
            raise Refused(Refusal.PASSKEY_NOT_TAKEN)
        challenge, options = factors.site.creation(account.id, account.email, known)
        await wall(db, challenge=challenge.hex())
        await passkeys.add_challenge(db, challenge, account.id, now=now)
    return PasskeyAsked(options=options)


@answers(router, AddPasskey)
async def add_passkey(asked: AddPasskey, pool: Database, now: Now, factors: AtFactors) -> Done:
    answer = factors.site.created(asked.passkey)
    challenge = challenge_of(asked.passkey)
    try:
        async with transaction(pool) as db:
            session, account = await _proven(db, asked.session, now=now)
            await wall(db, challenge=challenge.hex())
            is_ours = await passkeys.use_challenge(db, challenge, account.id, since=now - ASKED_FOR)
            if answer is None or not is_ours or account.code_secret is None:
                raise Refused(Refusal.PASSKEY_NOT_TAKEN)
            passkey = Passkey(
                account_id=account.id,
                id=new_id(),
                credential=answer.credential,
                public_key=answer.public_key,
                sign_count=answer.sign_count,
                name=named(asked.name),
                added_at=now,
            )
            await passkeys.add_passkey(db, passkey)
            await _changed(db, account, session, now=now)
    except asyncpg.UniqueViolationError:
        raise Refused(Refusal.PASSKEY_NOT_TAKEN) from None
    return Done()


@answers(router, RemovePasskey)
async def remove_passkey(asked: RemovePasskey, pool: Database, now: Now) -> Done:
    async with transaction(pool) as db:
        session, account = await _proven(db, asked.session, now=now)
        if await passkeys.remove_passkey(db, account.id, asked.passkey_id):
            await _changed(db, account, session, now=now)
    return Done()


@answers(router, BeginPasskeyLogIn)
async def begin_passkey_log_in(
    asked: BeginPasskeyLogIn, pool: Database, now: Now, factors: AtFactors, guesser: AtGuesser
) -> PasskeyAsked:
    if not factors.site.possible:
        raise Refused(Refusal.PASSKEY_NOT_TAKEN)
    challenge, options = factors.site.request()
    async with transaction(pool, challenge=challenge.hex()) as db:
        await count_asking(db, guesser.asking(asked.source), now=now)
        await passkeys.add_challenge(db, challenge, None, now=now)
    return PasskeyAsked(options=options)


@answers(router, ProveAgain)
async def prove_again(  # noqa: PLR0913
    asked: ProveAgain,
    pool: Database,
    now: Now,
    hashing: AtHashing,
    guesser: AtGuesser,
    factors: AtFactors,
) -> Done:
    async with transaction(pool) as db:
        session = await own_session(db, asked.session, now=now)
        account = await accounts.get_account(db, session.account_id)
    async with trying(pool, guesser.inside(account.id, session.id), now=now):
        if not await hashing.fits(account.password_hash, asked.password):
            raise Refused(Refusal.WRONG_PASSWORD)
        async with transaction(pool) as db:
            await own_session(db, asked.session, now=now)
            if not still_so(await accounts.lock_account(db, account.id), account):
                raise Refused(Refusal.WRONG_PASSWORD)
            if not await factors.pass_(db, account, asked.code, now=now):
                raise Refused(Refusal.WRONG_CODE)
            await sessions.save_proven(db, session.id, now=now)
    return Done()


async def _proven(db: Connection, token: bytes, *, now: datetime) -> tuple[Session, Account]:
    """Whoever asks, if they have shown a moment ago who they are; their account is held."""
    session = await own_session(db, token, now=now)
    check_proven(session, now=now)
    return session, await accounts.lock_account(db, session.account_id)


async def _changed(db: Connection, account: Account, but: Session, *, now: datetime) -> None:
    """Whoever was logged in elsewhere is no longer, and the owner is told."""
    await announce_ended(db, await sessions.end_others(db, account.id, but=but.id))
    change_id = new_id()
    await store.add_change(db, change_id, account.id, now=now)
    await owe(db, LetterKind.FACTORS_CHANGED, change_id)


async def _new_codes(db: Connection, account_id: UUID, factors: Factors) -> RecoveryCodes:
    codes = tuple(recovery_code.new_code() for _ in range(RECOVERY_CODES))
    hashes = [factors.blind.of(account_id, code) for code in codes]
    await store.save_recovery_codes(db, account_id, hashes)
    return RecoveryCodes(codes=codes)


async def _is_staff(db: Connection, account_id: UUID) -> bool:
    return await accounts.find_seat(db, account_id) is not None
