"""What delegation can be asked, what it refuses, and what it announces.

Delegation owns grants: which account may act for which patient, with which limits, until when.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Event, Reply, Request
from libs.contracts.visa import Capacity, Limit


class Refusal(StrEnum):
    """Why delegation says no."""

    NO_ACCESS = "no_access"
    NOT_LOGGED_IN = "not_logged_in"


class Access(Reply):
    """One record that an account may act on, and the visa to do it with."""

    practice_id: UUID
    patient_id: UUID
    capacity: Capacity
    limits: frozenset[Limit]
    visa: str = Field(repr=False)
    visa_expires_at: datetime


class AccessList(Reply):
    """Own records first, then the others, in the order in which they were granted."""

    records: tuple[Access, ...]


class ListAccess(Request[AccessList]):
    """Every record that the holder of this passport may act on, now."""

    subject = "request.delegation.list_access"
    passport: str = Field(repr=False)


class AccessRevoked(Event):
    """This account may no longer act for this patient: visas from before are void."""

    subject = "event.delegation.access_revoked"
    listeners = ("gateway", "identity", "records", "messaging", "delegation", "notifier")
    account_id: UUID
    patient_id: UUID
    at: datetime
