"""A chart as a FHIR R4 bundle, its resources under the profiles of US Core 6.1.

What FHIR has no place for stands in extensions that our own reader knows: a value as the laboratory
wrote it (`rendered-value`), the unit of a text, a time that came without a zone, what a result said
before it was corrected.
"""

from collections.abc import Mapping
from uuid import UUID

from services.records.domain.chart import Chart
from services.records.exporting.fhir import documents, results
from services.records.exporting.fhir.terms import (
    US_CORE,
    Resource,
    coded,
    instant,
    numbered,
    refers,
)
from services.records.exporting.json_writing import written
from services.records.exporting.pieces import Pieces

MEDIA_TYPE = "application/fhir+json"


def bundle(chart: Chart, paths: Mapping[UUID, str] | None = None) -> Pieces:
    """The bundle; with paths, documents are named by where they lie instead of being in it."""
    stamp = instant(chart.made_at)
    head = {"resourceType": "Bundle", "type": "collection", "timestamp": stamp}
    yield written(head)[:-1].encode() + b',"entry":['
    yield _entry(_patient(chart))
    yield b"," + _entry(_practice(chart))
    for one in chart.results:
        yield b"," + _entry(results.observation(one, chart))
    for report in results.reports(chart):
        yield b"," + _entry(report)
    for document in chart.documents:
        yield b","
        yield from documents.document(document, chart, paths)
    for letter in chart.messages:
        yield b"," + _entry(documents.communication(letter, chart))
    yield b"]}\n"


def _entry(resource: Resource) -> bytes:
    return written({"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}).encode()


def _patient(chart: Chart) -> Resource:
    person = chart.person
    number = {
        "use": "usual",
        "type": {"coding": [coded("v2-0203", "MR", "Medical record number")]},
        "system": f"urn:uuid:{person.practice_id}",
        "value": person.mrn,
    }
    return {
        "resourceType": "Patient",
        "id": str(person.patient_id),
        "meta": {"profile": [f"{US_CORE}patient"]},
        "identifier": [number] if person.mrn else [numbered(person.patient_id)],
        "name": [{"use": "official", "family": person.family, "given": [person.given]}],
        "gender": "unknown",
        "birthDate": person.birth_date.isoformat(),
        "managingOrganization": refers("Organization", person.practice_id),
    }


def _practice(chart: Chart) -> Resource:
    phone = {"system": "phone", "value": chart.practice.phone}
    return {
        "resourceType": "Organization",
        "id": str(chart.practice.practice_id),
        "meta": {"profile": [f"{US_CORE}organization"]},
        "identifier": [numbered(chart.practice.practice_id)],
        "active": True,
        "name": chart.practice.name,
        "telecom": [phone] if chart.practice.phone else [],
        "address": [{"text": chart.practice.address}] if chart.practice.address else [],
    }
