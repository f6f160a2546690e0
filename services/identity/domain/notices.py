"""Notices to the owner of an account of what somebody else did."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class ChartOpened:
    """A chart was opened in an emergency, and this account's owner is told."""

    id: UUID
    account_id: UUID
    practice_id: UUID
    patient_id: UUID
    at: datetime


@dataclass(frozen=True, kw_only=True)
class AccessEnded:
    """Somebody else ended this account's access to a record, and its owner is told."""

    id: UUID
    account_id: UUID
    practice_id: UUID
    patient_id: UUID
    invitation_id: UUID
    at: datetime
