"""What a letter says, asked for as it is written; only the notifier may ask."""

from datetime import datetime
from uuid import UUID

from faststream.nats import NatsRouter

from libs.contracts.base import Refused
from libs.contracts.identity.invitations import InvitationState
from libs.contracts.identity.letters import DescribeLetter, Letter, LetterKind
from libs.contracts.identity.refusals import Refusal
from libs.contracts.visa import Limit, Role
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, Pool, transaction, wall
from services.identity.domain import account_link, sharing
from services.identity.domain import invitation as rules
from services.identity.domain.account import Account, greeting
from services.identity.domain.invitation import Invitation
from services.identity.domain.link import Links, Purpose, Target
from services.identity.means import AtLinks
from services.identity.store import (
    account_links,
    accounts,
    factors,
    invitations,
    notices,
    practices,
    standing,
)

router = NatsRouter()


@answers(router, DescribeLetter)
async def describe_letter(  # noqa: C901, PLR0911
    asked: DescribeLetter, pool: Database, now: Now, links: AtLinks
) -> Letter:
    match asked.kind:
        case LetterKind.INVITATION | LetterKind.STAFF_INVITATION | LetterKind.DELEGATE_INVITATION:
            return await _invitation(asked, pool, links, now=now)
        case LetterKind.NEW_LINK_WANTED | LetterKind.DELEGATE_LINK_WANTED:
            return await _new_link_wanted(asked, pool)
        case LetterKind.ACCESS_CHANGED:
            return await _access_changed(asked, pool, now=now)
        case LetterKind.ACCESS_ENDED:
            return await _access_ended(asked, pool, now=now)
        case LetterKind.PASSWORD_RESET:
            return await _password_reset(asked, pool, links, now=now)
        case LetterKind.PASSWORD_CHANGED:
            return await _password_changed(asked, pool)
        case LetterKind.FACTORS_CHANGED:
            return await _factors_changed(asked, pool)
        case LetterKind.EMAIL_CONFIRMATION:
            return await _email_confirmation(asked, pool, links, now=now)
        case LetterKind.EMAIL_CHANGED:
            return await _email_changed(asked, pool)
        case LetterKind.MESSAGE_WAITING | LetterKind.SENDING_LOCKED | LetterKind.SENDING_NOTE:
            return await _to_account(asked, pool, now=now)
        case LetterKind.CHART_OPENED | LetterKind.CHART_OPENED_STAFF:
            return await _chart_opened(asked, pool)
        case LetterKind.RECORD_SENT:  # to no account: records says to whom
            raise Refused(Refusal.LINK_VOID)


async def _invitation(asked: DescribeLetter, pool: Pool, links: Links, *, now: datetime) -> Letter:
    async with transaction(pool, invitation=asked.reference_id) as db:
        invitation = await invitations.lock_invitation(db, asked.reference_id)
        rules.check_link(invitation, asked.version, now=now)
        await wall(db, practice=invitation.practice_id)
        await _assure_open(db, invitation.practice_id, invitation.patient_id)
        practice = await practices.get_practice(db, invitation.practice_id)
        inviting = await _inviting(db, invitation)
    token = links.token(Purpose.INVITATION, Target(id=invitation.id, version=invitation.version))
    return Letter(
        email=invitation.email,
        greeting_name=greeting(invitation.name),
        from_name=greeting(inviting.name) if inviting else "",
        practice=practice,
        path=f"/register/{token}",
        link_expires_at=invitation.expires_at,
        time_zone=practice.time_zone,
    )


async def _new_link_wanted(asked: DescribeLetter, pool: Pool) -> Letter:
    async with transaction(pool, invitation=asked.reference_id) as db:
        invitation = await invitations.lock_invitation(db, asked.reference_id)
        if invitation.new_link_wanted_at is None:
            raise Refused(Refusal.LINK_VOID)
        practice = await practices.get_practice(db, invitation.practice_id)
        email = await practices.get_contact_email(db, invitation.practice_id)
        inviting = await _inviting(db, invitation)
    users = f"/p/{invitation.patient_id}/users"
    return Letter(
        email=inviting.email if inviting else email,
        greeting_name=greeting(inviting.name) if inviting else "",
        practice=practice,
        path=users if inviting else "/staff/patients?attention=1",
        time_zone=practice.time_zone,
        happened_at=invitation.new_link_wanted_at,
    )


