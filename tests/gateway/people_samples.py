"""Made-up family and caregivers, in every standing that there is."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from gateway.people import Person, people
from libs.contracts.delegation import Delegate
from libs.contracts.identity.invitations import InvitationState
from libs.contracts.identity.sharing import DelegateInvitation
from libs.contracts.visa import Limit
from tests.gateway.samples import NOW


def invitation(number: int, email: str, state: InvitationState, **more: Any) -> DelegateInvitation:
    given: dict[str, Any] = {
        "invitation_id": UUID(int=100 + number),
        "version": 1,
        "email": email,
        "name": "",
        "state": state,
        "sent_at": NOW - timedelta(days=1),
        "expires_at": NOW + timedelta(days=3),
        "limits": frozenset(Limit),
        "ends_at": None,
        "invited_by": "Rosa Alvarez",
        "new_link_wanted": False,
    }
    return DelegateInvitation(**given | more)


def grant(number: int, **more: Any) -> Delegate:
    given: dict[str, Any] = {
        "invitation_id": UUID(int=100 + number),
        "version": 1,
        "account_id": UUID(int=200 + number),
        "limits": frozenset(Limit),
        "granted_at": NOW - timedelta(days=200),
        "ends_at": None,
        "revoked_at": None,
        "by_practice": False,
        "reason": "",
    }
    return Delegate(**given | more)


REGISTERED, PAST = InvitationState.REGISTERED, NOW - timedelta(days=8)
SOME = frozenset({Limit.RESULTS, Limit.DOCUMENTS})
INVITATIONS = (
    invitation(1, "ana.ruiz@example.com", REGISTERED, name="Ana Ruiz"),
    invitation(2, "ben@example.com", REGISTERED, name="Ben Alvarez", limits=SOME,
               ends_at=NOW + timedelta(days=90)),
    invitation(3, "carla@example.com", InvitationState.DELIVERED),
    invitation(4, "dora@example.com", InvitationState.OPENED),
    invitation(5, "eva@exmaple.com", InvitationState.BOUNCED),
    invitation(6, "finn@example.com", InvitationState.EXPIRED, expires_at=PAST,
               new_link_wanted=True),
    invitation(7, "gus@example.com", InvitationState.LOCKED),
    invitation(8, "hal@example.com", REGISTERED, name="Hal Kim", ends_at=PAST),
    invitation(9, "ida@example.com", InvitationState.ENDED, name="Ida Voss"),
    invitation(10, "jo@example.com", InvitationState.ENDED),
    invitation(11, "kay@example.com", InvitationState.ENDED, name="Kay Moss"),
)  # fmt: skip
GRANTS = (
    grant(1),
    grant(2, limits=SOME, ends_at=NOW + timedelta(days=90)),
    grant(8, ends_at=PAST),
    grant(11, revoked_at=PAST, left=True),
    grant(9, revoked_at=PAST, by_practice=True, reason="Ida asked us to end it."),
)
PEOPLE: list[Person] = people(INVITATIONS, GRANTS, now=NOW)
