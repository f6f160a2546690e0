"""Documents as DocumentReferences, and messages as Communications."""

from collections.abc import Mapping
from datetime import date
from typing import Final
from urllib.parse import quote
from uuid import UUID

from libs.contracts.messaging.mailbox import Letter
from services.records.domain.chart import Chart
from services.records.domain.document import Document
from services.records.domain.result import LOINC
from services.records.exporting.fhir.terms import (
    US_CORE,
    Resource,
    called,
    coded,
    instant,
    numbered,
    refers,
)
from services.records.exporting.json_writing import written
from services.records.exporting.pieces import Base64, Pieces

_STATUS: Final = {
    "preliminary": "preliminary",
    "final": "final",
    "amended": "amended",
    "corrected": "amended",
    "entered-in-error": "entered-in-error",
}
_FORMATS: Final = "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode"
_ANY_FORMAT: Final = {"system": _FORMATS, "code": "urn:ihe:iti:xds:2017:mimeTypeSufficient"}
_NOTE: Final = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"


def document(document: Document, chart: Chart, paths: Mapping[UUID, str] | None) -> Pieces:
    """A reference to a document, with its content or with the place where it lies."""
    exact = document.dated_at if document.precision == "instant" else None
    path = quote(paths[document.id]) if paths is not None else ""
    resource = {
        "resourceType": "DocumentReference",
        "id": str(document.id),
        "meta": {"profile": [f"{US_CORE}documentreference"]},
        "masterIdentifier": numbered(document.id),
        "identifier": [numbered(document.id)],
        "status": "superseded" if document.replaced_by else "current",
        "docStatus": _STATUS.get(document.status.value),
        "type": _type(document),
        "category": [{"coding": [{"system": _NOTE, "code": "clinical-note"}]}],
        "subject": refers("Patient", chart.person.patient_id),
        "date": instant(exact) if exact else None,
        "author": called(document.author),
        "relatesTo": [
            {"code": "replaces", "target": refers("DocumentReference", earlier.id)}
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


def _type(document: Document) -> Resource:
    if document.kind_code:
        coding = [{"system": LOINC, "code": document.kind_code}]
    else:
        coding = [coded("v3-NullFlavor", "UNK", "unknown")]
    return {"coding": coding, "text": document.kind}


def _day(document: Document) -> str | None:
    on: date | None = document.dated
    if on is None:
        return None
    lengths = {"year": 4, "month": 7}
    return on.isoformat()[: lengths.get(document.precision, 10)]


def communication(letter: Letter, chart: Chart) -> Resource:
    patient = refers("Patient", chart.person.patient_id)
    practice = refers("Organization", chart.person.practice_id)
    sender, recipient = (practice, patient) if letter.from_practice else (patient, practice)
    return {
        "resourceType": "Communication",
        "id": str(letter.message_id),
        "identifier": [numbered(letter.message_id)],
        "status": "completed",
        "subject": patient,
        "topic": {"text": letter.subject},
        "sent": instant(letter.sent_at),
        "recipient": [recipient],
        "sender": sender | {"display": letter.author},
        "payload": [{"contentString": letter.body or "(not readable)"}]
        + [{"contentString": f"File: {file.file_name}"} for file in letter.files],
    }
