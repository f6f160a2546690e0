"""Who a FHIR file is about: its patients, and those that it only refers to."""

from datetime import date
from typing import Any

import pytest

from services.records.domain.found import Identifier, Patient, Reason
from services.records.domain.result import Result
from tests.records.formats.fhir_resources import (
    UUID,
    Json,
    as_bytes,
    bundle,
    found,
    left_out,
    observation,
    only,
    reads,
    result,
    results,
    rosa,
)


def entry(resource: Json, url: str) -> Json:
    return {"fullUrl": url, "resource": resource}


URN = f"urn:uuid:{UUID}"


@pytest.mark.parametrize(
    ("url", "reference"),
    [
        ("", "Patient/rosa"),
        ("", "/Patient/rosa"),
        ("", "Patient/rosa/_history/3"),
        ("", "http://elsewhere/Patient/rosa"),
        (URN, URN),
        (URN, "Patient/rosa"),
        ("http://a/fhir/Patient/rosa", "http://a/fhir/Patient/rosa"),
        ("http://a/fhir/Patient/rosa", "Patient/rosa"),
        (URN, "Patient?identifier=urn:mrn|17"),
        (URN, "Patient?active=true&identifier=urn:mrn|17"),
    ],
)
def test_a_patient_is_found_however_the_result_refers_to_them(url: str, reference: str) -> None:
    person = rosa(identifier=[{"system": "urn:mrn", "value": "17"}])
    whole = bundle(observation(subject={"reference": reference}), entry(person, url))

    (patient,) = only(Patient, found(whole))

    assert result(whole).patient_key == patient.key


@pytest.mark.parametrize(
    "subject",
    [
        {"identifier": {"system": "urn:mrn", "value": "17"}},
        "Patient/rosa",
        {"reference": "Patient/rosa", "type": "Patient"},
    ],
)
def test_a_patient_is_found_by_identifier_or_bare_text(subject: Any) -> None:
    person = rosa(identifier=[{"system": "urn:mrn", "value": "17"}])

    assert result(bundle(person, observation(subject=subject))).patient_key == "Patient/rosa"


def test_a_patient_inside_the_observation_is_one_patient_for_all_that_hold_the_same() -> None:
    inside = [rosa(id="p")]
    both = [observation(id=name, contained=inside, subject={"reference": "#p"}) for name in "ab"]

    things = found(bundle(*both))

    (patient,) = only(Patient, things)
    assert {one.patient_key for one in only(Result, things)} == {patient.key}
    assert patient.birth_date == date(1980, 3, 1)


@pytest.mark.parametrize(
    ("subject", "family", "identifiers"),
    [
        ({"reference": "Patient/x", "display": "Amy Shaw"}, "Amy Shaw", ()),
        ({"display": "Amy Shaw"}, "Amy Shaw", ()),
        ({"reference": "Patient?identifier=urn:a|1"}, "", (Identifier(system="urn:a", value="1"),)),
        ({"identifier": {"value": "1"}}, "", (Identifier(system="", value="1"),)),
    ],
)
def test_a_patient_who_is_only_referred_to_waits_as_a_stranger(
    subject: Json, family: str, identifiers: tuple[Identifier, ...]
) -> None:
    both = (observation(subject=subject), observation(id="b", subject=subject))
    things = found(bundle(*both))

    (patient,) = only(Patient, things)
    assert (patient.family, patient.birth_date) == (family, None)
    assert patient.identifiers == identifiers
    assert {one.patient_key for one in only(Result, things)} == {patient.key}


def test_a_result_of_nobody_names_nobody() -> None:
    assert result(bundle(rosa(), observation(subject=None))).patient_key == ""


def test_what_is_no_persons_is_left_out() -> None:
    subjects = [{"reference": "Group/1"}, {"reference": "Device/1"}]
    whole = bundle(*(observation(subject=subject) for subject in subjects))

    assert left_out(whole) == [(Reason.NO_PATIENT, "Observation Hemoglobin", 2)]


def test_the_same_patient_twice_in_a_bundle_is_one() -> None:
    assert left_out(bundle(rosa(), rosa())) == [(Reason.DUPLICATE, "Patient", 1)]


