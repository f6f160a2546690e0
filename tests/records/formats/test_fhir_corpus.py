"""Every FHIR file of the corpus against a ground truth that shares no code with the reader.

Where the reader differs from the truth's definitions on purpose, `DIFFERENCES` says where and why;
anything else that differs fails.
"""

import hashlib
import io
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from services.records.domain.found import Document, Found, LeftOut, Patient, Reason
from services.records.domain.result import Result, ResultStatus
from services.records.formats import fhir
from tests.corpus import content, files, needs_corpus, truth

pytestmark = needs_corpus

INFORMATION = {Reason.NO_TIME, Reason.BAD_TIME}
WITHDRAWN = {ResultStatus.CANCELLED, ResultStatus.ENTERED_IN_ERROR}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What the reader takes beyond the truth's definition of a lab or a document, or less."""

    linked: int = 0
    """Results without a category that a report of a laboratory, or of nobody in particular, names:
    the truth counts by category alone."""
    specimens: int = 0
    """Results without a category that name the specimen they were measured in."""
    valueless: tuple[str, ...] = ()
    """Tests of which an Observation has neither a value nor a reason, which is no result."""
    conclusions: int = 0
    """Reports that bring no form but conclude something: the conclusion is kept as a document."""


DIFFERENCES = {
    "FHIR-Converter__ORU_R01_LAB-ORU-1-expected.json": Difference(linked=8),
    "fhir-server__Data_BulkUpdateSampleData.json": Difference(
        linked=2, valueless=("http://loinc.org|15074-8",)
    ),
    "fhir-server__Inferno_V3.1.1_USCoreCompliantResources.json.gz": Difference(linked=3),
    "fhir__package_Observation-bgpanel.json": Difference(valueless=("http://loinc.org|34532-2",)),
    "fhir__package_Observation-vp-oyster.json": Difference(specimens=1),
    "fhir__package_DiagnosticReport-f201.json": Difference(conclusions=1),
    "fhir__package_DiagnosticReport-102.json": Difference(conclusions=1),
}


def name(path: Path) -> str:
    return path.name


def told(path: Path) -> dict[str, Any]:
    """What the truth says of a file."""
    said: dict[str, Any] = truth()[f"fhir/{path.name}"]
    return said


def read_anew(path: Path) -> list[Found]:
    return list(fhir.read(io.BytesIO(content(path))))


found_in = cache(read_anew)


def tail(key: str) -> str:
    """A patient's id, however the file or the truth writes the reference."""
    return key.rpartition("/")[2].removeprefix("urn:uuid:")


def instant(written: str | None) -> datetime | None:
    """The truth's reading of a time: UTC where no zone is written, the start of a partial date."""
    if written is None:
        return None
    whole = written if len(written) > len("2019-03") else f"{written}-01-01"[: len("2019-03-01")]
    at = datetime.fromisoformat(whole)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def when(result: Result) -> datetime | None:
    return result.collected.at if result.collected else None


def shown(result: Result) -> str:
    return f"{result.value.text} {result.value.unit}".strip()


def as_told(said: dict[str, Any], value: str) -> str:
    """The truth's printed value; of a panel of like lines it repeats the test before each."""
    return value.replace(f"{said['name']}=", "") if said["latest"]["kind"] == "component" else value


@dataclass
class Comparison:
    """One file: what agrees, what is wrong, and what is beyond the truth."""

    agreed: int = 0
    wrong: list[str] = field(default_factory=list)
    beyond: list[Result] = field(default_factory=list)


def compare(path: Path, found: list[Found]) -> Comparison:
    """The results of a file, patient by patient and test by test."""
    compared = Comparison()
    by_test: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for one in found:
        if isinstance(one, Result):
            by_test[tail(one.patient_key), one.code.key].append(one)
    valueless = Counter(DIFFERENCES.get(path.name, Difference()).valueless)
    for patient, labs in told(path)["labs_by_patient"].items():
        for code, said in labs["codes"].items():
            mine = by_test.pop((tail(patient), code), [])
            compared.agreed += len(mine)
            if len(mine) != said["n"] - valueless[code]:
                compared.wrong.append(f"{code}: {len(mine)} of {said['n']}")
            if mine and said["latest"]:
                compared.wrong += difference_of_latest(code, mine, said)
    compared.beyond = [result for results in by_test.values() for result in results]
    return compared


def difference_of_latest(code: str, mine: list[Result], said: dict[str, Any]) -> list[str]:
    standing = [result for result in mine if result.status not in WITHDRAWN]
    never = datetime.min.replace(tzinfo=UTC)
    last = max(standing, key=lambda result: when(result) or never)
    values = said.get("tied") or [said["latest"]["value"]]
    differences = []
    if shown(last) not in [as_told(said, value) for value in values]:
        differences.append(f"{code}: {shown(last)!r} is not {values!r}")
    if when(last) != instant(said["latest"]["when"]):
        differences.append(f"{code}: {when(last)} is not {said['latest']['when']}")
    if last.status != said["latest"]["status"]:
        differences.append(f"{code}: {last.status} is not {said['latest']['status']}")
    return differences


