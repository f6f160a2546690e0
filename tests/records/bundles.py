"""Small files as laboratories send them, in each format."""

import base64
import json
from typing import Any

LAB = {"coding": [{"code": "laboratory"}]}


def patient(
    ref: str = "p1",
    given: str = "Rosa",
    family: str = "Alvarez",
    born: str = "1961-04-12",
    mrn: str = "",
) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": ref,
        "name": [{"family": family, "given": [given]}],
        "birthDate": born,
        "identifier": [{"system": "urn:x", "value": mrn}] if mrn else [],
    }


def result(  # noqa: PLR0913
    ref: str,
    value: str = "3.1",
    *,
    of: str = "p1",
    code: str = "1751-7",
    at: str = "2026-05-02T08:00:00-04:00",
    status: str = "final",
) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": ref,
        "identifier": [{"system": "urn:lab", "value": f"{of} {ref}"}],
        "status": status,
        "category": [LAB],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": "Albumin"},
        "subject": {"reference": f"Patient/{of}"},
        "effectiveDateTime": at,
        "valueQuantity": {"value": float(value), "unit": "g/dL"},
    }


def note(  # noqa: PLR0913
    ref: str,
    text: bytes = b"All is well.",
    *,
    of: str = "p1",
    at: str = "2026-05-02",
    status: str = "current",
    replaces: str = "",
    media_type: str = "text/plain",
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "id": ref,
        "masterIdentifier": {"system": "urn:notes", "value": ref},
        "status": status,
        "type": {"text": "Progress note"},
        "description": f"Note {ref}",
        "subject": {"reference": f"Patient/{of}"},
        "date": at,
        "content": [
            {"attachment": {"contentType": media_type, "data": base64.b64encode(text).decode()}}
        ],
    }
    if replaces:
        target = {"reference": f"DocumentReference/{replaces}"}
        made["relatesTo"] = [{"code": "replaces", "target": target}]
    return made


def bundle(*resources: dict[str, Any], of: int = 0) -> bytes:
    """A FHIR bundle; `of` makes it another file with the same in it."""
    entries = [{"resource": resource} for resource in resources]
    made = {"resourceType": "Bundle", "type": "collection", "id": str(of), "entry": entries}
    return json.dumps(made).encode()


def message(
    *values: str,
    mrn: str = "M-1",
    name: str = "ALVAREZ^ROSA",
    born: str = "19610412",
    sent: int = 1,
) -> bytes:
    """An HL7 v2 message with one result for each value."""
    lines = [
        f"MSH|^~\\&|LAB|WEST|||20260502080000||ORU^R01|{sent}|P|2.5.1",
        f"PID|1||{mrn}^^^LAB^MR||{name}||{born}|F",
        f"OBR|1|ORD{mrn}|FIL{mrn}|24323-8^Panel^LN|||20260502080000",
        *(
            f"OBX|{number}|NM|1751-7^Albumin^LN|{number}|{value}|g/dL|3.5-5.0|L|||F"
            for number, value in enumerate(values, 1)
        ),
    ]
    return ("\r".join(lines) + "\r").encode()
