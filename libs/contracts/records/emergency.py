"""Emergency access: who has no sight of charts may look into one, says why, and is seen doing it.

45 CFR 164.312(a)(2)(ii) wants a way in for emergencies, 170.315(d)(6) that it is for people named
beforehand: here, the front desk, whose role does not include results and documents.
"""

from datetime import datetime, timedelta
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Event, Reply, Request

LASTS = timedelta(minutes=60)
REASON_LIMIT = 500
"""Characters of the reason, which the patient reads."""


class EmergencyAccess(Reply):
    """The chart is open to whoever asked."""

    ends_at: datetime


class OpenChart(Request[EmergencyAccess]):
    """Results and documents of this patient, for 60 minutes. The patient is told, with the reason.

    For the front desk; whose role includes the chart needs none. While it is open, asking again
    changes nothing.
    """

    subject = "request.records.open_chart"
    visa: str = Field(repr=False)
    key: UUID
    patient_id: UUID
    reason: str = Field(repr=False)


class ChartOpened(Event):
    """A chart was opened in an emergency: the patient and the administrators are to be told."""

    subject = "event.records.chart_opened"
    followers = ("identity",)
    practice_id: UUID
    patient_id: UUID
    account_id: UUID
    at: datetime