def inline_attachments(said: dict[str, Any]) -> set[tuple[str, str]]:
    """Whose and what the inline attachments are; the same note twice counts once."""
    of_documents = [(d["patient"], a) for d in said["documents"] for a in d["attachments"]]
    of_reports = [
        (report["patient"], form)
        for report in said["diagnostic_reports_with_presentedForm"]
        for form in report["presentedForm"]
    ]
    return {
        (tail(patient or ""), attachment["sha256"])
        for patient, attachment in of_documents + of_reports
        if "sha256" in attachment
    }


def left_out(found: list[Found], kind: str) -> int:
    """How many resources of a kind were left out, by their own report."""
    return sum(
        one.count
        for one in found
        if isinstance(one, LeftOut)
        and one.reason not in INFORMATION
        and (one.what == kind or one.what.startswith(f"{kind} "))
    )


@pytest.mark.parametrize("path", files("fhir"), ids=name)
def test_the_results_are_those_of_the_truth(path: Path) -> None:
    difference = DIFFERENCES.get(path.name, Difference())

    compared = compare(path, found_in(path))

    assert compared.wrong == []
    assert len(compared.beyond) == difference.linked + difference.specimens


@pytest.mark.parametrize("path", files("fhir"), ids=name)
def test_the_patients_are_those_of_the_truth(path: Path) -> None:
    patients = [one for one in found_in(path) if isinstance(one, Patient)]
    said = told(path)["patients"]

    named = {tail(one.key): one for one in patients if one.birth_date or one.family}

    assert set(named) >= set(said)
    for key, expected in said.items():
        one = named[key]
        born = one.birth_date.isoformat() if one.birth_date else None
        names = [(one.family, one.given), *one.other_names]
        assert (born, one.sex or None) == (expected["birthDate"], expected["gender"])
        assert expected["name"] in {f"{given} {family}".strip() for family, given in names}
        assert len(names) == expected["n_names"]


@pytest.mark.parametrize("path", files("fhir"), ids=name)
def test_each_inline_document_comes_once_byte_for_byte(path: Path) -> None:
    documents = [one for one in found_in(path) if isinstance(one, Document)]
    difference = DIFFERENCES.get(path.name, Difference())
    contents = [(tail(d.patient_key), hashlib.sha256(d.content).hexdigest()) for d in documents]
    expected = inline_attachments(told(path))

    assert expected <= set(contents)
    assert len(contents) == len(expected) + difference.conclusions


@pytest.mark.parametrize("path", files("fhir"), ids=name)
def test_what_was_taken_and_what_was_left_out_are_all_there_is(path: Path) -> None:
    found, said = found_in(path), told(path)
    types = Counter(said["types"])
    results = {one.source_id for one in found if isinstance(one, Result)}
    attachments = sum(max(1, len(d["attachments"])) for d in said["documents"])
    forms = sum(len(r["presentedForm"]) for r in said["diagnostic_reports_with_presentedForm"])
    without = said["n_diagnostic_reports"] - len(said["diagnostic_reports_with_presentedForm"])
    documents = sum(isinstance(one, Document) for one in found)

    assert len(results) + left_out(found, "Observation") == types.pop("Observation", 0)
    assert (
        documents + left_out(found, "DocumentReference") + left_out(found, "DiagnosticReport")
        == attachments + forms + without
    )
    for kind in set(types) - {"Patient", "DocumentReference", "DiagnosticReport"}:
        assert left_out(found, kind) == types[kind]


@pytest.mark.parametrize("path", files("fhir"), ids=name)
def test_reading_a_file_again_finds_the_same_things_under_the_same_names(path: Path) -> None:
    first, second = found_in(path), read_anew(path)
    names = [one.source_id for one in first if isinstance(one, Result | Document)]

    assert first == second
    assert len(set(names)) == len(names)


def test_the_agreement_with_the_truth_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """How many files and results agree, for whoever watches."""
    paths = files("fhir")
    compared = {path: compare(path, found_in(path)) for path in paths}
    labs = sum(told(path)["n_lab_observations"] for path in paths)
    valueless = sum(len(difference.valueless) for difference in DIFFERENCES.values())
    agreed = sum(one.agreed for one in compared.values())
    beyond = sum(len(one.beyond) for one in compared.values())
    matched = sum(not one.wrong for one in compared.values())

    with capsys.disabled():
        print(
            f"\nFHIR: {matched} of {len(paths)} files agree with the truth; {agreed} of {labs} "
            f"results, {valueless} more say nothing, and {beyond} are results by another sign."
        )

    assert matched == len(paths)
    assert agreed == labs - valueless
