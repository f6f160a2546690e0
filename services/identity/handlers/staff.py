"""Members of staff: as their colleagues see them, invited, given a role, and taken off the team."""

from datetime import datetime
from uuid import UUID

from faststream.nats import NatsRouter

from libs.access.gate import AtGate, Gate
from libs.contracts.base import Done, Refused
from libs.contracts.identity.invitations import InvitationState, Resent
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.staff import (
    ChangeRole,
    Colleagues,
    InviteColleague,
    ListColleagues,
    ListTeam,
    Member,
    RemoveFromTeam,
    ResendColleagueInvitation,
    Team,
)
from libs.contracts.visa import Role, Visa
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction, wall
from services.identity.domain import team as rules
from services.identity.domain.email import canonical
from services.identity.domain.invitation import Invitation
from services.identity.means import (
    announce_ended,
    announce_letter,
    assure_proven,
    new_id,
    own_session,
)
from services.identity.store import accounts, factor_resets, invitations, sessions

ADMINISTRATORS = (Role.ADMINISTRATOR,)

router = NatsRouter()


@answers(router, ListColleagues)
async def list_colleagues(asked: ListColleagues, pool: Database, now: Now) -> Colleagues:
    async with transaction(pool) as db:
        session = await own_session(db, asked.session, now=now)
        if session.practice_id is None:
            raise Refused(Refusal.NO_SESSION)
        if await accounts.find_role(db, session.account_id, session.practice_id) is None:
            raise Refused(Refusal.NO_SESSION)
        await wall(db, practice=session.practice_id)
        return Colleagues(colleagues=tuple(await accounts.list_colleagues(db, session.practice_id)))


@answers(router, ListTeam)
async def list_team(asked: ListTeam, pool: Database, now: Now, gate: AtGate) -> Team:
    visa = gate.admit_staff(asked.visa, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        listed = await invitations.list_of_staff(db, visa.practice_id)
        resets = await factor_resets.list_latest(db, visa.practice_id)
    return Team(members=tuple(_member(one, resets.get(one.account_id or one.id)) for one in listed))


@answers(router, InviteColleague)
async def invite_colleague(
    asked: InviteColleague, pool: Database, now: Now, gate: AtGate
) -> Resent:
    visa = gate.admit_staff(asked.visa, now=now, roles=ADMINISTRATORS)
    email = canonical(asked.email)
    person = rules.wanted(asked.name, email, asked.date_of_birth, asked.role, now=now)
    async with transaction(pool, practice=visa.practice_id, account=visa.account_id) as db:
        await assure_proven(db, visa, now=now)
        known = await invitations.find_of_staff(db, visa.practice_id, person.email)
        invitation = rules.invited(
            known, person, practice_id=visa.practice_id, new_id=new_id(), now=now
        )
        return await _send(db, invitation)


@answers(router, ResendColleagueInvitation)
async def resend_colleague_invitation(
    asked: ResendColleagueInvitation, pool: Database, now: Now, gate: AtGate
) -> Resent:
    visa = gate.admit_staff(asked.visa, now=now, roles=ADMINISTRATORS)
    async with transaction(pool, practice=visa.practice_id) as db:
        known = await invitations.get_of_staff(db, visa.practice_id, asked.invitation_id)
        return await _send(db, rules.resent(known, now=now))


@answers(router, ChangeRole)
async def change_role(asked: ChangeRole, pool: Database, now: Now, gate: AtGate) -> Done:
    visa = _administrator(gate, asked, now=now)
    async with transaction(pool, practice=visa.practice_id, account=visa.account_id) as db:
        await assure_proven(db, visa, now=now)
        seats = await accounts.lock_seats(db, visa.practice_id)
        known = await invitations.get_of_staff(db, visa.practice_id, asked.invitation_id)
        if known.role is asked.role:
            return Done()
        changed = rules.with_role(known, asked.role, seats)
        await invitations.save_invitation(db, changed)
        if known.account_id and known.state is InvitationState.REGISTERED:
            await accounts.add_seat(db, visa.practice_id, known.account_id, asked.role)
            await _log_out(db, visa.practice_id, known.account_id)
    return Done()


@answers(router, RemoveFromTeam)
async def remove_from_team(asked: RemoveFromTeam, pool: Database, now: Now, gate: AtGate) -> Done:
    visa = _administrator(gate, asked, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        seats = await accounts.lock_seats(db, visa.practice_id)
        known = await invitations.get_of_staff(db, visa.practice_id, asked.invitation_id)
        if removed := rules.removed(known, seats):
            await invitations.save_invitation(db, removed)
            if known.account_id:
                await accounts.remove_seat(db, visa.practice_id, known.account_id)
                await _log_out(db, visa.practice_id, known.account_id)
    return Done()


def _administrator(gate: Gate, asked: ChangeRole | RemoveFromTeam, *, now: datetime) -> Visa:
    return gate.admit_staff(asked.visa, now=now, roles=ADMINISTRATORS)


async def _log_out(db: Connection, practice_id: UUID, account_id: UUID) -> None:
    """What they could do a moment ago ends at once, everywhere."""
    await wall(db, account=account_id)
    await announce_ended(db, await sessions.end_at_practice(db, account_id, practice_id))


async def _send(db: Connection, invitation: Invitation) -> Resent:
    """Its link works from here on, any older one is void, and a letter with it is due."""
    await invitations.save_invitation(db, invitation)
    await announce_letter(db, invitation)
    return Resent(email=invitation.email, expires_at=invitation.expires_at)


def _member(invitation: Invitation, reset: tuple[datetime, str] | None) -> Member:
    at, by = reset or (None, "")
    assert invitation.role  # noqa: S101  (the statement asks for those with one)
    return Member(
        invitation_id=invitation.id,
        account_id=invitation.account_id,
        name=invitation.name,
        email=invitation.email,
        role=invitation.role,
        state=invitation.state,
        expires_at=invitation.expires_at,
        factors_reset_at=at,
        factors_reset_by=by,
    )