async def _access_changed(asked: DescribeLetter, pool: Pool, *, now: datetime) -> Letter:
    """To whoever accepted, and still has access."""
    async with transaction(pool, invitation=asked.reference_id) as db:
        invitation = await invitations.lock_invitation(db, asked.reference_id)
        if invitation.state is not InvitationState.REGISTERED or invitation.account_id is None:
            raise Refused(Refusal.LINK_VOID)
        if sharing.over(invitation, now=now):
            raise Refused(Refusal.LINK_VOID)
        await wall(db, practice=invitation.practice_id, account=invitation.account_id)
        await _assure_open(db, invitation.practice_id, invitation.patient_id)
        account = await accounts.get_account(db, invitation.account_id)
        practice = await practices.get_practice(db, invitation.practice_id)
    return Letter(
        email=account.email,
        greeting_name=greeting(account.name),
        practice=practice,
        path=f"/p/{invitation.patient_id}/health",
        time_zone=practice.time_zone,
    )


async def _access_ended(asked: DescribeLetter, pool: Pool, *, now: datetime) -> Letter:
    """To whoever had access, unless they have been let in again."""
    async with transaction(pool, link=asked.reference_id) as db:
        notice = await notices.get_access_ended(db, asked.reference_id)
        who = notice.account_id
        await wall(db, practice=notice.practice_id, account=who)
        place = notice.practice_id, notice.patient_id
        account = await accounts.get_account(db, who)
        if not account.active or await invitations.is_let_in(db, *place, account_id=who, now=now):
            raise Refused(Refusal.LINK_VOID)
        practice = await practices.get_practice(db, notice.practice_id)
        invitation = await invitations.lock_invitation(db, notice.invitation_id)
        inviting = await _inviting(db, invitation)
    return Letter(
        email=account.email,
        greeting_name=greeting(account.name),
        from_name=greeting(inviting.name) if inviting else "",
        practice=practice,
        time_zone=practice.time_zone,
    )


async def _inviting(db: Connection, invitation: Invitation) -> Account | None:
    """The patient who lets somebody in; None where the practice invites."""
    if invitation.sharing is None:
        return None
    await wall(db, account=invitation.sharing.invited_by)
    return await accounts.get_account(db, invitation.sharing.invited_by)


async def _password_reset(
    asked: DescribeLetter, pool: Pool, links: Links, *, now: datetime
) -> Letter:
    async with transaction(pool, link=asked.reference_id) as db:
        reset = await account_links.get_reset(db, asked.reference_id)
        account_link.check(reset, now=now)
        await wall(db, account=reset.account_id)
        account = await accounts.get_account(db, reset.account_id)
    token = links.token(Purpose.RESET, Target(id=reset.id, version=1))
    return Letter(
        email=account.email,
        greeting_name=greeting(account.name),
        path=f"/reset-password/{token}",
        link_expires_at=reset.expires_at,
    )


async def _password_changed(asked: DescribeLetter, pool: Pool) -> Letter:
    async with transaction(pool, link=asked.reference_id) as db:
        account_id, at = await account_links.get_password_change(db, asked.reference_id)
        await wall(db, account=account_id)
        account = await accounts.get_account(db, account_id)
    return Letter(
        email=account.email,
        greeting_name=greeting(account.name),
        path="/forgot-password",
        happened_at=at,
    )


async def _factors_changed(asked: DescribeLetter, pool: Pool) -> Letter:
    async with transaction(pool, link=asked.reference_id) as db:
        account_id, at = await factors.get_change(db, asked.reference_id)
        await wall(db, account=account_id)
        account = await accounts.get_account(db, account_id)
    return Letter(
        email=account.email,
        greeting_name=greeting(account.name),
        path="/account",
        happened_at=at,
    )


