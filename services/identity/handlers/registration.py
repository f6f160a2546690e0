"""From an invitation's link to an account, or to one more place for an account."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from faststream.nats import NatsRouter

from libs.contracts.activity import Act
from libs.contracts.base import Refused
from libs.contracts.identity.invitations import Invitation as Shown
from libs.contracts.identity.invitations import ShowInvitation
from libs.contracts.identity.passwords import PasswordSet, RuleMet
from libs.contracts.identity.practices import Practice
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.registration import (
    Accepted,
    AcceptInvitation,
    CompleteRegistration,
    PatientRegistered,
)
from libs.contracts.identity.sharing import DelegateAccepted
from libs.contracts.visa import Capacity
from libs.runtime import outbox
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, Pool, transaction, wall
from libs.runtime.keyring import KeyRing
from services.identity.domain import invitation as rules
from services.identity.domain import one_time_code
from services.identity.domain.account import Account, named
from services.identity.domain.invitation import Invitation
from services.identity.domain.link import Links, Purpose, Target
from services.identity.domain.password import Owner, judged
from services.identity.guessing import AtGuesser, trying
from services.identity.hashing import AtHashing
from services.identity.means import (
    AtKeyRing,
    AtLinks,
    announce_ended,
    announce_state,
    new_id,
    own_session,
    sealed_code,
    tell_log,
)
from services.identity.store import accounts, invitations, practices, sessions, standing

router = NatsRouter()


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a link leads to."""

    invitation: Invitation
    practice: Practice
    has_account: bool


@answers(router, ShowInvitation)
async def show_invitation(asked: ShowInvitation, pool: Database, now: Now, links: AtLinks) -> Shown:
    target = _target(links, asked.token)
    async with transaction(pool, invitation=target.id) as db:
        found = await _found(db, target, now=now)
        if asked.opened and (seen := rules.opened(found.invitation)):
            await invitations.save_invitation(db, seen)
            await announce_state(db, seen)
    return Shown(
        practice_id=found.practice.practice_id,
        practice_name=found.practice.name,
        email=found.invitation.email,
        expires_at=found.invitation.expires_at,
        staff=found.invitation.staff,
        delegate=found.invitation.sharing is not None,
        has_account=found.has_account,
    )


@answers(router, CompleteRegistration)
async def complete_registration(  # noqa: PLR0913
    asked: CompleteRegistration,
    pool: Database,
    now: Now,
    links: AtLinks,
    hashing: AtHashing,
    key_ring: AtKeyRing,
    guesser: AtGuesser,
) -> PasswordSet:
    async with trying(pool, guesser.at_a_link(asked.token, asked.source), now=now):
        target = _target(links, asked.token)
        found = await _recognised(pool, target, asked.date_of_birth, now=now)
    if found.has_account:
        raise Refused(Refusal.HAS_ACCOUNT)
    name = found.invitation.name
    if found.invitation.sharing:
        name = named(asked.name)
    answer = _judged(asked, found, name)
    if not answer.accepted:
        return answer
    if not asked.terms_version:
        raise Refused(Refusal.TERMS_NOT_ACCEPTED)
    password_hash = await hashing.hash(asked.password)
    async with transaction(pool, invitation=target.id) as db:
        invitation = (await _found(db, target, now=now)).invitation
        account, enrolment = _account(invitation, name, password_hash, key_ring, now=now)
        await wall(db, account=account.id)
        if not await accounts.add_account(db, account, terms_version=asked.terms_version):
            raise Refused(Refusal.HAS_ACCOUNT)
        await _take(db, invitation, account, now=now)
    return answer.model_copy(update={"enrolment": enrolment})


@answers(router, AcceptInvitation)
async def accept_invitation(  # noqa: PLR0913
    asked: AcceptInvitation,
    pool: Database,
    now: Now,
    links: AtLinks,
    key_ring: AtKeyRing,
    guesser: AtGuesser,
) -> Accepted:
    async with transaction(pool) as db:
        session = await own_session(db, asked.session, now=now)
        account = await accounts.get_account(db, session.account_id)
    async with trying(pool, guesser.at_a_link(asked.token, session.source), now=now):
        target = _target(links, asked.token)
        await _recognised(pool, target, asked.date_of_birth, of=account, now=now)
    if not asked.terms_version:
        raise Refused(Refusal.TERMS_NOT_ACCEPTED)
    enrolment = ""
    async with transaction(pool, invitation=target.id) as db:
        invitation = (await _found(db, target, now=now)).invitation
        session = await own_session(db, asked.session, now=now)
        account = await accounts.lock_account(db, session.account_id)
        if invitation.staff and account.code_secret is None:
            secret = one_time_code.new_secret()
            await accounts.save_code(db, account.id, *sealed_code(key_ring, account.id, secret))
            await announce_ended(db, await sessions.end_others(db, account.id, but=session.id))
            enrolment = one_time_code.enrolment(secret, account.email)
        await _take(db, invitation, account, now=now)
    return Accepted(enrolment=enrolment)


