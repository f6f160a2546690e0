"""Every HL7 v2 file of the corpus, held against a ground truth made without this reader."""

import hashlib
import io
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from services.records.domain.found import Document, Found, LeftOut, Patient, Reason
from services.records.domain.result import Result, ResultStatus, ValueKind
from services.records.formats.hl7v2 import read
from services.records.formats.hl7v2.framing import Message, messages
from tests.corpus import content, files, needs_corpus, truth

pytestmark = needs_corpus

ONLY_FOR_INFORMATION = {Reason.NO_TIME, Reason.BAD_TIME}
WITHDRAWN = {ResultStatus.CANCELLED, ResultStatus.ENTERED_IN_ERROR}
STATUSES = {
    "F": "final",
    "C": "corrected",
    "P": "preliminary",
    "R": "preliminary",
    "I": "registered",
}
OTHERWISE = {
    # What the truth calls a result and this reader, on purpose, does not: file, code, and why.
    ("FHIR-Converter__Hl7v2_MDM-T02-01.hl7", "113014"): "left out: an MDM's pointer to a study",
    ("FHIR-Converter__Hl7v2_MDM-T02-02.hl7", "obs-id"): "in a document: the text of an MDM",
    ("FHIR-Converter__Hl7v2_MDM-T02-03.hl7", "obs-id"): "in a document: the text of an MDM",
    ("hl7v2__fixtures_mdm-t02-document.hl7", "HP"): "in a document: the text of an MDM",
    (
        "simhospital__messages.out.hl7.gz",
        "Established Patient 15",
    ): "in a document: the text of an MDM",
    (
        "hl7v2-fhir-converter__resources_ORU-multiline-short.hl7",
        "text|",
    ): "a line of the report that the order names, as the OBX name no test",
    (
        "hl7v2-fhir-converter__resources_ORU-multiline-short-mixed.hl7",
        "text|",
    ): "a line of the report that the order names, as the OBX name no test",
}


@dataclass(frozen=True)
class Reading:
    """What the reader found in one file, and the first identifier of each of its patients."""

    name: str
    told: dict[str, Any]
    found: list[Found]

    @property
    def results(self) -> list[Result]:
        return [each for each in self.found if isinstance(each, Result)]

    @property
    def documents(self) -> list[Document]:
        return [each for each in self.found if isinstance(each, Document)]

    @property
    def left_out(self) -> list[LeftOut]:
        return [each for each in self.found if isinstance(each, LeftOut)]

    @cached_property
    def results_by_owner(self) -> dict[str, list[Result]]:
        """The results under the first identifier of the patient; "" for one without any."""
        first = {
            each.key: each.identifiers[0].value if each.identifiers else ""
            for each in self.found
            if isinstance(each, Patient)
        }
        owned: dict[str, list[Result]] = {}
        for result in self.results:
            owned.setdefault(first.get(result.patient_key, ""), []).append(result)
        return owned


def reading(path: Path) -> Reading:
    found = list(read(io.BytesIO(content(path))))
    return Reading(name=path.name, told=truth()[f"hl7v2/{path.name}"], found=found)


@pytest.fixture(scope="module", params=files("hl7v2"), ids=lambda path: path.name)
def of_file(request: pytest.FixtureRequest) -> Reading:
    return reading(request.param)


def is_named(result: Result, code: str) -> bool:
    if code.startswith("text|"):
        return result.code.key == code
    return code in {each.code for each in (result.code, *result.alternates)}


def when(written: str | None) -> datetime | None:
    """An independent reading of an HL7 time."""
    match = re.fullmatch(r"(\d{4,14})(?:\.\d+)?([+-]\d{4})?", written or "")
    if match is None:
        return None
    digits, zone = match.groups(default="")
    padded = digits + "00000101000000"[len(digits) :]
    at = datetime.strptime(padded, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:])) if zone else timedelta()
    return at + offset if zone.startswith("-") else at - offset


def says(shown: str, raw: str) -> bool:
    """Whether what is shown is what was written, in any of the ways that types write it."""
    parts = raw.split("^")
    plain = raw.replace("\\.br\\", "\n").replace("\\T\\", "&").strip()
    ways = {plain, "".join(parts).strip(), *parts[1:2]}
    return shown in ways or any(shown.endswith(f"\n{way}") for way in ways if way)


def at(result: Result) -> datetime:
    return result.collected.at if result.collected else datetime.min.replace(tzinfo=UTC)


def disagreements(reading: Reading) -> dict[tuple[str, str], str]:
    """For each patient and code of the truth where the reader differs, in what."""
    wrong = {}
    for owner, codes in reading.told["latest_by_patient"].items():
        for code, latest in codes.items():
            results = [
                result
                for result in reading.results_by_owner.get(owner, [])
                if is_named(result, code) and result.status not in WITHDRAWN
            ]
            if not results:
                wrong[owner, code] = "no result"
                continue
            newest = max(enumerate(results), key=lambda pair: (at(pair[1]), pair[0]))[1]
            compared = {
                "value": says(newest.value.text, latest["value"]),
                "unit": newest.value.unit == latest["unit"].replace('""', ""),
                "flag": ",".join(newest.flags) == latest["flag"].split("^")[0].strip(","),
                "status": newest.status == STATUSES.get(latest["status"].strip(), newest.status),
                "time": (newest.collected.at if newest.collected else None) == when(latest["when"]),
            }
            if not all(compared.values()):
                wrong[owner, code] = ", ".join(what for what, same in compared.items() if not same)
    return wrong


