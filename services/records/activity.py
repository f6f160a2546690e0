"""What somebody does with a record stands in its log, in the transaction of the deed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from libs.contracts.activity import Act
from libs.contracts.visa import Visa
from libs.runtime.database import Connection
from services.records.domain import activity as rules
from services.records.domain.activity import Entry, Happened, actor_of
from services.records.store import activity as store


async def enter(  # noqa: PLR0913
    db: Connection,
    visa: Visa,
    patient_id: UUID,
    act: Act,
    subject: UUID | str = "",
    *,
    now: datetime,
) -> None:
    """Whoever shows this visa did this, or the transaction fails.

    It is the last thing that a transaction does for a patient: whoever adds to the same log waits.
    """
    actor = actor_of(visa)
    await enter_all(
        db,
        visa.practice_id,
        [Happened(patient_id=patient_id, actor=actor, act=act, subject=str(subject), at=now)],
    )


async def enter_all(db: Connection, practice_id: UUID, happened: Sequence[Happened]) -> None:
    """The same for several patients of a practice, in the order in which it happened."""
    patients = sorted({one.patient_id for one in happened})
    heads = await store.lock_heads(db, practice_id, patients)
    if new := [patient for patient in patients if patient not in heads]:
        await store.begin_chains(db, practice_id, new)
        heads = await store.lock_heads(db, practice_id, patients)
    entries: list[Entry] = []
    for one in happened:
        entry = rules.chained(heads[one.patient_id], practice_id, one)
        heads[one.patient_id] = rules.Head(number=entry.number, hash=entry.hash)
        entries.append(entry)
    await store.add_entries(db, practice_id, entries, heads)


async def first_bad(db: Connection, practice_id: UUID, patient_id: UUID) -> str:
    """What is wrong with a patient's log, in words; "" for one that holds."""
    head = await store.get_head(db, practice_id, patient_id)
    check = rules.Check()
    after = 0
    while entries := await store.list_from(db, practice_id, patient_id, after=after):
        for entry in entries:
            if bad := check.next(entry):
                return bad
        after = entries[-1].number
    return check.end(head)