async def _email_confirmation(
    asked: DescribeLetter, pool: Pool, links: Links, *, now: datetime
) -> Letter:
    async with transaction(pool, link=asked.reference_id) as db:
        change = await account_links.get_email_change(db, asked.reference_id)
        account_link.check(change, now=now)
        await wall(db, account=change.account_id)
        account = await accounts.get_account(db, change.account_id)
    token = links.token(Purpose.EMAIL, Target(id=change.id, version=1))
    return Letter(
        email=change.new_email,
        greeting_name=greeting(account.name),
        path=f"/confirm-email/{token}",
        link_expires_at=change.expires_at,
    )


async def _email_changed(asked: DescribeLetter, pool: Pool) -> Letter:
    async with transaction(pool, link=asked.reference_id) as db:
        change = await account_links.get_email_change(db, asked.reference_id)
        if change.used_at is None:
            raise Refused(Refusal.LINK_VOID)
        await wall(db, account=change.account_id)
        account = await accounts.get_account(db, change.account_id)
    return Letter(
        email=change.old_email,
        greeting_name=greeting(account.name),
        happened_at=change.used_at,
    )


async def _to_account(asked: DescribeLetter, pool: Pool, *, now: datetime) -> Letter:
    """To an account that is still used; where it is to look, whoever tells it says."""
    if asked.practice_id is None:
        raise Refused(Refusal.LINK_VOID)
    async with transaction(pool, practice=asked.practice_id) as db:
        account_id = await _reader(db, asked, asked.practice_id, now=now)
        await wall(db, account=account_id)
        account = await accounts.get_account(db, account_id)
        practice = await practices.get_practice(db, asked.practice_id)
    if not account.active:
        raise Refused(Refusal.LINK_VOID)
    return Letter(
        email=account.email,
        greeting_name=greeting(account.name),
        practice=practice,
        time_zone=practice.time_zone,
    )


async def _reader(
    db: Connection, asked: DescribeLetter, practice_id: UUID, *, now: datetime
) -> UUID:
    """Whoever may still see what they are told of: the account, or else a sent record's patient."""
    account_id, limit = asked.reference_id, Limit.SENDING
    if asked.staff and not await accounts.find_role(db, account_id, practice_id):
        raise Refused(Refusal.LINK_VOID)
    if asked.patient_id is None:
        return account_id
    place = practice_id, asked.patient_id
    if await invitations.is_let_in(db, *place, account_id=account_id, limit=limit, now=now):
        return account_id
    own = await invitations.find_of_patient(db, *place)
    if own is None or own.account_id is None or own.state is not InvitationState.REGISTERED:
        raise Refused(Refusal.LINK_VOID)
    return own.account_id


async def _chart_opened(asked: DescribeLetter, pool: Pool) -> Letter:
    """To the patient, who finds the reason in their log; or to whoever is still administrator."""
    to_staff = asked.kind is LetterKind.CHART_OPENED_STAFF
    async with transaction(pool, link=asked.reference_id) as db:
        notice = await notices.get_chart_opened(db, asked.reference_id)
        await wall(db, practice=notice.practice_id, account=notice.account_id)
        role = await accounts.find_role(db, notice.account_id, notice.practice_id)
        if to_staff and role is not Role.ADMINISTRATOR:
            raise Refused(Refusal.LINK_VOID)
        if not to_staff:
            await _assure_open(db, notice.practice_id, notice.patient_id)
        account = await accounts.get_account(db, notice.account_id)
        practice = await practices.get_practice(db, notice.practice_id)
    record = f"/staff/patients/{notice.patient_id}" if to_staff else f"/p/{notice.patient_id}"
    return Letter(
        email=account.email,
        greeting_name=greeting(account.name),
        practice=practice,
        path=record if to_staff else f"{record}/activity",
        time_zone=practice.time_zone,
        happened_at=notice.at,
    )


async def _assure_open(db: Connection, practice_id: UUID, patient_id: UUID | None) -> None:
    """Nobody is written to of a record that is closed to them."""
    if patient_id and not await standing.is_open(db, practice_id, patient_id):
        raise Refused(Refusal.LINK_VOID)
