"""What may stand in the activity log of a patient's record, and how a service tells of an act.

Records owns the log (`libs.contracts.records.activity`). Another service announces its own acts in
the transaction of the act; records learns the name of whoever acted from identity.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from libs.contracts.base import Event
from libs.contracts.visa import Capacity


class Act(StrEnum):
    """What somebody did with a record. What it was done to is named beside it, as said here."""

    REGISTERED = "registered"
    """The patient has an account from now on."""
    RESET_FACTORS = "reset_factors"
    """The operator turned off the patient's two-step verification, who had lost it."""
    LOGGED_IN = "logged_in"
    """The patient did; a log-in of somebody else's is no part of this record."""
    SAW_HEALTH = "saw_health"
    SAW_TEST = "saw_test"
    """The key of the test."""
    SAW_DOCUMENTS = "saw_documents"
    SAW_DOCUMENT = "saw_document"
    """The document; in the same way with all that are about a document."""
    DOWNLOADED_DOCUMENT = "downloaded_document"
    SAW_RECORD = "saw_record"
    """The record as one page: the days that were chosen, as `2026-03-01/2026-03-31`."""
    DOWNLOADED_RECORD = "downloaded_record"
    """The format and the days: `pdf 2026-03-01/2026-03-31`, with `..` for no limit."""
    SENT_RECORD = "sent_record"
    """To the address; in the same way with all that are about a record that was sent."""
    OPENED_SENT_RECORD = "opened_sent_record"
    """The recipient did, with the password."""
    REVOKED_SENT_RECORD = "revoked_sent_record"
    ANSWERED_SENT_RECORD = "answered_sent_record"
    """The recipient wrote back, to the sender or to the care team."""
    LOCKED_SENT_RECORD = "locked_sent_record"
    """There were too many wrong passwords at its link."""
    ADDED_DOCUMENT = "added_document"
    ADDED_RESULT = "added_result"
    """The result."""
    CORRECTED_RESULT = "corrected_result"
    """The result."""
    IMPORTED = "imported"
    """The import that brought something new."""
    SAW_PATIENT = "saw_patient"
    """Staff opened the patient's page: name, birth date, address, invitation."""
    EMERGENCY_ACCESS = "emergency_access"
    """Front desk opened the chart for 60 minutes; the entry's reason says why."""
    ADDED_PATIENT = "added_patient"
    INVITED_PATIENT = "invited_patient"
    DEACTIVATED_PATIENT = "deactivated_patient"
    """Staff closed the record to the patient; the entry's reason says why."""
    REACTIVATED_PATIENT = "reactivated_patient"
    CHANGED_EMAIL = "changed_email"
    """Staff changed the address that the practice writes to."""
    SAW_MESSAGE = "saw_message"
    """The message."""
    WROTE_MESSAGE = "wrote_message"
    """The message."""
    DOWNLOADED_FILE = "downloaded_file"
    """The file of a message."""
    INVITED_PERSON = "invited_person"
    """The invitation; in the same way with all that are about family and caregivers."""
    CANCELLED_INVITATION = "cancelled_invitation"
    ACCEPTED_ACCESS = "accepted_access"
    CHANGED_ACCESS = "changed_access"
    """What they may do, or until when."""
    REVOKED_ACCESS = "revoked_access"
    """By a delegate: their own."""


class Acted(Event):
    """Somebody did something with a patient's record."""

    followers = ("records",)
    practice_id: UUID
    patient_id: UUID
    account_id: UUID
    capacity: Capacity
    act: Act
    reference_id: UUID | None = None
    """What it was done to."""
    at: datetime
