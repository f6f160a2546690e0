"""A chart as a FHIR R4 bundle, its resources under the profiles of US Core 6.1.

What FHIR has no place for stands in extensions that our own reader knows: a value as the laboratory
wrote it (`rendered-value`), the unit of a text, a time that came without a zone.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID, uuid5

from libs.contracts.messaging.mailbox import Letter
from libs.contracts.records.health import Flag, Status
from libs.contracts.records.moments import Precision
from services.records.domain.carried import carried
from services.records.domain.chart import Chart, Measured
from services.records.domain.document import Document
from services.records.domain.result import LOINC
from services.records.exporting.json_writing import written
from services.records.exporting.pieces import Base64, Pieces
from services.records.formats.fhir.moments import UNZONED
from services.records.formats.fhir.values import RENDERED, UNIT

MEDIA_TYPE = "application/fhir+json"
_US_CORE: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
_TERMS: Final = "http://terminology.hl7.org/CodeSystem/"
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
_RANGE: Final = re.compile(r"(-?\d+(?:\.\d+)?)-(-?\d+(?:\.\d+)?)", re.ASCII)
_RATIO: Final = re.compile(r"(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)", re.ASCII)
_CODE: Final = re.compile(r"\S+(?:\s\S+)*")
_TIME: Final = re.compile(
    r"\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))?)?)?", re.ASCII
)
_FLAGS: Final = {
    Flag.LOW: "L",
    Flag.HIGH: "H",
    Flag.VERY_LOW: "LL",
    Flag.VERY_HIGH: "HH",
    Flag.ABNORMAL: "A",
    Flag.NORMAL: "N",
}
_DOCUMENT_STATUS: Final = {
    "preliminary": "preliminary",
    "final": "final",
    "amended": "amended",
    "corrected": "amended",
    "entered-in-error": "entered-in-error",
}
_FORMATS: Final = "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode"
_ANY_FORMAT: Final = {"system": _FORMATS, "code": "urn:ihe:iti:xds:2017:mimeTypeSufficient"}
ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_NOTE: Final = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"
Resource = dict[str, Any]


def bundle(chart: Chart, paths: Mapping[UUID, str] | None = None) -> Pieces:
    """The bundle; with paths, documents are named by where they lie instead of being in it."""
    stamp = instant(chart.made_at)
    head = {"resourceType": "Bundle", "type": "collection", "timestamp": stamp}
    yield written(head)[:-1].encode() + b',"entry":['
    yield _entry(_patient(chart))
    yield b"," + _entry(_practice(chart))
    for one in chart.results:
        yield b"," + _entry(observation(one, chart))
    for report in _reports(chart):
        yield b"," + _entry(report)
    for document in chart.documents:
        yield b","
        yield from _document(document, chart, paths)
    for letter in chart.messages:
        yield b"," + _entry(_communication(letter, chart))
    yield b"]}\n"


def _entry(resource: Resource) -> bytes:
    return written({"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}).encode()


def _refers(kind: str, to: UUID) -> Resource:
    return {"reference": f"urn:uuid:{to}", "type": kind}


def _uuid(of: UUID) -> Resource:
    return {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{of}"}


def _coded(system: str, code: str, display: str = "") -> Resource:
    return {"system": _TERMS + system, "code": code, "display": display}


def _patient(chart: Chart) -> Resource:
    person = chart.person
    number = {
        "use": "usual",
        "type": {"coding": [_coded("v2-0203", "MR", "Medical record number")]},
        "system": f"urn:uuid:{person.practice_id}",
        "value": person.mrn,
    }
    return {
        "resourceType": "Patient",
        "id": str(person.patient_id),
        "meta": {"profile": [f"{_US_CORE}patient"]},
        "identifier": [number] if person.mrn else [_uuid(person.patient_id)],
        "name": [{"use": "official", "family": person.family, "given": [person.given]}],
        "gender": "unknown",
        "birthDate": person.birth_date.isoformat(),
        "managingOrganization": _refers("Organization", person.practice_id),
    }


def _practice(chart: Chart) -> Resource:
    phone = {"system": "phone", "value": chart.practice.phone}
    return {
        "resourceType": "Organization",
        "id": str(chart.practice.practice_id),
        "meta": {"profile": [f"{_US_CORE}organization"]},
        "identifier": [_uuid(chart.practice.practice_id)],
        "active": True,
        "name": chart.practice.name,
        "telecom": [phone] if chart.practice.phone else [],
        "address": [{"text": chart.practice.address}] if chart.practice.address else [],
    }


def observation(one: Measured, chart: Chart) -> Resource:
    """A result; its id is the one that it has everywhere."""
    flag = _FLAGS.get(one.flag)
    band = _band(one)
    return {
        "resourceType": "Observation",
        "id": str(one.id),
        "meta": {"profile": [f"{_US_CORE}observation-lab"] if _is_to_the_day(one) else []},
        "extension": _unit_of_text(one),
        "identifier": [_uuid(one.id)],
        "status": one.status.value,
        "category": [{"coding": [_coded("observation-category", "laboratory", "Laboratory")]}],
        "code": _code(one),
        "subject": _refers("Patient", chart.person.patient_id),
        **_effective(one),
        "issued": instant(one.issued_at) if one.issued_at and one.collected_at else None,
        "performer": _called(one.performer),
        **_value(one),
        "interpretation": [{"coding": [_coded("v3-ObservationInterpretation", flag)]}]
        if flag
        else [],
        "note": [{"text": one.comment}] if one.comment else [],
        "specimen": {"display": one.specimen} if one.specimen else None,
        "basedOn": _called(one.orderer),
        "referenceRange": [band] if band else [],
    }


def _called(name: str) -> list[Resource]:
    return [{"display": name}] if name else []


def _code(one: Measured) -> Resource:
    if one.system == "text":
        return {"text": one.code}
    system, code = one.system, one.code
    if (system and not re.fullmatch(r"\S+", system)) or not _CODE.fullmatch(code):
        system, code = carried(system, code)
    return {"coding": [{"system": system, "code": code, "display": one.name}], "text": one.name}


def _is_to_the_day(one: Measured) -> bool:
    """Whether US Core takes it: a time is no coarser than a day (its rule us-core-1)."""
    return one.collected_at is None or one.precision not in (Precision.YEAR, Precision.MONTH)


def _effective(one: Measured) -> Resource:
    if one.collected_at is None:
        return {"_effectiveDateTime": {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}}
    said: Resource = {"effectiveDateTime": _written(one.collected_at, one.precision)}
    if one.precision is Precision.INSTANT and not one.zoned:
        said["_effectiveDateTime"] = {"extension": [{"url": UNZONED, "valueBoolean": True}]}
    return said


def _written(at: datetime, precision: Precision) -> str:
    """No more exact than it is known."""
    lengths = {Precision.YEAR: 4, Precision.MONTH: 7, Precision.DAY: 10}
    if length := lengths.get(precision):
        return at.astimezone(UTC).date().isoformat()[:length]
    return instant(at)


def instant(at: datetime) -> str:
    """FHIR's instant, in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _value(one: Measured) -> Resource:
    """The value by its kind; where that form would read otherwise, with what was written."""
    said: Resource
    match one.kind:
        case "quantity":
            said = {"valueQuantity": _quantity(one)}
        case "range":
            said = {"valueRange": _range(one)}
        case "ratio":
            said = {"valueRatio": _ratio(one)}
        case "coded":
            said = {"valueCodeableConcept": {"text": one.value}}
        case "time":
            said = _time(one)
        case "absent":
            said = {"dataAbsentReason": _absent(one.value)}
        case _:
            said = {"valueString": one.value}
    return said