def test_patients_of_two_servers_with_one_id_stay_two() -> None:
    mia = rosa(name=[{"family": "Chen", "given": ["Mia"]}], birthDate="1991-01-01")
    whole = bundle(
        entry(rosa(), "http://a/Patient/rosa"),
        entry(mia, "http://b/Patient/rosa"),
        entry(observation(), "http://a/Observation/1"),
        entry(observation(), "http://b/Observation/1"),
    )
    patients = only(Patient, found(whole))

    owners = [one.patient_key for one in results(whole)]

    assert len(owners) == 2
    assert owners == [one.key for one in patients]


def test_patients_of_two_bundles_with_one_id_stay_two() -> None:
    mia = rosa(name=[{"family": "Chen", "given": ["Mia"]}], birthDate="1991-01-01")
    lines = (bundle(rosa(), observation()), bundle(mia, observation()))

    owners = [one.patient_key for one in results(*lines)]

    assert owners == [one.key for one in only(Patient, found(*lines))]
    assert len(set(owners)) == 2


def test_nobody_is_guessed_where_one_id_means_two_people() -> None:
    mia = rosa(name=[{"family": "Chen", "given": ["Mia"]}], birthDate="1991-01-01")
    things = found(bundle(rosa(), mia, observation()))

    (taken,) = only(Result, things)
    stranger = only(Patient, things)[-1]
    assert taken.patient_key == stranger.key
    assert (stranger.family, stranger.birth_date) == ("", None)


def test_strangers_of_two_bundles_are_not_taken_for_one() -> None:
    lines = (bundle(observation()), bundle(observation()))

    assert len({one.patient_key for one in results(*lines)}) == 2


def test_the_same_patient_in_every_bundle_is_one() -> None:
    lines = (bundle(rosa(), observation()), bundle(rosa(), observation(id="b")))

    assert len(only(Patient, found(*lines))) == 1
    assert {one.patient_key for one in results(*lines)} == {"Patient/rosa"}
    assert left_out(*lines) == [(Reason.DUPLICATE, "Patient", 1)]


@pytest.mark.parametrize(
    ("names", "expected", "others"),
    [
        (
            [{"use": "old", "family": "Ruiz"}, {"use": "official", "family": "Alvarez"}],
            ("Alvarez", ""),
            (("Ruiz", ""),),
        ),
        (
            [{"family": "Shaw", "period": {"end": "2020"}}, {"family": "Baxter", "given": ["Amy"]}],
            ("Baxter", "Amy"),
            (("Shaw", ""),),
        ),
        ([{"text": "Rosa Alvarez"}], ("Rosa Alvarez", ""), ()),
        (["Rosa Alvarez"], ("Rosa Alvarez", ""), ()),
        ({"family": ["de", "la Cruz"], "given": "Ana"}, ("de la Cruz", "Ana"), ()),
        ([{"given": [None, 3, "Ana"]}], ("", "3 Ana"), ()),
        ([], ("", ""), ()),
        ("", ("", ""), ()),
    ],
)
def test_the_official_name_is_the_name_and_former_ones_stand_beside_it(
    names: Any, expected: tuple[str, str], others: tuple[tuple[str, str], ...]
) -> None:
    (patient,) = only(Patient, found(rosa(name=names)))

    assert (patient.family, patient.given) == expected
    assert patient.other_names == others


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1980-03-01", date(1980, 3, 1)),
        ("1980-03-01T08:00:00Z", date(1980, 3, 1)),
        ("1980-03", None),
        ("1980", None),
        ("1980-02-30", None),
        (None, None),
        (19800301, None),
    ],
)
def test_only_a_whole_date_is_a_birth_date(written: Any, expected: date | None) -> None:
    (patient,) = only(Patient, found(rosa(birthDate=written)))

    assert patient.birth_date == expected


def test_identifiers_keep_their_system_and_kind() -> None:
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}
    (patient,) = only(
        Patient,
        found(rosa(identifier=[{"type": kind, "system": "urn:mrn", "value": "17"}, {"value": ""}])),
    )

    assert patient.identifiers == (Identifier(system="urn:mrn", value="17", kind="MR"),)


def test_what_no_database_keeps_is_replaced() -> None:
    name = [{"family": "A\x00b\ud800c", "given": ["\ufeff"]}]

    (patient,) = only(Patient, reads(as_bytes(rosa(name=name))))

    assert patient.family == "A\ufffdb\ufffdc"
