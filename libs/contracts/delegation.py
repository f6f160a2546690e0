"""What delegation can be asked, what it refuses, and what it announces.

Delegation owns grants: which account may act for which patient, with which limits, until when.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from libs.contracts.activity import Acted
from libs.contracts.base import Done, Event, Reply, Request
from libs.contracts.visa import Capacity, Limit


class Refusal(StrEnum):
    """Why delegation says no."""

    REASON_MISSING = "reason_missing"
    REASON_TOO_LONG = "reason_too_long"
    NOT_LOGGED_IN = "not_logged_in"
    ACCESS_OVER = "access_over"
    CHANGED_MEANWHILE = "changed_meanwhile"
    NOTHING_SHARED = "nothing_shared"
    END_IS_PAST = "end_is_past"
    PROOF_NEEDED = "proof_needed"


class Access(Reply):
    """One record that an account may act on, and the visa to do it with."""

    practice_id: UUID
    patient_id: UUID
    capacity: Capacity
    limits: frozenset[Limit]
    visa: str = Field(repr=False)
    visa_expires_at: datetime
    ends_at: datetime | None = None
    """When the access itself is over, where it has a last day."""
    grant_id: UUID | None = None


class Closed(Reply):
    """An account's own record that its practice has deactivated."""

    practice_id: UUID
    patient_id: UUID


class AccessList(Reply):
    """Own records first, then the others, in the order in which they were granted."""

    records: tuple[Access, ...]
    closed: tuple[Closed, ...] = ()
    """The account's own only: of another's record that is closed, nobody is told."""


class ListAccess(Request[AccessList]):
    """Every record that the holder of this passport may act on, now."""

    subject = "request.delegation.list_access"
    passport: str = Field(repr=False)


class Delegate(Reply):
    """What one acceptance of an invitation gave, and whether it still holds."""

    invitation_id: UUID
    version: int
    """Of the invitation that was accepted."""
    account_id: UUID
    limits: frozenset[Limit]
    granted_at: datetime
    ends_at: datetime | None
    revoked_at: datetime | None
    by_practice: bool
    """Whether it was the practice that ended it."""
    reason: str
    """What the practice says about that; "" otherwise."""
    revision: int = 0
    """How often the patient has changed it."""
    left: bool = False
    """Whether it was they themselves who ended it."""


class Delegates(Reply):
    """The newest first."""

    delegates: tuple[Delegate, ...]


class ListDelegates(Request[Delegates]):
    """Everyone who may act for this patient, or might; for the patient, and for staff to see."""

    subject = "request.delegation.list_delegates"
    visa: str = Field(repr=False)
    patient_id: UUID


REASON_LIMIT = 500
"""Characters of a practice's reason."""


class RevokeAccess(Request[Done]):
    """End what came of an invitation, up to this version of it: at once and everywhere.

    For the patient; and for the practice, which has to say why. What has ended already has ended.
    """

    subject = "request.delegation.revoke_access"
    visa: str = Field(repr=False)
    patient_id: UUID
    invitation_id: UUID
    version: int
    reason: str = Field(default="", repr=False)
    letter: bool = False
    """Whether whoever had it is written to. Gateways of before 0.2 did not know that letter."""


class ChangeAccess(Request[Done]):
    """From now on this acceptance gives this, until then: for the patient, who names what they saw.

    The passport has to say that its holder has proved who they are in the last minutes. What is
    taken away is void at once and everywhere. `CHANGED_MEANWHILE`: somebody saw an older revision.
    """

    subject = "request.delegation.change_access"
    visa: str = Field(repr=False)
    passport: str = Field(repr=False)
    patient_id: UUID
    invitation_id: UUID
    version: int
    revision: int
    limits: frozenset[Limit]
    ends_at: datetime | None = None


class LeaveRecord(Request[Done]):
    """A delegate gives up their own access, this one and no later one. What has ended has ended."""

    subject = "request.delegation.leave_record"
    visa: str = Field(repr=False)
    patient_id: UUID
    grant_id: UUID


class AccessGranted(Event):
    """This account may act for this patient, from now on."""

    subject = "event.delegation.access_granted"
    followers = ("messaging",)
    listeners = ("gateway",)
    practice_id: UUID
    patient_id: UUID
    account_id: UUID
    limits: frozenset[Limit]
    granted_at: datetime
    ends_at: datetime | None


class AccessRevoked(Event):
    """This account may no longer act for this patient: visas from before are void."""

    subject = "event.delegation.access_revoked"
    followers = ("identity", "messaging")
    listeners = ("gateway", "identity", "records", "messaging", "delegation", "notifier")
    practice_id: UUID
    patient_id: UUID
    account_id: UUID
    at: datetime
    """Visas that were issued up to this moment are void."""
    revoked_at: datetime
    invitation_id: UUID
    invitation_version: int
    grant_id: UUID | None = None
    """No visa that came of this holds, whenever it was issued."""
    letter: bool = False
    """Whether the account is written to: not where its owner has ended it, or it was over."""


class AccessChanged(Event):
    """What this account may do for this patient, and until when, is this from now on."""

    subject = "event.delegation.access_changed"
    followers = ("identity", "messaging")
    listeners = ("gateway", "identity", "records", "messaging", "delegation", "notifier")
    practice_id: UUID
    patient_id: UUID
    account_id: UUID
    grant_id: UUID
    revision: int
    limits: frozenset[Limit]
    ends_at: datetime | None
    narrower: bool
    """Something was taken away: visas of an older revision are void."""
    changed_at: datetime
    invitation_id: UUID
    invitation_version: int


class DelegationActed(Acted):
    """Somebody ended an access to a record, or changed it."""

    subject = "event.delegation.acted"
