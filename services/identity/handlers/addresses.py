"""E-mail addresses changed: the new one has to confirm, the old one is told."""

import asyncpg
from faststream.nats import NatsRouter

from libs.contracts.base import Done, Refused
from libs.contracts.identity.addresses import ChangeEmail, ConfirmEmail
from libs.contracts.identity.letters import LetterKind
from libs.contracts.identity.refusals import Refusal
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Database, transaction, wall
from services.identity.domain import account_link
from services.identity.domain.account import still_so
from services.identity.domain.account_link import EMAIL_LIFETIME, MOST_LETTERS, EmailChange
from services.identity.domain.email import canonical
from services.identity.domain.link import Purpose
from services.identity.domain.session import check_proven
from services.identity.guessing import AtGuesser, trying
from services.identity.hashing import AtHashing
from services.identity.means import AtLinks, announce_ended, new_id, owe, own_session
from services.identity.store import account_links as store
from services.identity.store import accounts, attempts, sessions

router = NatsRouter()


@answers(router, ChangeEmail)
async def change_email(
    asked: ChangeEmail, pool: Database, now: Now, hashing: AtHashing, guesser: AtGuesser
) -> Done:
    async with transaction(pool) as db:
        session = await own_session(db, asked.session, now=now)
        check_proven(session, now=now)
        account = await accounts.get_account(db, session.account_id)
    email = canonical(asked.email)
    if email is None:
        raise Refused(Refusal.EMAIL_NOT_USABLE)
    if email == account.email:
        raise Refused(Refusal.SAME_EMAIL)
    async with trying(pool, guesser.inside(account.id, session.id), now=now):
        if not await hashing.fits(account.password_hash, asked.current_password):
            raise Refused(Refusal.WRONG_PASSWORD)
    change = EmailChange(
        id=new_id(),
        account_id=account.id,
        session_id=session.id,
        old_email=account.email,
        new_email=email,
        expires_at=now + EMAIL_LIFETIME,
    )
    async with transaction(pool) as db:
        await own_session(db, asked.session, now=now)
        if not still_so(await accounts.lock_account(db, account.id), account):
            raise Refused(Refusal.WRONG_PASSWORD)
        sent = await store.count_email_changes(db, account.id, now=now, spans=MOST_LETTERS)
        if not account_link.one_more(sent):
            raise Refused(Refusal.TRY_LATER)
        await store.void_email_changes(db, account.id)
        await store.add_email_change(db, change, now=now)
        await owe(db, LetterKind.EMAIL_CONFIRMATION, change.id)
    return Done()


@answers(router, ConfirmEmail)
async def confirm_email(
    asked: ConfirmEmail, pool: Database, now: Now, links: AtLinks, guesser: AtGuesser
) -> Done:
    """It is known only now whether somebody else has that address; nobody is told."""
    async with trying(pool, guesser.at_a_link(asked.token, asked.source), now=now):
        target = links.read(Purpose.EMAIL, asked.token)
        if target is None:
            raise Refused(Refusal.LINK_UNKNOWN)
    try:
        async with transaction(pool, link=target.id) as db:
            change = await store.get_email_change(db, target.id)
            await wall(db, account=change.account_id)
            await accounts.lock_account(db, change.account_id)
            change = await store.get_email_change(db, target.id)
            account_link.check(change, now=now)
            await store.use_email_change(db, change.id, now=now)
            await accounts.save_email(db, change.account_id, change.new_email)
            await store.void_resets(db, change.account_id)
            await attempts.move_familiar(
                db,
                before=guesser.at_the_door(change.old_email, "").who,
                after=guesser.at_the_door(change.new_email, "").who,
            )
            others = await sessions.end_others(db, change.account_id, but=change.session_id)
            await announce_ended(db, others)
            await owe(db, LetterKind.EMAIL_CHANGED, change.id)
    except asyncpg.UniqueViolationError:
        raise Refused(Refusal.LINK_VOID) from None
    return Done()
