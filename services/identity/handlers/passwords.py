"""Passwords forgotten, reset and changed."""

from datetime import datetime
from uuid import UUID

from faststream.nats import NatsRouter

from libs.contracts.base import Done, Refused
from libs.contracts.identity.letters import LetterKind
from libs.contracts.identity.passwords import (
    ChangePassword,
    ForgotPassword,
    PasswordSet,
    ResetLink,
    ResetPassword,
    RuleMet,
    ShowResetLink,
)
from libs.contracts.identity.refusals import Refusal
from libs.runtime import wake
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction, wall
from services.identity import resets
from services.identity.domain import account_link
from services.identity.domain.account import Account, still_so
from services.identity.domain.account_link import Reset
from services.identity.domain.email import canonical
from services.identity.domain.link import Links, Purpose
from services.identity.domain.password import Owner, judged
from services.identity.guessing import AtGuesser, count_asking, trying
from services.identity.hashing import AtHashing
from services.identity.means import AtLinks, announce_ended, new_id, owe, own_session
from services.identity.store import account_links as links_store
from services.identity.store import accounts, attempts, forgotten, sessions
from services.identity.store.forgotten import Forgotten

router = NatsRouter()


@answers(router, ForgotPassword)
async def forgot_password(
    asked: ForgotPassword, pool: Database, now: Now, guesser: AtGuesser
) -> Done:
    """It is only written down that somebody asks; whether there is such an account comes later."""
    email = canonical(asked.email) or ""
    async with transaction(pool) as db:
        await count_asking(db, guesser.asking(asked.source), now=now)
        familiar = await attempts.is_familiar(db, guesser.at_the_door(email, asked.source))
        wanted = Forgotten(email=email, familiar=familiar, asked_at=now)
        await forgotten.add_forgotten(db, new_id(), wanted)
        await wake.ring(db, resets.BELL)
    return Done()


@answers(router, ShowResetLink)
async def show_reset_link(
    asked: ShowResetLink, pool: Database, now: Now, links: AtLinks
) -> ResetLink:
    reset_id = _reset_id(links, asked.token)
    async with transaction(pool, link=reset_id) as db:
        reset = await _working(db, reset_id, now=now)
    return ResetLink(expires_at=reset.expires_at)


@answers(router, ResetPassword)
async def reset_password(  # noqa: PLR0913
    asked: ResetPassword,
    pool: Database,
    now: Now,
    links: AtLinks,
    hashing: AtHashing,
    guesser: AtGuesser,
) -> PasswordSet:
    async with trying(pool, guesser.at_a_link(asked.token, asked.source), now=now):
        reset_id = _reset_id(links, asked.token)
    async with transaction(pool, link=reset_id) as db:
        reset = await _working(db, reset_id, now=now)
        await wall(db, account=reset.account_id)
        account = await accounts.get_account(db, reset.account_id)
    answer = _judged(account, asked.password, asked.confirm_password)
    if not answer.accepted:
        return answer
    password_hash = await hashing.hash(asked.password)
    async with transaction(pool, account=account.id) as db:
        account = await accounts.lock_account(db, account.id)
        await _working(db, reset_id, now=now)
        await links_store.use_reset(db, reset_id, now=now)
        await _change(db, account, password_hash, but=None, now=now)
        door = guesser.at_the_door(account.email, asked.source)
        await attempts.lift(db, [door.who, guesser.inside(account.id, reset_id).who])
        await attempts.remember(db, door, now=now)
    return answer


@answers(router, ChangePassword)
async def change_password(
    asked: ChangePassword, pool: Database, now: Now, hashing: AtHashing, guesser: AtGuesser
) -> PasswordSet:
    async with transaction(pool) as db:
        session = await own_session(db, asked.session, now=now)
        account = await accounts.get_account(db, session.account_id)
    async with trying(pool, guesser.inside(account.id, session.id), now=now):
        if not await hashing.fits(account.password_hash, asked.current_password):
            raise Refused(Refusal.WRONG_PASSWORD)
    answer = _judged(account, asked.password, asked.confirm_password)
    if not answer.accepted:
        return answer
    password_hash = await hashing.hash(asked.password)
    async with transaction(pool) as db:
        await own_session(db, asked.session, now=now)
        if not still_so(await accounts.lock_account(db, account.id), account):
            raise Refused(Refusal.WRONG_PASSWORD)
        await _change(db, account, password_hash, but=session.id, now=now)
    return answer


def _reset_id(links: Links, token: str) -> UUID:
    target = links.read(Purpose.RESET, token)
    if target is None:
        raise Refused(Refusal.LINK_UNKNOWN)
    return target.id


async def _working(db: Connection, reset_id: UUID, *, now: datetime) -> Reset:
    """What the link is for, if it works."""
    reset = await links_store.get_reset(db, reset_id)
    account_link.check(reset, now=now)
    return reset


def _judged(account: Account, password: str, confirmed: str) -> PasswordSet:
    owner = Owner(email=account.email, name=account.name, date_of_birth=account.date_of_birth)
    judgement = judged(password, confirmed, owner)
    return PasswordSet(
        accepted=all(judgement.values()),
        rules=tuple(RuleMet(rule=rule, met=fine) for rule, fine in judgement.items()),
    )


async def _change(
    db: Connection, account: Account, password_hash: str, *, but: UUID | None, now: datetime
) -> None:
    """The new password; every other session is over, and so is every link to the account."""
    await accounts.save_password(db, account.id, password_hash, now=now)
    await links_store.void_resets(db, account.id)
    await links_store.void_email_changes(db, account.id)
    await announce_ended(db, await sessions.end_others(db, account.id, but=but))
    change_id = new_id()
    await links_store.add_password_change(db, change_id, account.id, now=now)
    await owe(db, LetterKind.PASSWORD_CHANGED, change_id)
