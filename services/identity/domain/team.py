"""The rules of a practice's team: who is invited, with what role, and that somebody stays."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity.factors import REASON_LIMIT
from libs.contracts.identity.invitations import InvitationState
from libs.contracts.identity.refusals import Refusal
from libs.contracts.visa import Role
from services.identity.domain import invitation as rules
from services.identity.domain.invitation import Invitation, Person

NAME_AT_MOST = 120
"""Characters of a colleague's name."""


@dataclass(frozen=True, kw_only=True)
class Seat:
    """Who works at a practice, and as what."""

    account_id: UUID
    role: Role


def wanted(
    name: str, email: str | None, date_of_birth: date | None, role: Role, *, now: datetime
) -> Person:
    """Whom an administrator invites; the first thing that is wrong with it, if it can't be."""
    if not name.strip():
        raise Refused(Refusal.NAME_MISSING)
    if len(name) > NAME_AT_MOST or not name.isprintable():
        raise Refused(Refusal.NAME_NOT_USABLE)
    if email is None:
        raise Refused(Refusal.EMAIL_NOT_USABLE)
    if date_of_birth is None or date_of_birth > now.date():
        raise Refused(Refusal.WRONG_DATE_OF_BIRTH)
    return Person(name=name.strip(), email=email, date_of_birth=date_of_birth, role=role)


def invited(
    known: Invitation | None, person: Person, *, practice_id: UUID, new_id: UUID, now: datetime
) -> Invitation:
    """The first letter to this address, or the next, with what is said of the person now."""
    if known is None:
        return rules.first(person, practice_id=practice_id, patient_id=None, new_id=new_id, now=now)
    if known.state is InvitationState.REGISTERED:
        raise Refused(Refusal.ALREADY_REGISTERED)
    if rules.just_sent(known, now=now):
        raise Refused(Refusal.SENT_MOMENTS_AGO)
    return rules.again(known, person, now=now)


def resent(known: Invitation, *, now: datetime) -> Invitation:
    """The letter once more, to somebody who is still wanted."""
    if known.state is InvitationState.ENDED:
        raise Refused(Refusal.INVITATION_ENDED)
    return rules.resent(known, now=now)


def with_role(known: Invitation, role: Role, seats: Collection[Seat]) -> Invitation:
    """The same person in another role, whether they have registered or not."""
    if known.state is InvitationState.ENDED:
        raise Refused(Refusal.INVITATION_ENDED)
    if role is not Role.ADMINISTRATOR:
        _assure_another(known, seats)
    return replace(known, role=role, change=known.change + 1)


def removed(known: Invitation, seats: Collection[Seat]) -> Invitation | None:
    """Not on the team any more, nor invited; None if so already."""
    if known.state is InvitationState.ENDED:
        return None
    _assure_another(known, seats)
    return rules.moved(known, InvitationState.ENDED)


def administers(seats: Collection[Seat], account_id: UUID) -> bool:
    """They still do, now that nobody else changes it."""
    return Seat(account_id=account_id, role=Role.ADMINISTRATOR) in seats


def colleague(known: Invitation, *, by: UUID) -> UUID:
    """Whose second factor another may take off: who has registered, and never one's own."""
    if known.state is InvitationState.ENDED:
        raise Refused(Refusal.INVITATION_ENDED)
    if known.state is not InvitationState.REGISTERED or known.account_id is None:
        raise Refused(Refusal.NOT_REGISTERED)
    if known.account_id == by:
        raise Refused(Refusal.OWN_FACTORS)
    return known.account_id


def let_in_anew(known: Invitation, email: str, *, now: datetime) -> Invitation:
    """A letter to the address that their account has now; the role waits until it is answered."""
    return replace(rules.renewed(known, now=now), email=email)


def why(reason: str) -> str:
    """The reason in one line; refused without one."""
    said = " ".join(reason.split())
    if not said or not said.isprintable():
        raise Refused(Refusal.REASON_MISSING)
    if len(said) > REASON_LIMIT:
        raise Refused(Refusal.TOO_LONG)
    return said


def _assure_another(known: Invitation, seats: Collection[Seat]) -> None:
    """Somebody is left who may let others in."""
    administrators = {seat.account_id for seat in seats if seat.role is Role.ADMINISTRATOR}
    if administrators == {known.account_id}:
        raise Refused(Refusal.LAST_ADMINISTRATOR)
