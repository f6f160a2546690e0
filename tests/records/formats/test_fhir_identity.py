"""What FHIR results are called: the same twice and when corrected, and never two by one name."""

from typing import Any

import pytest

from tests.records.formats.fhir_resources import (
    UUID,
    Json,
    bundle,
    observation,
    result,
    results,
    rosa,
)

LAB_NUMBER = [{"system": "urn:lab:results", "value": "4711"}]
ACCESSION = {"coding": [{"code": "ACSN"}]}
OTHER_TEST = {"coding": [{"system": "http://loinc.org", "code": "2951-2"}], "text": "Sodium"}


def placed(resource: Json, url: str) -> Json:
    return {"fullUrl": url, "resource": resource}


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ({"identifier": LAB_NUMBER}, ""),
        ({"id": UUID}, ""),
        ({}, f"urn:uuid:{UUID}"),
        ({}, "http://lab/fhir/Observation/1"),
    ],
)
def test_a_correction_goes_by_the_name_of_what_it_corrects(said: Json, url: str) -> None:
    before = result(bundle(rosa(), placed(observation(**said), url)))

    after = result(
        bundle(
            placed(
                observation(
                    **said,
                    status="corrected",
                    valueQuantity={"value": 9},
                    effectiveDateTime="2026-05-01",
                ),
                url,
            )
        )
    )

    assert after.source_id == before.source_id


def test_a_corrected_value_of_a_loose_id_goes_by_the_same_name() -> None:
    assert (
        result(observation()).source_id
        == result(observation(status="corrected", valueQuantity={"value": 9})).source_id
    )


def test_a_correction_is_issued_later_and_still_goes_by_the_same_name() -> None:
    before, after = (
        result(observation(effectiveDateTime=None, issued=f"2026-05-0{day}T10:00:00Z"))
        for day in (3, 4)
    )

    assert after.source_id == before.source_id


@pytest.mark.parametrize(
    "said",
    [
        {"subject": {"reference": "Patient/mia"}},
        {"effectiveDateTime": "2026-05-03T08:30:00+02:00"},
        {"code": OTHER_TEST},
        {"id": "example2"},
    ],
)
def test_an_id_like_example_is_anybodys_and_counts_only_with_all_that_is_said(said: Json) -> None:
    whole: Json = {"id": "example"}

    assert result(observation(**whole)).source_id != result(observation(**(whole | said))).source_id


def test_an_id_like_example_of_two_people_with_one_id_is_told_apart_by_birth() -> None:
    mia = rosa(birthDate="1991-01-01")

    names = {result(bundle(person, observation())).source_id for person in (rosa(), mia)}

    assert len(names) == 2


def test_the_same_number_for_two_patients_is_two_results() -> None:
    both = [
        observation(id=f"o{name}", identifier=LAB_NUMBER, subject={"reference": f"Patient/{name}"})
        for name in ("rosa", "mia")
    ]

    together = [one.source_id for one in results(bundle(*both))]

    assert len(set(together)) == 2
    assert together == [result(one).source_id for one in both]


def test_an_accession_number_names_no_single_result() -> None:
    number = [{"type": ACCESSION, "system": "urn:lab", "value": "A1"}]
    both = [observation(id=name, identifier=number) for name in ("susceptible-1", "susceptible-2")]

    assert len({one.source_id for one in results(*both)}) == 2


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_number_that_results_of_one_test_share_names_none_in_any_order(
    order: tuple[int, int],
) -> None:
    both = [observation(id=name, identifier=LAB_NUMBER) for name in ("first", "second")]

    names = {one.source_id for one in results(*(both[place] for place in order))}

    assert len(names) == 2
    assert names == {one.source_id for one in results(*both)}


def test_a_number_that_results_of_several_tests_share_names_each() -> None:
    both = [
        observation(id="a", identifier=LAB_NUMBER),
        observation(id="b", identifier=LAB_NUMBER, code=OTHER_TEST),
    ]

    together = [one.source_id for one in results(*both)]

    assert len(set(together)) == 2
    assert together == [result(one).source_id for one in both]


def test_results_without_any_name_are_told_apart_by_what_they_say() -> None:
    both = [observation(id=None, valueQuantity={"value": value}) for value in (5, 6)]

    assert len({one.source_id for one in results(bundle(*both))}) == 2
    assert len(results(bundle(both[0], both[0]))) == 1


def test_the_components_of_a_result_are_named_after_it() -> None:
    def parts(*names: str) -> Json:
        lines = [{"code": {"text": name}, "valueString": "x"} for name in names]
        return observation(valueQuantity=None, component=lines)

    one_way = {one.name: one.source_id for one in results(parts("A", "B"))}
    other_way = {one.name: one.source_id for one in results(parts("B", "A"))}

    assert one_way == other_way
    assert len(set(one_way.values())) == 2


def test_a_patient_named_by_a_fresh_uuid_in_each_message_is_known_by_number() -> None:
    def message(uuid: str, **said: Any) -> Json:
        mrn = {"type": {"coding": [{"code": "MR"}]}, "system": "urn:mrn", "value": "17"}
        person = rosa(id=uuid, identifier=[mrn])
        measured = observation(
            identifier=LAB_NUMBER, subject={"reference": f"urn:uuid:{uuid}"}, **said
        )
        return bundle(placed(person, f"urn:uuid:{uuid}"), measured)

    before = result(message(UUID))
    after = result(message(UUID.replace("0b", "0c"), valueQuantity={"value": 9}))

    assert after.source_id == before.source_id


def test_a_name_tells_nobody_whose_it_is() -> None:
    name = result(bundle(rosa(), observation(identifier=LAB_NUMBER))).source_id

    assert name.startswith("fhir:")
    assert len(name) == len("fhir:") + 32
