"""From an invitation's link to an account."""

import pyotp
from faststream.nats import NatsRouter

from libs.contracts.base import Done, Refused
from libs.contracts.identity import (
    AcceptInvitation,
    AskForNewLink,
    CompleteRegistration,
    LetterDue,
    LetterKind,
    PasswordSet,
    PatientRegistered,
    Refusal,
    RuleMet,
    ShowInvitation,
)
from libs.contracts.identity import Invitation as Shown
from libs.runtime import outbox
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from libs.runtime.keyring import KeyRing
from services.identity.domain import invitation as rules
from services.identity.domain.invitation import Invitation
from services.identity.domain.link import Links, Purpose, Target
from services.identity.domain.password import Owner, judged
from services.identity.hashing import AtHashing
from services.identity.means import (
    AtGuesser,
    AtKeyRing,
    AtLinks,
    announce_state,
    count_failure,
    may_try,
    new_id,
    own_session,
)
from services.identity.store import accounts, invitations, practices
from services.identity.store.accounts import Account

ISSUER = "CareSpace"

router = NatsRouter()


@answers(router, ShowInvitation)
async def show_invitation(asked: ShowInvitation, pool: Database, now: Now, links: AtLinks) -> Shown:
    target = _target(links, asked.token)
    async with transaction(pool, invitation=target.id) as db:
        invitation = await invitations.lock_invitation(db, target.id)
        rules.check_link(invitation, target.version, now=now)
        if asked.opened and (seen := rules.opened(invitation)):
            await invitations.save_invitation(db, seen)
            await announce_state(db, seen)
        practice = await practices.get_practice(db, invitation.practice_id)
        account = await accounts.find_by_email(db, invitation.email)
    return Shown(
        practice_id=invitation.practice_id,
        practice_name=practice.name,
        email=invitation.email,
        expires_at=invitation.expires_at,
        staff=invitation.staff,
        has_account=account is not None,
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
    target = _target(links, asked.token)
    guessing = guesser.of(str(target.id), asked.source)
    if not await may_try(pool, guessing, now=now):
        raise Refused(Refusal.TRY_LATER)
    async with transaction(pool, invitation=target.id) as db:
        invitation = await invitations.lock_invitation(db, target.id)
        rules.check_link(invitation, target.version, now=now)
        fits = asked.date_of_birth == invitation.date_of_birth
        if not fits and asked.date_of_birth is not None:
            counted = rules.wrong_date(invitation)
            await invitations.save_invitation(db, counted)
            if counted.state is not invitation.state:
                await announce_state(db, counted)
        practice = await practices.get_practice(db, invitation.practice_id)
    if not fits:
        await count_failure(pool, guessing, now=now)
        raise Refused(Refusal.WRONG_DATE_OF_BIRTH)
    owner = Owner(
        email=invitation.email,
        name=invitation.name,
        date_of_birth=invitation.date_of_birth,
        practice=practice.name,
    )
    judgement = judged(asked.password, asked.confirm_password, owner)
    met = tuple(RuleMet(rule=rule, met=fine) for rule, fine in judgement.items())
    if not all(judgement.values()):
        return PasswordSet(accepted=False, rules=met)
    if not asked.terms_version:
        raise Refused(Refusal.TERMS_NOT_ACCEPTED)
    password_hash = await hashing.hash(asked.password)
    async with transaction(pool, invitation=target.id, practice=invitation.practice_id) as db:
        invitation = await invitations.lock_invitation(db, target.id)
        rules.check_link(invitation, target.version, now=now)
        account, enrolment = _account(invitation, password_hash, key_ring)
        if not await accounts.add_account(db, account, terms_version=asked.terms_version, now=now):
            raise Refused(Refusal.HAS_ACCOUNT)
        await _take(db, invitation, account)
    return PasswordSet(accepted=True, rules=met, enrolment=enrolment)


@answers(router, AcceptInvitation)
async def accept_invitation(
    asked: AcceptInvitation, pool: Database, now: Now, links: AtLinks
) -> Done:
    target = _target(links, asked.token)
    wrong = False
    async with transaction(pool) as db:
        session = await own_session(db, asked.session, now=now)
        account = await accounts.get_account(db, session.account_id)
    async with transaction(pool, invitation=target.id) as db:
        invitation = await invitations.lock_invitation(db, target.id)
        rules.check_link(invitation, target.version, now=now)
        if account.email != invitation.email:
            raise Refused(Refusal.NOT_ALLOWED)
        if asked.date_of_birth != invitation.date_of_birth:
            counted = rules.wrong_date(invitation)
            await invitations.save_invitation(db, counted)
            if counted.state is not invitation.state:
                await announce_state(db, counted)
            wrong = True
    if wrong:
        raise Refused(Refusal.WRONG_DATE_OF_BIRTH)
    if not asked.terms_version:
        raise Refused(Refusal.TERMS_NOT_ACCEPTED)
    async with transaction(pool, invitation=target.id, practice=invitation.practice_id) as db:
        invitation = await invitations.lock_invitation(db, target.id)
        rules.check_link(invitation, target.version, now=now)
        await _take(db, invitation, account)
    return Done()


@answers(router, AskForNewLink)
async def ask_for_new_link(asked: AskForNewLink, pool: Database, now: Now, links: AtLinks) -> Done:
    """The practice hears of it; the answer is the same for any link."""
    target = links.read(Purpose.INVITATION, asked.token)
    if target is None:
        return Done()
    async with transaction(pool, invitation=target.id) as db:
        try:
            invitation = await invitations.lock_invitation(db, target.id)
        except Refused:
            return Done()
        if wanted := rules.link_wanted(invitation, now=now):
            await invitations.save_invitation(db, wanted)
            await announce_state(db, wanted)
            await outbox.announce(
                db,
                LetterDue(
                    kind=LetterKind.NEW_LINK_WANTED,
                    reference_id=wanted.id,
                    version=wanted.change,
                    practice_id=wanted.practice_id,
                ),
            )
    return Done()


def _target(links: Links, token: str) -> Target:
    target = links.read(Purpose.INVITATION, token)
    if target is None:
        raise Refused(Refusal.LINK_UNKNOWN)
    return target


def _account(invitation: Invitation, password_hash: str, key_ring: KeyRing) -> tuple[Account, str]:
    """The new account; for staff with a one-time code, and the URI to enrol it by."""
    account_id, key_id, sealed, enrolment = new_id(), None, None, ""
    if invitation.staff:
        secret = pyotp.random_base32()
        key_id, sealed = key_ring.wrap(secret.encode(), belongs_to=f"code {account_id}")
        enrolment = pyotp.TOTP(secret).provisioning_uri(name=invitation.email, issuer_name=ISSUER)
    account = Account(
        id=account_id,
        email=invitation.email,
        name=invitation.name,
        date_of_birth=invitation.date_of_birth,
        password_hash=password_hash,
        code_key_id=key_id,
        code_secret=sealed,
        code_used_step=0,
        last_login_at=None,
        active=True,
    )
    return account, enrolment


async def _take(db: Connection, invitation: Invitation, account: Account) -> None:
    """The invitation is used up, and what it was for is the account's."""
    taken = rules.accepted(invitation, account.id)
    await invitations.save_invitation(db, taken)
    await announce_state(db, taken)
    if taken.role:
        await accounts.add_seat(db, taken.practice_id, account.id, taken.role)
    if taken.patient_id:
        await outbox.announce(
            db,
            PatientRegistered(
                practice_id=taken.practice_id,
                patient_id=taken.patient_id,
                account_id=account.id,
                invitation_id=taken.id,
            ),
        )
