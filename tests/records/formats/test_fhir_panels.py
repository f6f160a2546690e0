"""Which FHIR Observations are laboratory results, by themselves and in panels and reports."""

import pytest

from services.records.domain.found import Reason
from services.records.domain.result import ValueKind
from tests.records.formats.fhir_resources import (
    HEMOGLOBIN,
    Json,
    bundle,
    left_out,
    observation,
    report,
    result,
    results,
)

V3 = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


@pytest.mark.parametrize(
    "said",
    [
        {"category": [{"coding": [{"code": "LABORATORY"}]}]},
        {"category": {"coding": [{"code": "laboratory"}]}},
        {"category": [{"text": "Laboratory"}]},
        {"category": [{"coding": [{"code": "vital-signs"}]}, {"coding": [{"code": "laboratory"}]}]},
        {"category": [{"coding": [{"system": "urn:v2-0074", "code": "HM"}]}]},
        {"category": None, "meta": {"profile": ["http://x/us-core-observation-lab|9.0.0"]}},
        {"category": None, "specimen": {"reference": "Specimen/1"}},
    ],
)
def test_laboratory_work_is_known_by_category_profile_or_specimen(said: Json) -> None:
    assert len(results(observation(**said))) == 1


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"category": [{"coding": [{"code": "vital-signs"}]}]}, "Observation (vital-signs)"),
        ({"category": [{"coding": [{"code": "HM"}]}]}, "Observation Hemoglobin (hm)"),
        ({"category": None}, "Observation Hemoglobin (without a category)"),
    ],
)
def test_other_observations_are_left_out_by_their_sort(said: Json, what: str) -> None:
    assert left_out(observation(**said)) == [(Reason.NOT_A_RESULT, what, 1)]


@pytest.mark.parametrize(
    "category",
    [
        None,
        [{"coding": [{"code": "LAB"}]}],
        [{"coding": [{"system": "urn:v2-0074", "code": "CH"}]}],
    ],
)
def test_a_laboratorys_report_makes_its_results_lab_results(category: list[Json] | None) -> None:
    linked = report("Observation/hb", category=category)

    one = result(bundle(observation(category=None), linked))

    assert one.panel == "Blood count"


def test_another_departments_report_does_not() -> None:
    linked = report("Observation/hb", category=[{"coding": [{"code": "RAD"}]}])

    assert results(bundle(observation(category=None), linked)) == []


def test_a_vital_sign_stays_one_in_a_laboratorys_report() -> None:
    vital = observation(category=[{"coding": [{"code": "vital-signs"}]}])

    assert results(bundle(vital, report("Observation/hb"))) == []


def test_members_of_a_laboratory_panel_are_lab_results_however_deep() -> None:
    outer = observation(
        id="outer", category=None, valueQuantity=None, hasMember=[{"reference": "Observation/in"}]
    )
    inner = observation(
        id="in",
        category=None,
        code={"text": "Panel"},
        valueQuantity=None,
        hasMember=[{"reference": "Observation/hb"}],
    )
    linked = report("Observation/outer")

    one = result(bundle(observation(category=None), inner, outer, linked))

    assert one.panel == "Panel"


def test_panels_that_hold_each_other_end_somewhere() -> None:
    one = observation(id="1", category=None, hasMember=[{"reference": "Observation/2"}])
    two = observation(id="2", category=None, hasMember=[{"reference": "Observation/1"}])

    assert results(bundle(one, two)) == []


def test_components_that_are_tests_are_results_of_their_own() -> None:
    parts = [
        {"code": {"text": "Neutrophils"}, "valueQuantity": {"value": 60, "unit": "%"}},
        {
            "code": {"text": "Monocytes"},
            "valueQuantity": {"value": 9, "unit": "%"},
            "interpretation": [{"coding": [{"code": "H"}]}],
            "referenceRange": [{"high": {"value": 8}}],
        },
    ]

    first, second = results(observation(valueQuantity=None, component=parts))

    assert (first.name, first.value.text, first.panel) == ("Neutrophils", "60", "Hemoglobin")
    assert (second.name, second.flags, len(second.ranges)) == ("Monocytes", ("H",), 1)
    assert first.source_id != second.source_id
    assert first.collected == second.collected


def test_a_value_and_its_components_are_all_results() -> None:
    parts = [{"code": {"text": "Factor V"}, "valueString": "seen"}]

    assert [one.name for one in results(observation(component=parts))] == ["Hemoglobin", "Factor V"]


def test_components_of_one_test_are_the_lines_of_one_result() -> None:
    lines = [{"code": HEMOGLOBIN, "valueString": word} for word in ("Many", "WBCs")]

    one = result(observation(valueQuantity=None, component=lines))

    assert (one.value.kind, one.value.text) == (ValueKind.TEXT, "Many; WBCs")


