"""What messaging's handlers work with, beside the database and the clock."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

import structlog

from libs.access.gate import Gate, NotAllowed
from libs.contracts.base import Refused
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.visa import Capacity, Limit, Role, Visa
from libs.runtime.context import Context
from libs.runtime.keyring import Damaged, KeyRing
from libs.vault.vault import Vault
from services.messaging.domain.conversation import Colleague
from services.messaging.sealing import Pen
from services.messaging.store.drafts import Owner

AtKeyRing = Annotated[KeyRing, Context("key_ring")]
PATIENTS = (Capacity.SELF, Capacity.DELEGATE)

T = TypeVar("T")
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
    return Colleague(
        account_id=visa.account_id,
        name=visa.actor_name,
        administrator=visa.role is Role.ADMINISTRATOR,
    )


@contextmanager
def intact(content_id: UUID) -> Iterator[None]:
    """What is damaged is never served, and whoever runs this is told which it is."""
    try:
        yield
    except Damaged:
        _tell(content_id)
        raise Refused(Refusal.DAMAGED) from None


def opened(content_id: UUID, look: Callable[[], T]) -> T | None:
    """One of several; None for what is damaged, so that the others are shown without it."""
    try:
        return look()
    except Damaged:
        _tell(content_id)
        return None


async def pen_of(vault: Vault, patient_id: UUID) -> Pen:
    """For what belongs to this patient; refused if their key was destroyed."""
    with intact(patient_id):
        return Pen(vault.practice_id, await vault.key_of(patient_id))


def _tell(content_id: UUID) -> None:
    log.error("a stored message is damaged", id=str(content_id))