def _target(links: Links, token: str) -> Target:
    target = links.read(Purpose.INVITATION, token)
    if target is None:
        raise Refused(Refusal.LINK_UNKNOWN)
    return target


async def _found(db: Connection, target: Target, *, now: datetime) -> Found:
    """The invitation that the link names, held until the transaction ends, if the link works."""
    invitation = await invitations.lock_invitation(db, target.id)
    rules.check_link(invitation, target.version, now=now)
    await wall(db, practice=invitation.practice_id, email=invitation.email)
    record = invitation.patient_id
    if record and not await standing.is_open(db, invitation.practice_id, record):
        raise Refused(Refusal.INVITATION_ENDED)  # it was on its way when the record was closed
    return Found(
        invitation=invitation,
        practice=await practices.get_practice(db, invitation.practice_id),
        has_account=await accounts.find_by_email(db, invitation.email) is not None,
    )


async def _recognised(
    pool: Pool,
    target: Target,
    date_of_birth: date | None,
    *,
    now: datetime,
    of: Account | None = None,
) -> Found:
    """What the link leads to, for whoever also knows the date of birth; a wrong one counts."""
    async with transaction(pool, invitation=target.id) as db:
        found = await _found(db, target, now=now)
        if of and not rules.is_for(found.invitation, of.id, of.email):
            raise Refused(Refusal.NOT_ALLOWED)
        right = date_of_birth == found.invitation.date_of_birth
        if date_of_birth and not right:
            counted = rules.wrong_date(found.invitation)
            await invitations.save_invitation(db, counted)
            if counted.state is not found.invitation.state:
                await announce_state(db, counted)
    if not right:
        raise Refused(Refusal.WRONG_DATE_OF_BIRTH)
    return found


def _judged(asked: CompleteRegistration, found: Found, name: str) -> PasswordSet:
    """Whether the password keeps the rules, and which of them."""
    owner = Owner(
        email=found.invitation.email,
        name=name,
        date_of_birth=found.invitation.date_of_birth,
        practice=found.practice.name,
    )
    judgement = judged(asked.password, asked.confirm_password, owner)
    return PasswordSet(
        accepted=all(judgement.values()),
        rules=tuple(RuleMet(rule=rule, met=met) for rule, met in judgement.items()),
    )


def _account(
    invitation: Invitation, name: str, password_hash: str, key_ring: KeyRing, *, now: datetime
) -> tuple[Account, str]:
    """The new account; for staff with one-time codes, and the address to enrol them by."""
    account_id, key_id, sealed, enrolment = new_id(), None, None, ""
    if invitation.staff:
        secret = one_time_code.new_secret()
        key_id, sealed = sealed_code(key_ring, account_id, secret)
        enrolment = one_time_code.enrolment(secret, invitation.email)
    account = Account(
        id=account_id,
        email=invitation.email,
        name=name,
        date_of_birth=invitation.date_of_birth,
        password_hash=password_hash,
        password_set_at=now,
        code_key_id=key_id,
        code_secret=sealed,
        code_used_step=0,
        last_login_at=None,
        active=True,
    )
    return account, enrolment


async def _take(db: Connection, invitation: Invitation, account: Account, *, now: datetime) -> None:
    """The invitation is used up, and what it was for is the account's."""
    taken = rules.accepted(invitation, account.id)
    if taken.sharing:
        taken = replace(taken, name=account.name)
    await invitations.save_invitation(db, taken)
    await announce_state(db, taken)
    if taken.role:
        await accounts.add_seat(db, taken.practice_id, account.id, taken.role)
    if taken.patient_id and taken.sharing:
        await outbox.announce(
            db,
            DelegateAccepted(
                practice_id=taken.practice_id,
                patient_id=taken.patient_id,
                account_id=account.id,
                invitation_id=taken.id,
                version=taken.version,
                limits=taken.sharing.limits,
                ends_at=taken.sharing.ends_at,
                granted_by=taken.sharing.invited_by,
            ),
        )
        await tell_log(
            db,
            taken,
            account.id,
            Act.ACCEPTED_ACCESS,
            capacity=Capacity.DELEGATE,
            reference_id=taken.id,
            now=now,
        )
    elif taken.patient_id:
        await outbox.announce(
            db,
            PatientRegistered(
                practice_id=taken.practice_id,
                patient_id=taken.patient_id,
                account_id=account.id,
                invitation_id=taken.id,
            ),
        )
        await tell_log(db, taken, account.id, Act.REGISTERED, now=now)
