"""What records' handlers work with, beside the database and the clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated
from uuid import UUID

import structlog

from libs.access.gate import Gate, NotAllowed
from libs.contracts.base import Refused
from libs.contracts.records.refusals import Refusal
from libs.contracts.visa import Capacity, Limit, Visa
from libs.runtime.context import Context
from libs.runtime.database import Connection
from libs.runtime.keyring import Damaged, KeyRing
from services.records.domain import emergency
from services.records.reading.apart import Readers
from services.records.store import emergencies

AtKeyRing = Annotated[KeyRing, Context("key_ring")]
AtReaders = Annotated[Readers, Context("readers")]

log = structlog.get_logger()


def admit_to_documents(gate: Gate, sealed: str, *, patient_id: UUID, now: datetime) -> Visa:
    """The patient, a delegate with this limit, or staff; a machine brings things and sees none."""
    visa = gate.admit(sealed, now=now, patient_id=patient_id, limit=Limit.DOCUMENTS)
    if visa.capacity is Capacity.MACHINE:
        raise NotAllowed
    return visa


async def assure_chart(
    db: Connection, visa: Visa, patient_id: UUID, *, now: datetime
) -> datetime | None:
    """Staff whose role does not include charts see one that they opened in an emergency.

    Until when that is; None for those who need no emergency.
    """
    if emergency.includes_charts(visa):
        return None
    place = visa.practice_id, patient_id
    ends_at = await emergencies.find_open(db, *place, account_id=visa.account_id, now=now)
    if ends_at is None:
        raise Refused(Refusal.CHART_CLOSED)
    return ends_at


@contextmanager
def intact(content_id: UUID) -> Iterator[None]:
    """What is damaged is never served, and whoever runs this is told which it is."""
    try:
        yield
    except Damaged:
        log.error("stored content is damaged", content_id=str(content_id))
        raise Refused(Refusal.DAMAGED) from None
