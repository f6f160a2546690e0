"""Whose record something belongs to. This never guesses: in doubt, it waits for a person.

Somebody in a file is a patient of the practice by their record number, if nothing contradicts it,
or by name and birth date, if exactly one patient has both.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from services.records.domain.found import Patient

MOST_CANDIDATES = 5
"""Patients that are named to whoever decides."""
_OTHER_NUMBERS = frozenset({"SS", "SB", "DL", "PPN", "NI", "NPI", "AN", "VN", "ACSN", "MC", "MA"})
"""Kinds of number (HL7 table 0203) that no practice keeps its charts under."""


class Why(StrEnum):
    """Why somebody in a file waits to be told apart."""

    NO_MATCH = "no_match"
    SEVERAL_MATCH = "several_match"
    NOT_ENOUGH = "not_enough_to_match"
    OTHER_PATIENT = "other_patient"


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A patient of the practice who may be meant."""

    id: UUID
    given: str
    family: str
    birth_date: date
    mrn: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """Who it is, or why nobody can be sure and who it may be."""

    patient_id: UUID | None = None
    why: Why | None = None
    candidates: tuple[UUID, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """Somebody as a whole file describes them, which may contradict itself."""

    patient: Patient
    is_contradictory: bool = False

    @property
    def record_numbers(self) -> set[str]:
        """The numbers that may be the practice's own."""
        found = self.patient.identifiers
        numbers = {one.value.strip() for one in found if one.kind.upper() not in _OTHER_NUMBERS}
        return numbers - {""}

    @property
    def says_nothing(self) -> bool:
        """A mere reference: no name, no birth date, no number."""
        patient = self.patient
        return not (patient.family or patient.given or patient.birth_date or patient.identifiers)


def joined(before: Described, again: Patient) -> Described:
    """The same person described once more in the same file."""
    patient = before.patient
    days = {patient.birth_date, again.birth_date} - {None}
    contradicts = len(days) > 1 or not _may_be_one(_names(patient), _names(again))
    names = dict.fromkeys([*patient.other_names, (again.family, again.given), *again.other_names])
    names.pop((patient.family, patient.given), None)
    names.pop(("", ""), None)
    together = replace(
        patient,
        birth_date=patient.birth_date or again.birth_date,
        identifiers=tuple(dict.fromkeys([*patient.identifiers, *again.identifiers])),
        sex=patient.sex or again.sex,
        other_names=tuple(names),
    )
    return Described(patient=together, is_contradictory=before.is_contradictory or contradicts)


def match(somebody: Described, candidates: Sequence[Candidate]) -> Match:
    """Which of the practice's patients this is, of those with such a number or birth date."""
    numbers = {_number(number) for number in somebody.record_numbers}
    numbered = [one for one in candidates if one.mrn and _number(one.mrn) in numbers]
    named = [one for one in candidates if _is_named(somebody.patient, one)]
    near = _ids([*numbered, *named])
    if somebody.is_contradictory:
        return Match(why=Why.NO_MATCH, candidates=near)
    if any(_contradicts(somebody.patient, one) for one in numbered):
        return Match(why=Why.NO_MATCH, candidates=near)
    if len(near) > 1:
        return Match(why=Why.SEVERAL_MATCH, candidates=near)
    if near:
        return Match(patient_id=near[0])
    is_enough = numbers or (somebody.patient.birth_date and _names(somebody.patient))
    return Match(why=Why.NO_MATCH if is_enough else Why.NOT_ENOUGH, candidates=_alike(candidates))


def match_chosen(somebody: Described, chosen: Candidate, *, is_alone: bool) -> Match:
    """Whether this is the patient that a person chose for the whole file.

    The choice stands where the file says nothing against it; a file that names nobody at all
    stands for the chosen one if it speaks of one person only.
    """
    patient = somebody.patient
    same_number = chosen.mrn and _number(chosen.mrn) in map(_number, somebody.record_numbers)
    same_name = any(_is_same_name(name, chosen) for name in _names(patient))
    same_day = patient.birth_date in (None, chosen.birth_date)
    fits = same_day and (same_name or (same_number and not _contradicts(patient, chosen)))
    if (fits or (somebody.says_nothing and is_alone)) and not somebody.is_contradictory:
        return Match(patient_id=chosen.id)
    why = Why.NOT_ENOUGH if somebody.says_nothing else Why.OTHER_PATIENT
    return Match(why=why, candidates=(chosen.id,) if fits else ())


@lru_cache(maxsize=4096)
def folded(name: str) -> tuple[str, ...]:
    """A name's words without accents, case, hyphens and apostrophes: "O’Connor-Ruíz"."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(one for one in plain if not unicodedata.combining(one) and one not in "'’`´")
    return tuple(re.findall(r"\w+", letters.replace("_", " ")))


def _is_named(patient: Patient, one: Candidate) -> bool:
    return patient.birth_date == one.birth_date and any(
        _is_same_name(name, one) for name in _names(patient)
    )


def _is_same_name(name: tuple[str, str], one: Candidate) -> bool:
    family, given = map(folded, name)
    if family and given:
        return family == folded(one.family) and _is_same_given(given, folded(one.given))
    # A name in one piece: "Rosa Alvarez", "Alvarez, Rosa".
    theirs = folded(one.family), folded(one.given)
    return all(theirs) and family + given in (theirs[0] + theirs[1], theirs[1] + theirs[0])


def _is_same_given(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """The same first name; a middle name may be missing, or stand there as its initial."""
    return one[:1] == other[:1] and all(
        _is_same_word(*pair) for pair in zip(one, other, strict=False)
    )


def _is_same_word(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return one == other or (len(shorter) == 1 and longer.startswith(shorter))


def _contradicts(patient: Patient, one: Candidate) -> bool:
    """Another birth date; or where none is given, a name that can't be theirs."""
    if patient.birth_date:
        return patient.birth_date != one.birth_date
    return not _may_be_one(_names(patient), [(one.family, one.given)])


def _may_be_one(some: Iterable[tuple[str, str]], others: Iterable[tuple[str, str]]) -> bool:
    """Whether two sets of names have a word in common, where both say one."""
    mine, theirs = _words(some), _words(others)
    return not mine or not theirs or bool(mine & theirs)


def _words(names: Iterable[tuple[str, str]]) -> set[str]:
    """All words of these names; an initial is none."""
    return {word for name in names for part in name for word in folded(part) if len(word) > 1}


def _names(patient: Patient) -> list[tuple[str, str]]:
    names = [(patient.family, patient.given), *patient.other_names]
    return [name for name in names if any(name)]


def _number(written: str) -> str:
    return written.strip().casefold()


def _ids(found: Iterable[Candidate]) -> tuple[UUID, ...]:
    return tuple(dict.fromkeys(one.id for one in found))


def _alike(candidates: Sequence[Candidate]) -> tuple[UUID, ...]:
    return _ids(candidates)[:MOST_CANDIDATES]