def _range(one: Measured) -> Resource:
    if ends := _RANGE.fullmatch(one.value):
        low, high = (_end(part, one.unit) for part in ends.groups())
        return {"low": low, "high": high}
    return {"low": {"unit": one.unit}} | _as_written(one)


def _ratio(one: Measured) -> Resource:
    if parts := _RATIO.fullmatch(one.value):
        numerator, denominator = (_end(part, "") for part in parts.groups())
        return {"numerator": numerator, "denominator": denominator}
    return _as_written(one)


def _quantity(one: Measured) -> Resource:
    if one.number is None:
        return {"unit": one.unit} | _as_written(one)
    number = format(one.number, "f")
    said: Resource = {"value": one.number, "comparator": one.comparator, "unit": one.unit}
    if one.comparator not in ("", "<", "<=", ">=", ">"):
        said["comparator"] = ""
    plain = one.value == f"{said['comparator']}{number}" and bool(_NUMBER.fullmatch(number))
    return said if plain else said | _as_written(one)


def _end(number: str, unit: str) -> Resource:
    return {"value": Decimal(number), "unit": unit}


def _as_written(one: Measured) -> Resource:
    return {"extension": [{"url": RENDERED, "valueString": one.value}]}


def _unit_of_text(one: Measured) -> list[Resource]:
    if one.unit and one.kind in ("text", "coded", "ratio", "time", "absent"):
        return [{"url": UNIT, "valueString": one.unit}]
    return []


def _time(one: Measured) -> Resource:
    if _TIME.fullmatch(one.value):
        return {"valueDateTime": one.value}
    start, dash, end = one.value.partition(" - ")
    if dash and _TIME.fullmatch(start) and _TIME.fullmatch(end):
        return {"valuePeriod": {"start": start, "end": end}}
    return {"valuePeriod": _as_written(one)}


