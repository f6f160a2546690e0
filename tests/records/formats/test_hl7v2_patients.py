"""Whom a message is about: numbers, names, birth dates, or nobody."""

import pytest

from services.records.domain.found import Identifier, LeftOut, Patient, Reason
from services.records.domain.result import (
    Result,
)
from services.records.formats.hl7v2 import MOST_REMEMBERED_PATIENTS
from tests.records.formats.hl7v2_messages import (
    HEADER,
    ORDER,
    PATIENT,
    SODIUM,
    found_in,
    message,
    only,
)


def patients_of(pid: str) -> list[Patient]:
    return only(Patient, found_in(message(pid, ORDER, SODIUM)))


def test_a_patient_is_told_once_with_all_numbers_and_names() -> None:
    found = found_in(
        message(
            "PID|1|OLD1|14^^^Stage&2.16.840.1.114222&ISO^PI~4711^^^CLINIC^MR|ALT1"
            "|Finn^Huck^Q^^^^N~Finn&&&&x^Huckleberry^^^^^L||Aug 15, 1942|M|Sawyer^Tom",
            ORDER,
            SODIUM,
        )
        * 2
    )
    (patient,) = only(Patient, found)

    assert (patient.family, patient.given) == ("Finn", "Huckleberry")
    assert str(patient.birth_date) == "1942-08-15"
    assert patient.other_names == (("Finn", "Huck Q"), ("Sawyer", "Tom"))
    assert patient.identifiers == (
        Identifier(system="urn:oid:2.16.840.1.114222", value="14", kind="PI"),
        Identifier(system="CLINIC", value="4711", kind="MR"),
        Identifier(system="", value="OLD1"),
        Identifier(system="", value="ALT1"),
    )
    assert {result.patient_key for result in only(Result, found)} == {patient.key}


def test_the_number_may_stand_in_the_older_field() -> None:
    (patient,) = patients_of("PID|1|45483|||SMITH^SUZIE")

    assert patient.key == "|45483"


def test_without_a_number_namesakes_are_the_same_only_with_one_birth_date() -> None:
    dated = "PID|1||||Doe^Jane||19700101|F"
    undated = "PID|1||||Doe^Jane"
    first, second = (
        only(Patient, found_in(message(pid, ORDER, SODIUM, header=HEADER.replace("M1", name))))
        for pid, name in ((dated, "A"), (dated, "B"))
    )
    third, fourth = (
        only(Patient, found_in(message(pid, ORDER, SODIUM, header=HEADER.replace("M1", name))))
        for pid, name in ((undated, "A"), (undated, "B"))
    )

    assert first[0].key == second[0].key
    assert third[0].key != fourth[0].key


@pytest.mark.parametrize("pid", ["PID|1||||||||123|", "PID|1", 'PID|1||""||""^""', ""])
def test_a_message_that_names_nobody_has_results_of_nobody(pid: str) -> None:
    found = found_in(message(SODIUM, patient=pid))

    assert only(Patient, found) == []
    assert [result.patient_key for result in only(Result, found)] == [""]


def test_an_unreadable_birth_date_is_said_once() -> None:
    found = found_in(message("PID|1||1||A^B||196203520|F", ORDER, SODIUM, ORDER, SODIUM))

    assert [each.what for each in only(LeftOut, found) if each.reason is Reason.BAD_TIME] == [
        "Birth date of the patient"
    ]
    assert [each.birth_date for each in only(Patient, found)] == [None]


def test_each_patient_of_a_message_keeps_their_own_results() -> None:
    other = PATIENT.replace("4711", "4712").replace("Rosa", "Ana")
    found = found_in(message(PATIENT, ORDER, SODIUM, other, ORDER, SODIUM))

    assert [result.patient_key for result in only(Result, found)] == ["CLINIC|4711", "CLINIC|4712"]


def test_of_very_many_patients_the_first_are_told_again() -> None:
    """What is remembered of a batch has a bound, so a patient may come twice and is the same."""
    count = MOST_REMEMBERED_PATIENTS + 1
    data = b"".join(message(SODIUM, patient=f"PID|1||{number}") for number in range(count))
    keys = [patient.key for patient in only(Patient, found_in(data + data))]

    assert len(set(keys)) == count
    assert count < len(keys) <= 2 * count
