"""Whose record something belongs to: found where it is certain, and else left to a person."""

from datetime import date
from uuid import uuid4

import pytest

from services.records.domain.found import Identifier, Patient
from services.records.domain.matching import (
    MOST_CANDIDATES,
    Candidate,
    Described,
    Why,
    folded,
    joined,
    match,
    match_chosen,
)

BORN = date(1961, 4, 12)
OTHER_DAY = date(1975, 1, 30)


def listed(
    given: str = "Rosa", family: str = "Alvarez", born: date = BORN, mrn: str = "M-1"
) -> Candidate:
    return Candidate(id=uuid4(), given=given, family=family, birth_date=born, mrn=mrn)


def somebody(
    given: str = "",
    family: str = "",
    born: date | None = None,
    *numbers: str,
    kind: str = "MR",
    also: tuple[tuple[str, str], ...] = (),
) -> Described:
    patient = Patient(
        key="p",
        family=family,
        given=given,
        birth_date=born,
        identifiers=tuple(Identifier(system="s", value=one, kind=kind) for one in numbers),
        other_names=also,
    )
    return Described(patient=patient)


@pytest.mark.parametrize(
    "found",
    [
        somebody("Rosa", "Alvarez", BORN),
        somebody("ROSA", "ÁLVAREZ", BORN),
        somebody("Rosa Maria", "Alvarez", BORN),
        somebody("Rosa M.", "Alvarez", BORN),
        somebody("Rosa", "Meyer", BORN, also=(("Alvarez", "Rosa"),)),
        somebody("", "Rosa Alvarez", BORN),
        somebody("", "Alvarez, Rosa", BORN),
        somebody("", "", None, "M-1"),
        somebody("", "", None, " m-1 "),
        somebody("", "", None, "77", "M-1"),
        somebody("", "", BORN, "M-1"),
        somebody("R", "Alvarez-Ruiz", None, "M-1"),
        somebody("Rosa", "Meyer", BORN, "M-1"),
        somebody("Rosa", "Alvarez", BORN, "M-999"),
    ],
    ids=repr,
)
def test_somebody_certain_is_found(found: Described) -> None:
    rosa = listed()
    assert match(found, [rosa, listed("Ana", "Ruiz", BORN, "M-2")]).patient_id == rosa.id


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (somebody("Rosa", "Alvarez", OTHER_DAY), Why.NO_MATCH),
        (somebody("Maria", "Alvarez", BORN), Why.NO_MATCH),
        (somebody("Rosa", "Alvares", BORN), Why.NO_MATCH),
        (somebody("Rosa", "", BORN), Why.NO_MATCH),
        (somebody("Maria Rosa", "Alvarez", BORN), Why.NO_MATCH),
        (somebody("", "", OTHER_DAY, "M-1"), Why.NO_MATCH),
        (somebody("Rosa", "Alvarez", OTHER_DAY, "M-1"), Why.NO_MATCH),
        (somebody("Karl", "Brandt", None, "M-1"), Why.NO_MATCH),
        (somebody("", "", None, "M-1", kind="SS"), Why.NOT_ENOUGH),
        (somebody("Rosa", "Alvarez"), Why.NOT_ENOUGH),
        (somebody("", "", BORN), Why.NOT_ENOUGH),
        (somebody(), Why.NOT_ENOUGH),
    ],
    ids=repr,
)
def test_in_any_doubt_it_waits(found: Described, why: Why) -> None:
    rosa = listed()
    said = match(found, [rosa])
    assert (said.patient_id, said.why) == (None, why)
    assert set(said.candidates) <= {rosa.id}


def test_two_who_may_be_meant_both_wait_to_be_told_apart() -> None:
    maria, elena = listed("Maria Rosa", mrn=""), listed("Maria Elena", mrn="")
    for found in (somebody("Maria", "Alvarez", BORN), somebody("Maria R", "Alvarez", BORN)):
        said = match(found, [maria, elena])
        expected = {maria.id, elena.id} if found.patient.given == "Maria" else {maria.id}
        assert set(said.candidates) == (expected if len(expected) > 1 else set())
        assert said.why is (Why.SEVERAL_MATCH if len(expected) > 1 else None)


