"""Whom a file is about, and who of them is a patient of the practice."""

import hashlib
from collections.abc import Iterable, Sequence

from libs.runtime.database import Connection, Pool, transaction
from services.records.domain import matching
from services.records.domain.document import plain
from services.records.domain.found import Patient
from services.records.domain.importing import Job, Subject
from services.records.domain.matching import Candidate, Described, Match
from services.records.store import reading as store
from services.records.store.reading import Met

LONGEST_NAME = 200
"""Characters of a name or a number in a report."""
MOST_NUMBERS = 10
"""Numbers of one person in a report."""


class People:
    """Everyone in a file that is being read."""

    def __init__(self, job: Job, pool: Pool) -> None:
        self._job = job
        self._pool = pool
        self._known: dict[str, Subject] = {}
        self._met: set[str] = set()
        self._next = 1
        self._chosen: Candidate | None = None
        self.is_alone = False
        """The file is about one person only; asked for where somebody chose who that is."""

    @property
    def are_chosen(self) -> bool:
        """Somebody said beforehand whom all of the file is about."""
        return self._chosen is not None

    async def recall(self) -> None:
        """Those whom an earlier reading has met, and the one who was chosen."""
        job = self._job
        async with transaction(self._pool, practice=job.practice_id) as db:
            self._known = await store.list_known_subjects(db, job)
            self._next = 1 + max((one.number for one in self._known.values()), default=0)
            if job.about_id:
                self._chosen = await store.find_candidate(db, job.practice_id, job.about_id)

    async def meet(self, people: Sequence[Described]) -> None:
        """Find out who they are, if they are patients of this practice."""
        job = self._job
        fresh = {_hashed(one.patient.key): one for one in people}
        async with transaction(self._pool, practice=job.practice_id) as db:
            await store.save_position(db, job, 0)
            candidates = await self._candidates(db, people)
            met = [
                (_met(self._number(key_hash), key_hash, one), self._match(one, candidates))
                for key_hash, one in fresh.items()
            ]
            await store.save_subjects(db, job, met)
            saved = await store.list_known_subjects(db, job, list(fresh))
        self._known |= saved
        self._met |= saved.keys()

    async def meet_strangers(self, keys: Iterable[str]) -> None:
        """Something is about somebody whom the file doesn't describe."""
        strangers = [key for key in dict.fromkeys(keys) if _hashed(key) not in self._met]
        if strangers:
            await self.meet([_nobody(key) for key in strangers])

    def of(self, key: str) -> Subject:
        """Who is meant by this key; they have been met."""
        return self._known[_hashed(key)]

    def _number(self, key_hash: str) -> int:
        if known := self._known.get(key_hash):
            return known.number
        self._next += 1
        return self._next - 1

    async def _candidates(self, db: Connection, people: Sequence[Described]) -> list[Candidate]:
        numbers = {number for one in people for number in one.record_numbers}
        born = {one.patient.birth_date for one in people} - {None}
        return await store.list_candidates(
            db, self._job.practice_id, numbers=sorted(numbers), born=[day for day in born if day]
        )

    def _match(self, one: Described, candidates: Sequence[Candidate]) -> Match:
        if self._chosen:
            return matching.match_chosen(one, self._chosen, is_alone=self.is_alone)
        return matching.match(one, candidates)


def _nobody(key: str) -> Described:
    """A mere reference: nothing is said of them but that they are meant."""
    return Described(patient=Patient(key=key, family="", given="", birth_date=None))


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _met(number: int, key_hash: str, somebody: Described) -> Met:
    patient = somebody.patient
    return Met(
        number=number,
        key_hash=key_hash,
        name=plain(f"{patient.given} {patient.family}", LONGEST_NAME),
        birth_date=patient.birth_date,
        identifiers=tuple(
            plain(one.value, LONGEST_NAME) for one in patient.identifiers[:MOST_NUMBERS]
        ),
    )
