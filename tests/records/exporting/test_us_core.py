"""The bundle against US Core 6.1: each must-support element that a record has is there.

The tables name the elements that US Core's profiles mark as must-support, and where in the bundle each
stands; what a practice's record never holds is named too, with the reason.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from libs.contracts.records.moments import Precision
from services.records.domain.chart import Chart
from services.records.exporting import archive, fhir
from services.records.exporting.fhir.results import ABSENT
from tests.records.exporting import charts

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
TERMS = "http://terminology.hl7.org/CodeSystem/"
MUST_SUPPORT = {
    "patient": [
        "identifier.system", "identifier.value", "name.family", "name.given", "gender", "birthDate",
    ],
    "organization": ["identifier", "active", "name", "telecom", "address"],
    "observation-lab": [
        "status", "category", "code", "subject", "effectiveDateTime", "valueQuantity.value",
        "valueQuantity.unit", "interpretation", "specimen", "referenceRange",
    ],
    "diagnosticreport-lab": [
        "status", "category", "code", "subject", "effectiveDateTime", "issued", "performer",
        "result",
    ],
    "documentreference": [
        "identifier", "status", "type", "category", "subject", "date", "author",
        "content.attachment.contentType", "content.attachment.data", "content.format",
        "context.period",
    ],
}  # fmt: skip
NEVER_HELD = {
    "patient": ["telecom", "address", "communication", "race", "ethnicity", "birthsex"],
    "organization": ["an NPI or CLIA number"],
    "observation-lab": ["encounter"],
    "diagnosticreport-lab": ["encounter", "media", "presentedForm"],
    "documentreference": ["context.encounter"],
}
"""Not asked of patients or practices, and not kept; notes are handed over as documents."""
STATUSES = {
    "observation-lab": {
        "registered", "preliminary", "final", "amended", "corrected", "cancelled",
        "entered-in-error", "unknown",
    },
    "diagnosticreport-lab": {
        "registered", "partial", "preliminary", "final", "amended", "corrected", "appended",
        "cancelled", "entered-in-error", "unknown",
    },
    "documentreference": {"current", "superseded", "entered-in-error"},
}  # fmt: skip
CATEGORIES = {
    "observation-lab": (f"{TERMS}observation-category", "laboratory"),
    "diagnosticreport-lab": (f"{TERMS}v2-0074", "LAB"),
    "documentreference": (
        "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
        "clinical-note",
    ),
}


def chart(**instead: Any) -> Chart:
    exact = charts.odd_papers(Precision.INSTANT)[:4]
    to_the_day = charts.odd_papers(Precision.DAY)[:4]
    [albumin] = charts.measured([charts.albumin()])
    return charts.chart([replace(albumin, **instead)], [*exact, *to_the_day])


def bundle(of: Chart, *, beside: bool = False) -> list[dict[str, Any]]:
    contents = {one.id: b"x" for one in of.documents}
    paths = archive.paths(of.documents, of.zone) if beside else None
    written = json.loads(charts.whole(fhir.bundle(of, paths), contents))
    Bundle.model_validate(written)
    return [entry["resource"] for entry in written["entry"]]


def claiming(resources: list[dict[str, Any]], profile: str) -> list[dict[str, Any]]:
    return [
        one for one in resources if f"{US_CORE}{profile}" in one.get("meta", {}).get("profile", ())
    ]


def at(resource: Any, path: str) -> Iterator[Any]:
    name, _, rest = path.partition(".")
    found = resource.get(name)
    for one in found if isinstance(found, list) else [found]:
        if one is not None and rest:
            yield from at(one, rest)
        elif one is not None:
            yield one


@pytest.mark.parametrize(
    ("profile", "path"), [(one, path) for one, paths in MUST_SUPPORT.items() for path in paths]
)
def test_what_a_record_holds_stands_where_us_core_looks_for_it(profile: str, path: str) -> None:
    claimed = claiming(bundle(chart()), profile)
    assert any(list(at(one, path)) for one in claimed)


@pytest.mark.parametrize("profile", CATEGORIES)
def test_its_codes_are_of_the_sets_that_are_demanded(profile: str) -> None:
    claimed = claiming(bundle(chart()), profile)
    system, code = CATEGORIES[profile]
    for one in claimed:
        assert one["status"] in STATUSES[profile]
        coded = [(each["system"], each["code"]) for each in at(one, "category.coding")]
        assert coded == [(system, code)]
    assert claimed


def test_a_documents_type_is_one_of_loinc_or_said_to_be_unknown() -> None:
    kinds = {
        (each["system"], each["code"])
        for one in claiming(bundle(chart()), "documentreference")
        for each in at(one, "type.coding")
    }
    assert kinds == {("http://loinc.org", "11506-3"), (f"{TERMS}v3-NullFlavor", "UNK")}


@pytest.mark.parametrize("beside", [False, True])
def test_every_document_has_its_content_or_the_place_of_it(beside: bool) -> None:
    """US Core's rule us-core-6; a place is an address, and so has no space in it."""
    for one in claiming(bundle(chart(), beside=beside), "documentreference"):
        [attachment] = at(one, "content.attachment")
        assert ("url" in attachment) is beside
        assert ("data" in attachment) is not beside
        assert attachment.get("url", "").split() in ([], [attachment.get("url")])


def test_a_result_without_a_time_says_so_and_its_report_too() -> None:
    """US Core's rule us-core-8: a report that is final has a time."""
    resources = bundle(chart(collected_at=None))
    for profile in ("observation-lab", "diagnosticreport-lab"):
        [one] = claiming(resources, profile)
        [absent] = one["_effectiveDateTime"]["extension"]
        assert absent == {"url": ABSENT, "valueCode": "unknown"}
        assert one.get("issued") or profile == "observation-lab"


@pytest.mark.parametrize("precision", Precision)
def test_a_time_coarser_than_a_day_claims_no_more_than_it_keeps(precision: Precision) -> None:
    """US Core's rule us-core-1."""
    claimed = claiming(bundle(chart(precision=precision)), "observation-lab")
    assert bool(claimed) is (precision not in (Precision.YEAR, Precision.MONTH))


def test_a_result_without_a_value_says_why() -> None:
    """US Core's rule us-core-2."""
    resources = bundle(chart(kind="absent", value="", number=None, unit=""))
    [one] = claiming(resources, "observation-lab")
    assert one["dataAbsentReason"]
    assert not [name for name in one if name.startswith("value")]


def test_what_is_not_there_is_what_is_never_held() -> None:
    assert NEVER_HELD.keys() == MUST_SUPPORT.keys()
    for profile, paths in NEVER_HELD.items():
        for one in claiming(bundle(chart()), profile):
            assert not [path for path in paths if list(at(one, path))]
