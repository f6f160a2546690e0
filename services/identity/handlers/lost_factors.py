"""Somebody lost their second factor: a colleague helps them, or the operator.

It is taken off nobody's account by whoever is not answerable for all that the account opens.
"""

from datetime import datetime
from uuid import UUID

from faststream.nats import NatsRouter

from libs.access.gate import AtGate, NotAllowed
from libs.contracts.activity import Act
from libs.contracts.base import Done, Refused
from libs.contracts.identity.factors import FactorsReset, ResetFactors
from libs.contracts.identity.letters import LetterKind
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.staff import ResetColleagueFactors
from libs.contracts.visa import Capacity, Role
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction, wall
from services.identity.domain import team as rules
from services.identity.domain.account import Account
from services.identity.domain.email import canonical
from services.identity.domain.invitation import Invitation
from services.identity.handlers.practices import OPERATOR
from services.identity.means import (
    announce_ended,
    announce_letter,
    assure_proven,
    new_id,
    owe,
    tell_log,
)
from services.identity.store import accounts, factors, invitations, passkeys, practices, sessions
from services.identity.store import factor_resets as store

router = NatsRouter()


@answers(router, ResetColleagueFactors)
async def reset_colleague_factors(
    asked: ResetColleagueFactors, pool: Database, now: Now, gate: AtGate
) -> Done:
    visa = gate.admit_staff(asked.visa, now=now, roles=(Role.ADMINISTRATOR,))
    async with transaction(pool, practice=visa.practice_id, account=visa.account_id) as db:
        await assure_proven(db, visa, now=now)
        seats = await accounts.lock_seats(db, visa.practice_id)
        if not rules.administers(seats, visa.account_id):
            raise NotAllowed  # another administrator was faster, and reset theirs
        known = await invitations.get_of_staff(db, visa.practice_id, asked.invitation_id)
        account_id = rules.colleague(known, by=visa.account_id)
        await wall(db, account=account_id)
        account = await accounts.lock_account(db, account_id)
        if await store.opens_more(db, account_id, visa.practice_id):
            raise Refused(Refusal.ACCOUNT_OPENS_MORE)
        await _take_off(
            db, account, practice_id=visa.practice_id, by=visa.actor_name, reason="", now=now
        )
        await _let_in_anew(db, known, account, now=now)
    return Done()


@answers(router, ResetFactors)
async def reset_factors(asked: ResetFactors, pool: Database, now: Now) -> FactorsReset:
    reason = rules.why(asked.reason)
    email = canonical(asked.email) or ""
    async with transaction(pool, email=email) as db:
        found = await accounts.find_by_email(db, email)
        if found is None:
            raise Refused(Refusal.UNKNOWN_ACCOUNT)
        await wall(db, account=found.id)
        account = await accounts.lock_account(db, found.id)
        own = await invitations.list_own(db, account.id)
        at = await store.list_seats(db, account.id)
        await _take_off(db, account, practice_id=None, by="", reason=reason, now=now)
        for record in own:
            await tell_log(
                db, record, OPERATOR, Act.RESET_FACTORS, capacity=Capacity.MACHINE, now=now
            )
        names = []
        for practice_id in at:
            await wall(db, practice=practice_id)
            names.append((await practices.get_practice(db, practice_id)).name)
            known = await invitations.get_of_colleague(db, practice_id, account.id)
            await _let_in_anew(db, known, account, now=now)
    return FactorsReset(name=account.name, practices=tuple(names))


async def _take_off(  # noqa: PLR0913
    db: Connection,
    account: Account,
    *,
    practice_id: UUID | None,
    by: str,
    reason: str,
    now: datetime,
) -> None:
    """No code, recovery code or passkey of theirs counts; they are logged out, and told."""
    await accounts.remove_code(db, account.id)
    await factors.save_recovery_codes(db, account.id, [])
    await factors.remove_pending(db, account.id)
    await passkeys.remove_all(db, account.id)
    await announce_ended(db, await sessions.end_others(db, account.id, but=None))
    reset_id = new_id()
    await store.add_reset(
        db, reset_id, account.id, practice_id=practice_id, by=by, reason=reason, now=now
    )
    await factors.add_change(db, reset_id, account.id, now=now)
    await owe(db, LetterKind.FACTORS_CHANGED, reset_id)


async def _let_in_anew(
    db: Connection, known: Invitation, account: Account, *, now: datetime
) -> None:
    """They have their seat back by the link in a letter, with codes that they set up there."""
    other = await invitations.find_of_staff(db, known.practice_id, account.email)
    if other and other.id != known.id:
        raise Refused(Refusal.ALREADY_REGISTERED)
    invited = rules.let_in_anew(known, account.email, now=now)
    await accounts.remove_seat(db, known.practice_id, account.id)
    await invitations.save_invitation(db, invited)
    await announce_letter(db, invited)
