"""What messaging's handlers work with, beside the database and the clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated
from uuid import UUID

import structlog
from faststream import Context

from libs.access.gate import Gate, NotAllowed
from libs.contracts.base import Refused
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.visa import Capacity, Limit, Visa
from libs.runtime.keyring import Damaged, KeyRing
from services.messaging.domain.conversation import Colleague
from services.messaging.store.drafts import Owner

AtKeyRing = Annotated[KeyRing, Context("key_ring")]
PATIENTS = (Capacity.SELF, Capacity.DELEGATE)

log = structlog.get_logger()


def admit_to_mailbox(gate: Gate, sealed: str, *, patient_id: UUID, now: datetime) -> Visa:
    """The patient, or a delegate with this limit; staff have the queue."""
    visa = gate.admit(sealed, now=now, patient_id=patient_id, limit=Limit.MESSAGES)
    if visa.capacity not in PATIENTS:
        raise NotAllowed
    return visa


def admit_to_write(gate: Gate, sealed: str, *, patient_id: UUID, now: datetime) -> Visa:
    """Either side of a conversation; a machine writes to nobody."""
    visa = gate.admit(sealed, now=now, patient_id=patient_id, limit=Limit.MESSAGES)
    if visa.capacity is Capacity.MACHINE:
        raise NotAllowed
    return visa


def owner(visa: Visa, patient_id: UUID) -> Owner:
    """Whose drafts these are."""
    return Owner(practice_id=visa.practice_id, account_id=visa.account_id, patient_id=patient_id)


def colleague(visa: Visa) -> Colleague:
    """The member of staff whose visa it is."""
    return Colleague(account_id=visa.account_id, name=visa.actor_name)


@contextmanager
def intact(content_id: UUID) -> Iterator[None]:
    """What is damaged is never served, and whoever runs this is told which it is."""
    try:
        yield
    except Damaged:
        log.error("a stored message is damaged", id=str(content_id))
        raise Refused(Refusal.DAMAGED) from None
