"""Passwords forgotten, reset and changed; addresses changed."""

from datetime import datetime, timedelta

from faststream.nats import NatsRouter

from libs.contracts.base import Done, Refused
from libs.contracts.identity import (
    ChangeEmail,
    ChangePassword,
    ConfirmEmail,
    ForgotPassword,
    LetterKind,
    PasswordSet,
    Refusal,
    ResetLink,
    ResetPassword,
    RuleMet,
    ShowResetLink,
)
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from services.identity.domain.email import canonical
from services.identity.domain.link import Purpose
from services.identity.domain.password import Owner, judged
from services.identity.hashing import AtHashing
from services.identity.means import (
    AtGuesser,
    AtLinks,
    announce_ended,
    count_failure,
    may_try,
    new_id,
    owe,
    own_session,
)
from services.identity.store import accounts, attempts, links, sessions
from services.identity.store.accounts import Account
from services.identity.store.links import EmailChange

RESET_LIFETIME = timedelta(hours=1)
EMAIL_LIFETIME = timedelta(hours=24)
RESETS = ((timedelta(hours=1), 3), (timedelta(days=1), 10))
"""Reset letters per account within each span, at most."""

router = NatsRouter()


@answers(router, ForgotPassword)
async def forgot_password(asked: ForgotPassword, pool: Database, now: Now) -> Done:
    """A letter if there is such an account; nothing of the answer tells."""
    email = canonical(asked.email)
    async with transaction(pool) as db:
        account = await accounts.find_by_email(db, email or "")
        counts = [
            await links.count_resets(db, account.id if account else new_id(), after=now - span)
            for span, _ in RESETS
        ]
        fine = all(count < most for count, (_, most) in zip(counts, RESETS, strict=True))
        if account and account.active and fine:
            await links.void_resets(db, account.id)
            reset_id = new_id()
            await links.add_reset(db, reset_id, account.id, now=now, lifetime=RESET_LIFETIME)
            await owe(db, LetterKind.PASSWORD_RESET, reset_id)
    return Done()


@answers(router, ShowResetLink)
async def show_reset_link(
    asked: ShowResetLink, pool: Database, now: Now, keys: AtLinks
) -> ResetLink:
    target = keys.read(Purpose.RESET, asked.token)
    if target is None:
        raise Refused(Refusal.LINK_UNKNOWN)
    async with transaction(pool) as db:
        reset = await links.lock_reset(db, target.id)
    links.check(reset, now=now)
    return ResetLink(expires_at=reset.expires_at)


@answers(router, ResetPassword)
async def reset_password(  # noqa: PLR0913
    asked: ResetPassword,
    pool: Database,
    now: Now,
    keys: AtLinks,
    hashing: AtHashing,
    guesser: AtGuesser,
) -> PasswordSet:
    target = keys.read(Purpose.RESET, asked.token)
    if target is None:
        raise Refused(Refusal.LINK_UNKNOWN)
    async with transaction(pool) as db:
        reset = await links.lock_reset(db, target.id)
        links.check(reset, now=now)
        account = await accounts.get_account(db, reset.account_id)
    answer = _judged(account, asked.password, asked.confirm_password)
    if not answer.accepted:
        return answer
    password_hash = await hashing.hash(asked.password)
    async with transaction(pool) as db:
        links.check(await links.lock_reset(db, target.id), now=now)
        await links.use_reset(db, target.id, now=now)
        await _change(db, account, password_hash, but=None, now=now)
        await attempts.forget(db, guesser.of(account.email, asked.source))
    return answer


@answers(router, ChangePassword)
async def change_password(
    asked: ChangePassword, pool: Database, now: Now, hashing: AtHashing, guesser: AtGuesser
) -> PasswordSet:
    async with transaction(pool) as db:
        session = await own_session(db, asked.session, now=now)
        account = await accounts.get_account(db, session.account_id)
    guessing = guesser.of(account.email, f"session {session.id}")
    if not await may_try(pool, guessing, now=now):
        raise Refused(Refusal.TRY_LATER)
    if not await hashing.fits(account.password_hash, asked.current_password):
        await count_failure(pool, guessing, now=now)
        raise Refused(Refusal.WRONG_PASSWORD)
    answer = _judged(account, asked.password, asked.confirm_password)
    if not answer.accepted:
        return answer
    password_hash = await hashing.hash(asked.password)
    async with transaction(pool) as db:
        await own_session(db, asked.session, now=now)
        await _change(db, account, password_hash, but=asked.session, now=now)
        await attempts.forget(db, guessing)
    return answer


@answers(router, ChangeEmail)
async def change_email(
    asked: ChangeEmail, pool: Database, now: Now, hashing: AtHashing, guesser: AtGuesser
) -> Done:
    async with transaction(pool) as db:
        session = await own_session(db, asked.session, now=now)
        account = await accounts.get_account(db, session.account_id)
    email = canonical(asked.email)
    if email is None:
        raise Refused(Refusal.EMAIL_NOT_USABLE)
    if email == account.email:
        raise Refused(Refusal.SAME_EMAIL)
    guessing = guesser.of(account.email, f"session {session.id}")
    if not await may_try(pool, guessing, now=now):
        raise Refused(Refusal.TRY_LATER)
    if not await hashing.fits(account.password_hash, asked.current_password):
        await count_failure(pool, guessing, now=now)
        raise Refused(Refusal.WRONG_PASSWORD)
    change = EmailChange(
        id=new_id(),
        account_id=account.id,
        old_email=account.email,
        new_email=email,
        expires_at=now + EMAIL_LIFETIME,
        used_at=None,
        void=False,
    )
    async with transaction(pool) as db:
        await links.void_email_changes(db, account.id)
        await links.add_email_change(db, change, now=now)
        await owe(db, LetterKind.EMAIL_CONFIRMATION, change.id)
    return Done()


@answers(router, ConfirmEmail)
async def confirm_email(asked: ConfirmEmail, pool: Database, now: Now, keys: AtLinks) -> Done:
    target = keys.read(Purpose.EMAIL, asked.token)
    if target is None:
        raise Refused(Refusal.LINK_UNKNOWN)
    async with transaction(pool) as db:
        change = await links.lock_email_change(db, target.id)
        links.check(change, now=now)
        if await accounts.find_by_email(db, change.new_email):
            raise Refused(Refusal.LINK_VOID)
        await links.use_email_change(db, change.id, now=now)
        await accounts.save_email(db, change.account_id, change.new_email)
        await links.void_resets(db, change.account_id)
        await announce_ended(db, await sessions.end_others(db, change.account_id, but=None))
        await owe(db, LetterKind.EMAIL_CHANGED, change.id)
    return Done()


def _judged(account: Account, password: str, confirmed: str) -> PasswordSet:
    owner = Owner(email=account.email, name=account.name, date_of_birth=account.date_of_birth)
    judgement = judged(password, confirmed, owner)
    return PasswordSet(
        accepted=all(judgement.values()),
        rules=tuple(RuleMet(rule=rule, met=fine) for rule, fine in judgement.items()),
    )


async def _change(
    db: Connection, account: Account, password_hash: str, *, but: bytes | None, now: datetime
) -> None:
    """The new password; every other session and every link to set one are over."""
    await accounts.save_password(db, account.id, password_hash, now=now)
    await links.void_resets(db, account.id)
    own = (await sessions.get_session(db, but)).id if but else None
    await announce_ended(db, await sessions.end_others(db, account.id, but=own))
    change_id = new_id()
    await accounts.add_password_change(db, change_id, account.id, now=now)
    await owe(db, LetterKind.PASSWORD_CHANGED, change_id)
