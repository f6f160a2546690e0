"""Whether a record is open to its patient in the portal, which the practice says.

A record that is deactivated stays whole for the practice. Nobody else sees it until it is
reactivated: neither the patient nor whoever they let in, nor whoever it was sent to.
"""

from uuid import UUID

from pydantic import Field

from libs.contracts.base import Done, Event, Request

REASON_LIMIT = 500
"""Characters of the reason, which stands in the patient's log."""


class DeactivatePatient(Request[Done]):
    """The record is closed to its patient, and to everyone but the practice, at once.

    For administrators and clinicians, who say why. What is closed already stays as it is.
    """

    subject = "request.records.deactivate_patient"
    visa: str = Field(repr=False)
    patient_id: UUID
    reason: str = Field(repr=False)


class ReactivatePatient(Request[Done]):
    """The record is open again, to everyone to whom it was and who was not sent away meanwhile."""

    subject = "request.records.reactivate_patient"
    visa: str = Field(repr=False)
    patient_id: UUID


class StandingChanged(Event):
    """A record was closed to its patient, or is open again. Of two, the higher `change` counts."""

    subject = "event.records.standing_changed"
    followers = ("identity", "messaging", "delegation")
    listeners = ("gateway", "identity", "records", "messaging", "delegation", "notifier")
    practice_id: UUID
    patient_id: UUID
    active: bool
    change: int
