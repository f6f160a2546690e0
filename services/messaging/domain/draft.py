"""The rules of a draft."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.writing import Category


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """What somebody writes before they send it."""

    practice_id: UUID
    account_id: UUID
    id: UUID
    patient_id: UUID
    version: int
    saved_at: datetime
    reply_to: UUID | None = None
    about: UUID | None = None
    conversation_id: UUID | None = None
    category: Category | None = None
    subject: str = ""
    body: str = ""
    sent: UUID | None = None


def check_side(*, reply_to: UUID | None, conversation_id: UUID | None, by_staff: bool) -> None:
    """What the practice wrote is the patient's side's to reply to; staff answer conversations."""
    if reply_to if by_staff else conversation_id:
        raise Refused(Refusal.NOT_ALLOWED)


def saved(  # noqa: PLR0913
    known: Draft, *, version: int, category: Category | None, subject: str, body: str, now: datetime
) -> Draft:
    """The draft with these words in it; the same one where they are there already."""
    if known.sent or (known.category, known.subject, known.body) == (category, subject, body):
        return known
    if version != known.version:
        raise Refused(Refusal.STALE_DRAFT)
    return replace(
        known,
        version=known.version + 1,
        category=category,
        subject=subject,
        body=body,
        saved_at=now,
    )
