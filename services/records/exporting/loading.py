"""A selection of a record, counted or loaded: results and documents are ours, messages are not."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from faststream.nats import NatsBroker

from libs.contracts.identity.practices import Practice
from libs.contracts.messaging.mailbox import CountLetters, Letter, ReadLetterFile, ReadLetters
from libs.contracts.messaging.writing import Attachment
from libs.contracts.records.exports import Counted, Kind, Selection
from libs.contracts.records.health import Flag, Status
from libs.contracts.records.moments import Precision
from libs.runtime.broker import ask
from libs.runtime.database import Connection
from services.records.domain.chart import Chart, Measured, bounds
from services.records.domain.document import Document
from services.records.domain.result import Before
from services.records.exporting.files import Fetch
from services.records.store import documents, patients, results
from services.records.store import exports as store
from services.records.store.documents import Filter

FETCHED_WITHIN = 20
"""Seconds for a chunk."""


async def count(
    db: Connection, practice: Practice, patient_id: UUID, chosen: Selection, *, letters: int
) -> Counted:
    """How much is in a selection, of which so many are messages."""
    place, found, many, size = (practice.practice_id, patient_id), 0, 0, 0
    zone = practice.time_zone
    if Kind.LABS in chosen.kinds:
        found = await store.count_results(db, *place, chosen=chosen, zone=zone)
    if Kind.DOCUMENTS in chosen.kinds:
        many, size = await store.count_documents(db, *place, chosen=chosen, zone=zone)
    return Counted(results=found, documents=many, messages=letters, size=size)


async def load(  # noqa: PLR0913
    db: Connection,
    practice: Practice,
    patient_id: UUID,
    chosen: Selection,
    *,
    letters: Sequence[Letter],
    now: datetime,
) -> Chart:
    """All that is in a selection, with the messages that were asked for before."""
    place = practice.practice_id, patient_id
    return Chart(
        person=await patients.get_person(db, *place),
        practice=practice,
        selection=chosen,
        made_at=now,
        results=await _results(db, practice, patient_id, chosen)
        if Kind.LABS in chosen.kinds
        else [],
        documents=await _documents(db, practice, patient_id, chosen)
        if Kind.DOCUMENTS in chosen.kinds
        else [],
        messages=letters,
    )


async def _results(
    db: Connection, practice: Practice, patient_id: UUID, chosen: Selection
) -> list[Measured]:
    practice_id = practice.practice_id
    rows = await store.list_results(
        db, practice_id, patient_id, chosen=chosen, zone=practice.time_zone
    )
    changed = [row["id"] for row in rows if row["changes"]]
    before: dict[UUID, list[Before]] = defaultdict(list)
    for row in await results.list_before(db, practice_id, changed) if changed else ():
        before[row["result_id"]].append(
            Before(value=row["value"], unit=row["unit"], corrected_at=row["corrected_at"])
        )
    return [_measured(row, before.get(row["id"], [])) for row in rows]


def _measured(row: Any, before: list[Before]) -> Measured:
    said = {name: value for name, value in row.items() if name != "changes"}
    known = {
        "flag": Flag(row["flag"]),
        "status": Status(row["status"]),
        "precision": Precision(row["precision"]),
        "before": tuple(before),
    }
    return Measured(**said | known)


async def _documents(
    db: Connection, practice: Practice, patient_id: UUID, chosen: Selection
) -> list[Document]:
    """By the practice's calendar, as the page lists them."""
    found = list[Document]()
    while page := await documents.list_documents(
        db,
        practice.practice_id,
        patient_id,
        wanted=Filter(start=chosen.start, end=chosen.end, zone=practice.time_zone),
        after=(found[-1].day, found[-1].id) if found else None,
        limit=documents.PAGE * 10,
    ):
        found += page
    return found


async def count_letters(
    broker: NatsBroker, visa: str, practice: Practice, patient_id: UUID, chosen: Selection
) -> int:
    """How many messages are in a selection, in messaging's words."""
    if Kind.MESSAGES not in chosen.kinds:
        return 0
    start, end = bounds(chosen, practice.time_zone)
    asked = CountLetters(visa=visa, patient_id=patient_id, start=start, end=end)
    return (await ask(broker, asked)).count


def letter_files(broker: NatsBroker, practice_id: UUID, patient_id: UUID) -> Fetch:
    """Where the files come from that were sent with a patient's messages."""

    async def fetch(letter: Letter, file: Attachment, number: int) -> bytes:
        asked = ReadLetterFile(
            practice_id=practice_id,
            patient_id=patient_id,
            message_id=letter.message_id,
            attachment_id=file.attachment_id,
            number=number,
        )
        return (await ask(broker, asked, within=FETCHED_WITHIN)).data

    return fetch


async def read_letters(
    broker: NatsBroker, visa: str, practice: Practice, patient_id: UUID, chosen: Selection
) -> list[Letter]:
    """The messages of a selection; asked for while the visa of whoever wants them holds."""
    if Kind.MESSAGES not in chosen.kinds:
        return []
    start, end = bounds(chosen, practice.time_zone)
    letters: list[Letter] = []
    after = ""
    while True:
        asked = ReadLetters(visa=visa, patient_id=patient_id, start=start, end=end, after=after)
        part = await ask(broker, asked)
        letters += part.letters
        if not (after := part.after):
            return letters