def _absent(reason: str) -> Resource:
    coding = [_coded("data-absent-reason", "unknown", "Unknown")]
    return {"text": reason} if reason else {"coding": coding}


def _band(one: Measured) -> Resource:
    low, high = one.range_low, one.range_high
    return (
        {
            "low": {"value": low, "unit": one.unit} if low is not None else None,
            "high": {"value": high, "unit": one.unit} if high is not None else None,
            "text": one.range_text,
        }
        if one.range_text or low is not None or high is not None
        else {}
    )


def _reports(chart: Chart) -> Iterator[Resource]:
    """The results of one laboratory at one time, together."""

    def together(one: Measured) -> tuple[str, str]:
        return str(one.collected_at or ""), one.performer

    for _, group in groupby(sorted(chart.results, key=together), key=together):
        results = list(group)
        first = results[0]
        yield {
            "resourceType": "DiagnosticReport",
            "id": str(uuid5(chart.person.patient_id, f"report {together(first)}")),
            "meta": {"profile": [f"{_US_CORE}diagnosticreport-lab"]},
            "status": _report_status(results),
            "category": [{"coding": [_coded("v2-0074", "LAB", "Laboratory")]}],
            "code": {
                "coding": [{"system": LOINC, "code": "11502-2", "display": "Laboratory report"}]
            },
            "subject": _refers("Patient", chart.person.patient_id),
            **_effective(first),
            "issued": instant(max(one.issued_at or chart.made_at for one in results)),
            "performer": _called(first.performer),
            "result": [_refers("Observation", one.id) for one in results],
        }


def _report_status(results: Iterable[Measured]) -> str:
    found = {one.status for one in results}
    for status in (Status.PRELIMINARY, Status.CORRECTED, Status.FINAL, Status.CANCELLED):
        if status in found:
            return status.value
    return "unknown"


def _document(document: Document, chart: Chart, paths: Mapping[UUID, str] | None) -> Pieces:
    """A reference to a document, with its content or with the place where it lies."""
    exact = document.dated_at if document.precision == "instant" else None
    path = quote(paths[document.id]) if paths is not None else ""
    resource = {
        "resourceType": "DocumentReference",
        "id": str(document.id),
        "meta": {"profile": [f"{_US_CORE}documentreference"]},
        "masterIdentifier": _uuid(document.id),
        "identifier": [_uuid(document.id)],
        "status": "superseded" if document.replaced_by else "current",
        "docStatus": _DOCUMENT_STATUS.get(document.status.value),
        "type": _document_type(document),
        "category": [{"coding": [{"system": _NOTE, "code": "clinical-note"}]}],
        "subject": _refers("Patient", chart.person.patient_id),
        "date": instant(exact) if exact else None,
        "author": _called(document.author),
        "relatesTo": [
            {"code": "replaces", "target": _refers("DocumentReference", earlier.id)}
            for earlier in chart.documents
            if earlier.replaced_by == document.id
        ],
        "description": document.title,
        "context": {"period": {"start": _day(document)}} if document.dated and not exact else None,
    }
    attachment = written({"contentType": document.media_type, "size": document.size, "url": path})
    entry = written({"fullUrl": f"urn:uuid:{document.id}", "resource": resource})
    yield f'{entry[:-2]},"content":[{{"attachment":{attachment[:-1]}'.encode()
    if paths is None:
        yield b',"data":"'
        yield Base64(document)
        yield b'"'
    yield f'}},"format":{written(_ANY_FORMAT)}}}]}}}}'.encode()


def _document_type(document: Document) -> Resource:
    if document.kind_code:
        coding = [{"system": LOINC, "code": document.kind_code}]
    else:
        coding = [_coded("v3-NullFlavor", "UNK", "unknown")]
    return {"coding": coding, "text": document.kind}


def _day(document: Document) -> str | None:
    on: date | None = document.dated
    if on is None:
        return None
    lengths = {"year": 4, "month": 7}
    return on.isoformat()[: lengths.get(document.precision, 10)]


def _communication(letter: Letter, chart: Chart) -> Resource:
    patient = _refers("Patient", chart.person.patient_id)
    practice = _refers("Organization", chart.person.practice_id)
    sender, recipient = (practice, patient) if letter.from_practice else (patient, practice)
    return {
        "resourceType": "Communication",
        "id": str(letter.message_id),
        "identifier": [_uuid(letter.message_id)],
        "status": "completed",
        "subject": patient,
        "topic": {"text": letter.subject},
        "sent": instant(letter.sent_at),
        "recipient": [recipient],
        "sender": sender | {"display": letter.author},
        "payload": [{"contentString": letter.body or "(not readable)"}]
        + [{"contentString": f"File: {file.file_name}"} for file in letter.files],
    }
