"""One reading of one file, from its first byte to its report.

Everything is filed in steps, each a transaction that says how far the reading has come. Broken off
anywhere, it begins anew, files nothing twice, and counts only what it had not counted.
"""

from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress
from uuid import UUID
from zoneinfo import ZoneInfo

from uuid_utils.compat import uuid7

from libs.contracts.activity import Act
from libs.contracts.visa import Capacity
from libs.runtime.clock import utcnow
from libs.runtime.database import Connection, Pool, transaction
from libs.runtime.keyring import KeyRing
from libs.vault.content import Content
from libs.vault.media import Sort
from libs.vault.vault import Vault
from services.records import document_filing, filing
from services.records.activity import enter_all
from services.records.domain import document as documents
from services.records.domain import importing as rules
from services.records.domain.activity import Actor, Happened
from services.records.domain.document import Arrival
from services.records.domain.found import Document, LeftOut, Reason, Unreadable
from services.records.domain.importing import Counts, Job, Subject, Tally
from services.records.domain.result import Precision, Result, ResultStatus
from services.records.formats.recognise import Format
from services.records.importing.ending import end
from services.records.importing.people import People
from services.records.importing.zones import Zones
from services.records.reading.apart import CameToGrief, Readers, Told
from services.records.reading.child import Task
from services.records.reading.frames import Batch, Incoming
from services.records.store import activity as entries
from services.records.store import reading as store
from services.records.unsealing import unsealed

AT_ONCE = 2_000
"""Results filed in one transaction, about: a test's latest is found anew in each."""


class _Undone(Exception):
    """A preview has seen what would have become of it."""


