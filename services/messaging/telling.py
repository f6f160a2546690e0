"""Announcements come about as messages are sent: who is to be told, and when."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from libs.contracts.activity import Act
from libs.contracts.messaging.acts import MessagingActed
from libs.contracts.messaging.announcements import AnnouncementDue, Frequency
from libs.contracts.visa import Visa
from libs.runtime import outbox
from libs.runtime.database import Connection
from services.messaging.domain import announcing as rules
from services.messaging.domain.conversation import Conversation
from services.messaging.store import announcements as store


async def tell_patient(
    db: Connection, placed: Conversation, message_id: UUID, *, now: datetime
) -> None:
    """Everyone who may read it is to be told, as they chose."""
    told = await store.list_patients_choices(db, placed.practice_id, placed.patient_id, now=now)
    await _tell(db, placed, message_id, told, staff=False, now=now)
    await store.forget_answered(db, placed.practice_id, placed.id)


async def tell_staff(
    db: Connection, placed: Conversation, message_id: UUID, *, now: datetime
) -> None:
    """Those of the staff who chose to be told are to be told."""
    told = await store.list_staff_choices(db, placed.practice_id)
    await _tell(db, placed, message_id, told, staff=True, now=now)


async def _tell(  # noqa: PLR0913
    db: Connection,
    placed: Conversation,
    message_id: UUID,
    told: Mapping[UUID, rules.Choice],
    *,
    staff: bool,
    now: datetime,
) -> None:
    for account_id, choice in told.items():
        due_at = rules.due(choice, now=now)
        if due_at is None:
            continue
        one = store.Announcement(
            practice_id=placed.practice_id,
            id=uuid7(),
            account_id=account_id,
            staff=staff,
            patient_id=placed.patient_id,
            conversation_id=placed.id,
            message_id=message_id,
            daily=choice.frequency is Frequency.DAILY,
            due_at=due_at,
        )
        if await store.add_announcement(db, one):
            due = AnnouncementDue(practice_id=one.practice_id, reference_id=one.id, at=due_at)
            await outbox.announce(db, due)


async def tell_log(  # noqa: PLR0913
    db: Connection,
    visa: Visa,
    patient_id: UUID,
    act: Act,
    reference_id: UUID,
    *,
    now: datetime,
) -> None:
    """Whoever shows this visa did this: it is to stand in the patient's activity log."""
    await outbox.announce(
        db,
        MessagingActed(
            practice_id=visa.practice_id,
            patient_id=patient_id,
            account_id=visa.account_id,
            capacity=visa.capacity,
            act=act,
            reference_id=reference_id,
            at=now,
        ),
    )