def test_a_number_of_one_and_the_name_and_birth_date_of_another_is_nobody() -> None:
    rosa, twin = listed(), listed("Ana", mrn="M-2")
    said = match(somebody("Ana", "Alvarez", BORN, "M-1"), [rosa, twin])
    assert (said.why, set(said.candidates)) == (Why.SEVERAL_MATCH, {rosa.id, twin.id})
    said = match(somebody("", "", None, "M-1", "M-2"), [rosa, twin])
    assert said.why is Why.SEVERAL_MATCH


def test_whoever_may_be_meant_is_named_but_not_everybody() -> None:
    born_that_day = [listed(f"Name{number}", mrn="") for number in range(20)]
    said = match(somebody("Rosa", "Alvarez", BORN), born_that_day)
    assert len(said.candidates) == MOST_CANDIDATES


def test_what_a_file_says_of_somebody_comes_together() -> None:
    before = somebody("Rosa", "Alvarez", None, "M-1")
    after = joined(before, somebody("Rosa", "Alvarez-Ruiz", BORN, "M-1", "77").patient)
    assert not after.is_contradictory
    assert after.patient.birth_date == BORN
    assert after.record_numbers == {"M-1", "77"}
    assert after.patient.other_names == (("Alvarez-Ruiz", "Rosa"),)


@pytest.mark.parametrize(
    "again",
    [somebody("Rosa", "Alvarez", OTHER_DAY, "M-1"), somebody("Karl", "Brandt", BORN, "M-1")],
)
def test_a_file_that_contradicts_itself_waits(again: Described) -> None:
    rosa = listed()
    found = joined(somebody("Rosa", "Alvarez", BORN, "M-1"), again.patient)
    found = joined(found, somebody("Rosa", "Alvarez", BORN, "M-1").patient)
    assert found.is_contradictory
    assert match(found, [rosa]).patient_id is None
    assert match_chosen(found, rosa, is_alone=True).patient_id is None


@pytest.mark.parametrize(
    ("found", "is_alone", "why"),
    [
        (somebody("Rosa", "Alvarez", BORN), False, None),
        (somebody("Rosa", "Alvarez"), False, None),
        (somebody("", "", None, "M-1"), False, None),
        (somebody(), True, None),
        (somebody(), False, Why.NOT_ENOUGH),
        (somebody("Ana", "Alvarez", BORN), True, Why.OTHER_PATIENT),
        (somebody("Rosa", "Alvarez", OTHER_DAY), True, Why.OTHER_PATIENT),
        (somebody("", "", OTHER_DAY, "M-1"), True, Why.OTHER_PATIENT),
        (somebody("Karl", "Brandt", None, "M-1"), True, Why.OTHER_PATIENT),
        (somebody("", "", None, "M-2"), True, Why.OTHER_PATIENT),
        (somebody("", "", BORN), True, Why.OTHER_PATIENT),
    ],
    ids=repr,
)
def test_a_choice_stands_where_the_file_says_nothing_against_it(
    found: Described, is_alone: bool, why: Why | None
) -> None:
    rosa = listed()
    said = match_chosen(found, rosa, is_alone=is_alone)
    assert (said.patient_id, said.why) == (None if why else rosa.id, why)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("O’Connor-Ruíz", ("oconnor", "ruiz")),
        ("  de la  Cruz ", ("de", "la", "cruz")),
        ("STRAẞE", ("strasse",)),
        ("Ｒｏｓａ", ("rosa",)),
        ("李小龍", ("李小龍",)),
        ("Алварез", ("алварез",)),
        ("😀", ()),
    ],
)
def test_names_are_compared_without_accents_case_and_punctuation(
    name: str, words: tuple[str, ...]
) -> None:
    assert folded(name) == words


def test_look_alike_letters_of_another_script_are_not_the_same_name() -> None:
    assert match(somebody("Rosa", "Аlvarez", BORN), [listed()]).patient_id is None