class Reading:
    """A file that is being read."""

    def __init__(self, job: Job, pool: Pool, ring: KeyRing, readers: Readers, zones: Zones) -> None:
        self._job = job
        self._pool = pool
        self._ring = ring
        self._readers = readers
        self._zones = zones
        self._people = People(job, pool)
        self._format = Format.UNKNOWN
        self._tally = Tally()
        self._results: list[Result] = []
        self._index = 0
        self._entered: set[UUID] = set()

    async def carry_out(self) -> None:
        """Read it from the beginning to the end, and say how it ended."""
        job = self._job
        problem = ""
        await self._people.recall()
        async with unsealed(self._pool, self._ring, job.practice_id, job.content_id) as opened:
            if self._people.are_chosen:
                self._people.is_alone = await self._speaks_of_one(*opened)
            try:
                async with aclosing(self._told(*opened)) as told:
                    await self._take(told)
            except Unreadable as sentence:
                problem = str(sentence)
            except CameToGrief:
                if job.tries == 1:
                    raise
                problem = rules.TOO_MUCH
            await self._flush()
        await self._end(problem)

    async def give_up(self) -> None:
        """It was tried often enough; somebody has to look."""
        await self._end(rules.FAULT)

    async def _end(self, problem: str) -> None:
        async with transaction(self._pool, practice=self._job.practice_id) as db:
            await end(
                db,
                self._job,
                self._ring,
                tally=self._tally,
                format=self._format,
                problem=problem,
                now=utcnow(),
            )

    def _told(self, source: int, content: Content) -> AsyncGenerator[Told, None]:
        job = self._job
        task = Task(size=content.size, declared=job.declared_type, file_name=job.file_name)
        return self._readers.read(source, task)

    async def _speaks_of_one(self, source: int, content: Content) -> bool:
        """Whether the file is about one person; all of it has to be seen to know."""
        keys: set[str] = set()
        with suppress(Unreadable, CameToGrief):
            async with aclosing(self._told(source, content)) as told:
                async for one in told:
                    match one:
                        case tuple():
                            keys.update(somebody.patient.key for somebody in one)
                        case Batch():
                            keys.update(result.patient_key for result in one.results)
                        case Incoming():
                            keys.add(one.document.patient_key)
                        case _:
                            pass
                    if len(keys) > 1:
                        return False
        return True

    async def _take(self, told: AsyncGenerator[Told, None]) -> None:
        async for one in told:
            match one:
                case Format():
                    self._format = one
                case tuple():
                    await self._people.meet(one)
                case Batch():
                    await self._people.meet_strangers(one.patient_key for one in one.results)
                    self._tally.add(one.left_out)
                    self._results += one.results
                    if len(self._results) >= AT_ONCE:
                        await self._flush()
                case Incoming():
                    await self._people.meet_strangers([one.document.patient_key])
                    await self._flush()
                    await self._document(one, _pieces(told, one.size))
                case _:
                    raise CameToGrief

    async def _flush(self) -> None:
        """File the results that were gathered; of those counted before, nothing is counted."""
        results, self._results = self._results, []
        known = max(0, min(len(results), self._job.position - self._index))
        self._index += len(results)
        for some, is_counted in ((results[:known], False), (results[known:], True)):
            if some:
                await self._step(some, is_counted=is_counted)

    async def _step(self, results: Sequence[Result], *, is_counted: bool) -> None:
        job = self._job
        counted: dict[int, Counts] = defaultdict(Counts)
        mine: dict[UUID, list[tuple[Subject, Result]]] = defaultdict(list)
        for result in results:
            subject = self._people.of(result.patient_key)
            counted[subject.number].results_found += 1
            if subject.patient_id and subject.run == job.run:
                mine[subject.patient_id].append((subject, result))
        async with transaction(self._pool, practice=job.practice_id) as db:
            await store.save_position(db, job, self._index)
            with suppress(_Undone):
                async with db.transaction():
                    for patient_id, theirs in sorted(mine.items()):
                        await self._file(db, patient_id, theirs, counted)
                    if job.is_preview:
                        raise _Undone
            if is_counted:
                await store.add_counts(db, job, counted)

    async def _file(
        self,
        db: Connection,
        patient_id: UUID,
        theirs: Sequence[tuple[Subject, Result]],
        counted: dict[int, Counts],
    ) -> None:
        """One patient's results, of one or more subjects of the file."""
        by_subject: dict[int, list[Result]] = defaultdict(list)
        for subject, result in theirs:
            by_subject[subject.number].append(result)
        for number, results in by_subject.items():
            filed = await filing.file_results(
                db,
                self._job.practice_id,
                patient_id,
                results,
                import_id=self._job.id,
                now=utcnow(),
            )
            corrected = filed.corrected + filed.withdrawn
            if filed.taken or corrected:
                await self._enter(db, patient_id)
            counted[number].results_taken += filed.taken
            counted[number].results_corrected += corrected
            counted[number].results_unchanged += len(results) - filed.taken - corrected

    async def _document(self, incoming: Incoming, pieces: AsyncIterator[bytes]) -> None:
        """File a document, or pass over it; its content has gone by when this ends."""
        found = incoming.document
        self._index += 1
        is_counted = self._index > self._job.position
        if reason := _not_kept(incoming):
            self._tally.add([reason])
        else:
            subject = self._people.of(found.patient_key)
            zone = await self._zone(found)
            counts = Counts(documents_found=1)
            async with transaction(self._pool, practice=self._job.practice_id) as db:
                await store.save_position(db, self._job, self._index)
                if subject.patient_id and subject.run == self._job.run:
                    changed = await self._keep(db, subject.patient_id, incoming, pieces, zone)
                    counts.documents_taken, counts.documents_unchanged = changed, not changed
                if is_counted:
                    await store.add_counts(db, self._job, {subject.number: counts})
        async for _ in pieces:
            pass

    async def _keep(
        self,
        db: Connection,
        patient_id: UUID,
        incoming: Incoming,
        pieces: AsyncIterator[bytes],
        zone: ZoneInfo,
    ) -> bool:
        """Whether the record has changed; in a preview, whether it would."""
        job, now = self._job, utcnow()
        content = Content(
            id=uuid7(), owner_id=patient_id, size=incoming.size, sha256=incoming.sha256
        )
        document = documents.imported(
            incoming.document,
            content,
            incoming.media,
            by=Arrival(
                practice_id=job.practice_id,
                patient_id=patient_id,
                added_at=now,
                added_by=job.started_by,
                import_id=job.id,
            ),
            zone=zone,
        )
        if document.status is ResultStatus.ENTERED_IN_ERROR:
            gone = await document_filing.take_back(db, document, now=now, is_preview=job.is_preview)
            if gone:
                await self._enter(db, patient_id)
            return bool(gone)
        planned = await document_filing.planned(db, document)
        if planned.document and not job.is_preview:
            await Vault(db, self._ring, job.practice_id).keep(content, pieces)
            await document_filing.add(db, planned)
            await self._enter(db, patient_id)
        return planned.document is not None

    async def _enter(self, db: Connection, patient_id: UUID) -> None:
        """That this file brought something new stands in the patient's log, once."""
        job = self._job
        if job.is_preview or patient_id in self._entered:
            return
        self._entered.add(patient_id)
        by_staff = job.source == "staff"
        happened = Happened(
            patient_id=patient_id,
            actor=Actor(
                id=job.started_by,
                name=job.started_by_name,
                capacity=Capacity.STAFF if by_staff else Capacity.MACHINE,
            ),
            act=Act.IMPORTED,
            subject=str(job.id),
            at=utcnow(),
        )
        place = job.practice_id, patient_id
        if not await entries.has_entry(
            db, *place, actor_id=job.started_by, acts=[Act.IMPORTED], subject=str(job.id)
        ):
            await enter_all(db, job.practice_id, [happened])

    async def _zone(self, found: Document) -> ZoneInfo:
        """The practice's, where the day of the document depends on it."""
        dated = found.dated
        if dated and dated.zoned and dated.precision is Precision.INSTANT:
            return await self._zones.of(self._job.practice_id)
        return ZoneInfo("UTC")


def _not_kept(incoming: Incoming) -> LeftOut | None:
    """Why a document is not taken."""
    found = incoming.document
    reason = None
    if incoming.media.sort is Sort.PROGRAM:
        reason = Reason.NOT_SUPPORTED
    elif not incoming.size and found.status is not ResultStatus.ENTERED_IN_ERROR:
        reason = Reason.NO_CONTENT
    what = "Program" if reason is Reason.NOT_SUPPORTED else "Document"
    where = documents.plain(found.title) or "the file"
    return LeftOut(reason=reason, what=what, where=where) if reason else None


async def _pieces(told: AsyncGenerator[Told, None], size: int) -> AsyncIterator[bytes]:
    """The content of the document that was announced last."""
    left = size
    while left:
        piece = await anext(told, None)
        if not isinstance(piece, bytes) or not 0 < len(piece) <= left:
            raise CameToGrief
        left -= len(piece)
        yield piece
