"""FHIR resources for tests to be made of, and the reader put to them."""

import base64
import io
import json
from typing import Any, TypeAlias, TypeVar

from services.records.domain.found import Document, Found, LeftOut, Patient, Reason
from services.records.domain.result import Result
from services.records.formats import fhir

Json: TypeAlias = dict[str, Any]
Kind = TypeVar("Kind", Patient, Result, Document, LeftOut)

UUID = "0b6bd5a6-9a4f-4b3e-8a06-5c1c9a3f0a01"
LABORATORY = [{"coding": [{"code": "laboratory"}]}]
HEMOGLOBIN = {"coding": [{"system": "http://loinc.org", "code": "718-7"}], "text": "Hemoglobin"}
NOTE = "Café note\n".encode()
PDF = b"%PDF-1.7 \x00\xff"


def observation(**said: Any) -> Json:
    """A final hemoglobin of 13.25 g/dL of Patient/rosa; `said` changes it, None takes away."""
    whole = {
        "resourceType": "Observation",
        "id": "hb",
        "status": "final",
        "category": LABORATORY,
        "code": HEMOGLOBIN,
        "subject": {"reference": "Patient/rosa"},
        "effectiveDateTime": "2026-05-02T08:30:00+02:00",
        "valueQuantity": {"value": 13.25, "unit": "g/dL"},
    } | said
    return {name: value for name, value in whole.items() if value is not None}


def rosa(**said: Any) -> Json:
    return {
        "resourceType": "Patient",
        "id": "rosa",
        "name": [{"family": "Alvarez", "given": ["Rosa", "María"]}],
        "birthDate": "1980-03-01",
        "gender": "female",
    } | said


def inline(content: bytes = NOTE, **said: Any) -> Json:
    """An attachment that holds its content."""
    data = base64.b64encode(content).decode()
    return {"contentType": "text/plain; charset=utf-8", "data": data} | said


def note(*attachments: Any, **said: Any) -> Json:
    """A DocumentReference of Patient/rosa."""
    return {
        "resourceType": "DocumentReference",
        "id": "note",
        "status": "current",
        "type": {
            "coding": [{"system": "http://loinc.org", "code": "18842-5"}],
            "text": "Discharge summary",
        },
        "subject": {"reference": "Patient/rosa"},
        "date": "2026-05-02T10:00:00Z",
        "content": [{"attachment": one} for one in attachments],
    } | said


def presented(*forms: Any, **said: Any) -> Json:
    """A DiagnosticReport of Patient/rosa with its forms."""
    return {
        "resourceType": "DiagnosticReport",
        "id": "report",
        "status": "final",
        "code": {"text": "Chest X-ray"},
        "subject": {"reference": "Patient/rosa"},
        "effectiveDateTime": "2026-05-02",
        "presentedForm": list(forms),
    } | said


def binary(content: bytes = PDF, **said: Any) -> Json:
    data = base64.b64encode(content).decode()
    return {
        "resourceType": "Binary",
        "id": "b",
        "contentType": "application/pdf",
        "data": data,
    } | said


def report(*results_: str, **said: Any) -> Json:
    """A DiagnosticReport that names its results."""
    return {
        "resourceType": "DiagnosticReport",
        "id": "cbc",
        "status": "final",
        "code": {"text": "Blood count"},
        "result": [{"reference": one} for one in results_],
    } | said


def bundle(*resources: Json, kind: str = "collection") -> Json:
    """A bundle of resources; one that is already an entry (has no type) stays as it is."""
    entries = [one if "resourceType" not in one else {"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def as_bytes(*resources: Json) -> bytes:
    """One resource as a file; several as NDJSON."""
    return "\n".join(json.dumps(one) for one in resources).encode()


def reads(written: bytes | str) -> list[Found]:
    data = written.encode() if isinstance(written, str) else written
    return list(fhir.read(io.BytesIO(data)))


def found(*resources: Json) -> list[Found]:
    return reads(as_bytes(*resources))


def only(kind: type[Kind], things: list[Found]) -> list[Kind]:
    return [one for one in things if isinstance(one, kind)]


def results(*resources: Json) -> list[Result]:
    return only(Result, found(*resources))


def result(*resources: Json) -> Result:
    """The one result there is."""
    (one,) = results(*resources)
    return one


def left_out(*resources: Json) -> list[tuple[Reason, str, int]]:
    """What was left out, without where."""
    return [(one.reason, one.what, one.count) for one in only(LeftOut, found(*resources))]


def documents(*resources: Json) -> list[Document]:
    return only(Document, found(*resources))


def document(*resources: Json) -> Document:
    (one,) = documents(*resources)
    return one
