"""How a document gets into a patient's record: once, and as the version that it is."""

from datetime import datetime
from uuid import UUID

from libs.runtime.database import Connection
from services.records.domain import document as rules
from services.records.domain.document import Document, Filing
from services.records.store import documents as store


async def planned(db: Connection, document: Document) -> Filing:
    """What becomes of it; no other comes in for this patient until the transaction ends."""
    await store.lock_documents(db, document.practice_id, document.patient_id)
    return rules.file(document, await store.list_related(db, document))


async def add(db: Connection, filing: Filing) -> None:
    """A document whose content is there."""
    if filing.document is None:
        return
    await store.add_document(db, filing.document)
    if filing.replaced:
        await store.save_replaced(db, filing.replaced, filing.document)


async def take_back(
    db: Connection, document: Document, *, now: datetime, is_preview: bool = False
) -> tuple[UUID, ...]:
    """What its author has taken back is shown no more; which ones that are."""
    await store.lock_documents(db, document.practice_id, document.patient_id)
    gone = rules.taken_back(document.source_id, await store.list_related(db, document))
    if gone and not is_preview:
        await store.save_withdrawn(db, document.practice_id, document.patient_id, gone, now=now)
    return gone
