"""FHIR resources for tests to be made of, and the reader put to them."""

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
INFORMATION = {Reason.NO_TIME, Reason.BAD_TIME}


def observation(**said: Any) -> Json:
    """A final hemoglobin of 13.20 g/dL of Patient/rosa; `said` changes it, None takes away."""
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