def test_each_file_has_as_many_messages_as_the_truth_counts(of_file: Reading) -> None:
    source = io.BytesIO(content(next(p for p in files("hl7v2") if p.name == of_file.name)))
    count = sum(isinstance(each, Message) for each in messages(source))

    assert count == of_file.told["n_messages"]


def test_the_latest_result_of_each_test_is_the_truths_or_differs_on_purpose(
    of_file: Reading,
) -> None:
    on_purpose = {code for name, code in OTHERWISE if name == of_file.name}
    wrong = disagreements(of_file)

    assert {key: what for key, what in wrong.items() if key[1] not in on_purpose} == {}
    assert on_purpose <= {code for _, code in wrong}, "what is listed as different must differ"


def test_embedded_documents_come_out_byte_for_byte(of_file: Reading) -> None:
    told = [
        observation["ed"]["sha256"]
        for message in of_file.told["messages"]
        for observation in message["obx"]
        if observation.get("ed", {}).get("bytes")
    ]
    embedded = [
        hashlib.sha256(document.content).hexdigest()
        for document in of_file.documents
        if not document.media_type.startswith("text/plain")
    ]
    repeated = sum(each.count for each in of_file.left_out if each.reason is Reason.DUPLICATE)

    assert set(embedded) == set(told)
    assert len(embedded) + repeated == len(told)


def places(left_out: LeftOut) -> set[tuple[int, int]]:
    match = re.fullmatch(r"message (\d+), OBX (\d+)(?: to (\d+))?", left_out.where)
    if match is None or left_out.reason in ONLY_FOR_INFORMATION:
        return set()
    first, last = int(match[2]), int(match[3] or match[2])
    return {(int(match[1]), place) for place in range(first, last + 1)}


def test_every_observation_is_a_result_a_line_a_document_or_left_out(of_file: Reading) -> None:
    left_out = set().union(*map(places, of_file.left_out))
    unclaimed = Counter(result.source_id for result in of_file.results)
    claimed: set[str] = set()
    by_code: dict[str, list[Result]] = {}
    for result in of_file.results:
        for code in (result.code, *result.alternates):
            by_code.setdefault(code.code, []).append(result)
    texts = [document.content.decode(errors="replace") for document in of_file.documents]
    digests = {hashlib.sha256(document.content).hexdigest() for document in of_file.documents}
    nowhere = []

    for number, message in enumerate(of_file.told["messages"], start=1):
        for place, observation in enumerate(message["obx"], start=1):
            if (number, place) in left_out:
                continue
            value = observation["value"]
            # A line that names no test is one of the report that the order names.
            code = observation["code"] or message["obr"][-1]["code"]
            fitting = [
                result
                for result in by_code.get(code, [])
                if not value.strip()
                or says(result.value.text, value)
                or value in result.value.text.split("\n")
            ]
            fresh = [each for each in fitting if unclaimed[each.source_id]]
            if fitting:
                claimed.add((fresh or fitting)[0].source_id)
                unclaimed[(fresh or fitting)[0].source_id] -= 1
            elif not (
                observation.get("ed", {}).get("sha256") in digests
                or any(value in text for text in texts)
            ):
                nowhere.append((number, place))

    assert nowhere == []
    assert claimed == {result.source_id for result in of_file.results}


def test_reading_a_file_twice_finds_the_very_same(of_file: Reading) -> None:
    again = reading(next(path for path in files("hl7v2") if path.name == of_file.name))

    assert again.found == of_file.found
    assert len({each.source_id for each in of_file.results}) == len(of_file.results)


def test_the_agreement_with_the_truth(capsys: pytest.CaptureFixture[str]) -> None:
    file_count = matched_files = result_count = matched_results = 0
    for path in files("hl7v2"):
        one = reading(path)
        wrong = disagreements(one)
        told = sum(len(codes) for codes in one.told["latest_by_patient"].values())
        file_count += 1
        matched_files += not wrong
        result_count += told
        matched_results += told - len(wrong)
    explained = len(OTHERWISE)
    with capsys.disabled():
        print(
            f"\nHL7 v2: {matched_files} of {file_count} files and {matched_results} of "
            f"{result_count} latest results as in the truth; {explained} tests otherwise on purpose"
        )

    assert file_count - matched_files == len({name for name, _ in OTHERWISE})
    assert result_count > 0


def test_a_quantity_has_its_number_and_only_a_quantity_has_one(of_file: Reading) -> None:
    for result in of_file.results:
        assert (result.value.number is not None) == (result.value.kind is ValueKind.QUANTITY)