def test_lines_beside_a_value_are_its_comment() -> None:
    lines = [{"code": {"text": "Seen"}, "valueString": word} for word in ("rods", "cocci")]

    one = result(observation(component=lines))

    assert (one.value.text, one.comment) == ("13.25", "Seen: rods\nSeen: cocci")


def test_a_single_component_of_the_same_test_is_its_value() -> None:
    part = {"code": HEMOGLOBIN, "valueQuantity": {"value": 7, "unit": "g/dL"}}

    one = result(observation(valueQuantity=None, component=[part]))

    assert (one.value.kind, one.value.text) == (ValueKind.QUANTITY, "7")


def test_a_component_without_a_value_is_told_by_itself() -> None:
    parts = [{"code": {"text": "A"}, "valueString": "x"}, {"code": {"text": "B"}}, "junk"]

    assert left_out(observation(valueQuantity=None, component=parts)) == [
        (Reason.NO_VALUE, "Component B", 1),
        (Reason.NO_VALUE, "Component", 1),
    ]


def test_who_and_what_a_result_names_is_told_by_name() -> None:
    practitioner = {
        "resourceType": "Practitioner",
        "id": "p",
        "name": [{"prefix": ["Dr"], "given": ["Ana"], "family": "Ruiz"}],
    }
    role = {
        "resourceType": "PractitionerRole",
        "id": "r",
        "practitioner": {"reference": "Practitioner/p"},
    }
    order = {
        "resourceType": "ServiceRequest",
        "id": "o",
        "requester": {"reference": "PractitionerRole/r"},
    }
    specimen = {"resourceType": "Specimen", "id": "s", "type": {"text": "Venous blood"}}
    laboratory = {"resourceType": "Organization", "id": "#lab", "name": "City Lab"}
    one = result(
        bundle(
            observation(
                contained=[specimen, laboratory],
                specimen={"reference": "#s"},
                performer=[{"reference": "#lab"}, {"reference": "Practitioner/p"}],
                basedOn=[{"reference": "ServiceRequest/o"}],
                method={"text": "Automated"},
            ),
            practitioner,
            role,
            order,
        )
    )

    assert one.specimen == "Venous blood"
    assert one.performer == "City Lab, Dr Ana Ruiz"
    assert one.orderer == "Dr Ana Ruiz"
    assert one.method == "Automated"


@pytest.mark.parametrize(
    ("inner", "name"),
    [
        ({"resourceType": "Practitioner", "name": [{"family": "Ruiz"}]}, "Ruiz"),
        ({"resourceType": "Organization", "name": "City Lab"}, "City Lab"),
        ({"resourceType": "Device", "type": {"text": "Analyser"}}, "Analyser"),
        (
            {"resourceType": "PractitionerRole", "organization": {"display": "City Lab"}},
            "City Lab",
        ),
        ({"resourceType": "PractitionerRole"}, ""),
    ],
)
def test_a_performer_inside_the_observation_is_named(inner: Json, name: str) -> None:
    contained = [{"resourceType": "Claim", "id": "x"}, inner | {"id": "p"}]

    one = result(observation(contained=contained, performer=[{"reference": "#p"}]))

    assert one.performer == name


def test_a_subject_inside_the_observation_that_is_no_person_has_no_results() -> None:
    group = [{"resourceType": "Group", "id": "g"}]

    assert left_out(observation(contained=group, subject={"reference": "#g"})) == [
        (Reason.NO_PATIENT, "Observation Hemoglobin", 1)
    ]


def test_references_that_lead_in_a_circle_lead_nowhere() -> None:
    role = {
        "resourceType": "PractitionerRole",
        "id": "r",
        "practitioner": {"reference": "PractitionerRole/r"},
    }
    inner = {"resourceType": "PractitionerRole", "id": "c", "practitioner": {"reference": "#c"}}

    one = result(
        bundle(
            observation(
                contained=[inner],
                performer=[{"reference": "PractitionerRole/r"}, {"reference": "#c"}],
            ),
            role,
        )
    )

    assert one.performer == ""


def test_results_inside_a_report_are_taken_with_its_subject_and_time() -> None:
    inner = observation(
        id="o1", category=None, subject=None, effectiveDateTime=None, valueString="Positive",
        valueQuantity=None,
    )  # fmt: skip
    whole = report(
        "#o1",
        contained=[inner],
        subject={"reference": "Patient/rosa"},
        effectiveDateTime="2026-05-02",
        issued="2026-05-03T10:00:00Z",
    )

    one = result(whole)

    assert (one.patient_key, one.panel, one.value.text) == (
        "Patient/rosa",
        "Blood count",
        "Positive",
    )
    assert one.collected is not None
    assert one.issued is not None


def test_an_observation_inside_a_report_of_another_department_is_left_out() -> None:
    inner = observation(id="o1", category=None)
    whole = report("#o1", contained=[inner], category=[{"coding": [{"code": "RAD"}]}])

    assert (Reason.NOT_A_RESULT, "Observation Hemoglobin (rad)", 1) in left_out(whole)
