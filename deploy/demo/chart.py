"""The charts of the demo data, as FHIR R4 bundles: labs over three years, and documents.

The numbers follow a made-up course of treatment, so that the trends look like something.
"""

import base64
import json
import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from deploy.demo.paper import pdf
from deploy.demo.people import Person

NAMESPACE = UUID("0192a000-0000-7000-8000-0000000000ff")
DAYS_AGO = (1090, 730, 370, 190, 105, 84, 63, 42, 6)
"""Blood draws over three years: far apart at first, every three weeks during treatment."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A test, its range, and how treatment moves it."""

    loinc: str
    name: str
    unit: str
    low: float | None
    high: float | None
    usual: float
    digits: int
    dip: float = 0
    """How far it moves at the depth of treatment, as a part of its usual value."""


MEASURES = (
    Measure(loinc="718-7", name="Hemoglobin", unit="g/dL", low=12.0, high=15.5, usual=13.1, digits=1, dip=-0.24),
    Measure(loinc="6690-2", name="Leukocytes", unit="10*3/uL", low=4.0, high=11.0, usual=6.4, digits=1, dip=-0.42),
    Measure(loinc="751-8", name="Neutrophils", unit="10*3/uL", low=1.8, high=7.7, usual=3.7, digits=1, dip=-0.5),
    Measure(loinc="777-3", name="Platelets", unit="10*3/uL", low=150, high=400, usual=242, digits=0, dip=-0.35),
    Measure(loinc="4544-3", name="Hematocrit", unit="%", low=36, high=46, usual=39.5, digits=1, dip=-0.2),
    Measure(loinc="789-8", name="Erythrocytes", unit="10*6/uL", low=4.0, high=5.2, usual=4.4, digits=2, dip=-0.18),
    Measure(loinc="787-2", name="MCV", unit="fL", low=80, high=100, usual=90, digits=0, dip=0.05),
    Measure(loinc="731-0", name="Lymphocytes", unit="10*3/uL", low=1.0, high=4.8, usual=1.9, digits=1, dip=-0.4),
    Measure(loinc="1742-6", name="Alanine aminotransferase (ALT)", unit="U/L", low=7, high=35, usual=22, digits=0, dip=1.1),
    Measure(loinc="1920-8", name="Aspartate aminotransferase (AST)", unit="U/L", low=10, high=36, usual=21, digits=0, dip=0.8),
    Measure(loinc="6768-6", name="Alkaline phosphatase", unit="U/L", low=44, high=121, usual=78, digits=0, dip=0.2),
    Measure(loinc="1975-2", name="Bilirubin, total", unit="mg/dL", low=0.2, high=1.2, usual=0.6, digits=1, dip=0.3),
    Measure(loinc="1751-7", name="Albumin", unit="g/dL", low=3.5, high=5.0, usual=4.1, digits=1, dip=-0.18),
    Measure(loinc="2160-0", name="Creatinine", unit="mg/dL", low=0.55, high=1.02, usual=0.84, digits=2, dip=0.06),
    Measure(loinc="3094-0", name="Urea nitrogen", unit="mg/dL", low=7, high=20, usual=14, digits=0, dip=0.1),
    Measure(loinc="2951-2", name="Sodium", unit="mmol/L", low=135, high=145, usual=140, digits=0, dip=-0.01),
    Measure(loinc="2823-3", name="Potassium", unit="mmol/L", low=3.5, high=5.1, usual=4.2, digits=1, dip=-0.05),
    Measure(loinc="2075-0", name="Chloride", unit="mmol/L", low=98, high=107, usual=103, digits=0),
    Measure(loinc="17861-6", name="Calcium", unit="mg/dL", low=8.6, high=10.3, usual=9.4, digits=1),
    Measure(loinc="2345-7", name="Glucose", unit="mg/dL", low=70, high=99, usual=94, digits=0, dip=0.15),
    Measure(loinc="4548-4", name="Hemoglobin A1c", unit="%", low=4.0, high=5.6, usual=5.4, digits=1),
    Measure(loinc="3016-3", name="Thyrotropin (TSH)", unit="m[IU]/L", low=0.4, high=4.5, usual=1.9, digits=2),
    Measure(loinc="6875-9", name="Cancer Ag 15-3", unit="U/mL", low=None, high=30, usual=24, digits=0, dip=-0.2),
)  # fmt: skip

DOCUMENTS = (
    (4, "Visit with Dr. Raman", "11506-3", "Progress note", "Priya Raman, MD"),
    (6, "Complete blood count", "11502-2", "Laboratory report", "Front Range Reference Lab"),
    (20, "Infusion summary, cycle 6 of 8", "18776-5", "Treatment plan", "Infusion center"),
    (25, "CT chest, abdomen and pelvis", "18748-4", "Diagnostic imaging study", "Front Range Imaging"),
    (32, "Heart ultrasound (echocardiogram)", "18745-0", "Cardiac study", "Denver Heart Group"),
    (48, "Treatment plan, updated", "18776-5", "Treatment plan", "Priya Raman, MD"),
    (63, "Infusion summary, cycle 4 of 8", "18776-5", "Treatment plan", "Infusion center"),
    (84, "Nausea: what helps", "69730-0", "Instructions", "Nora Lindqvist, RN"),
    (105, "Consent to treatment", "59284-0", "Consent", "Priya Raman, MD"),
    (128, "Port placement", "11504-8", "Surgical note", "Mile High Surgery"),
    (150, "Pathology report", "11526-1", "Pathology study", "Front Range Reference Lab"),
    (162, "First visit with Dr. Raman", "11488-4", "Consult note", "Priya Raman, MD"),
    (371, "Yearly check-up", "11506-3", "Progress note", "Juniper Primary Care"),
    (735, "Mammogram", "18748-4", "Diagnostic imaging study", "Front Range Imaging"),
)  # fmt: skip


def bundle(person: Person, *, now: datetime) -> bytes:
    """A person's chart as one FHIR transaction bundle."""
    chance = random.Random(person.mrn)  # noqa: S311  (the same chart each time, and no secret)
    patient = _patient(person)
    long = person.chart == "rosa"
    measures, days = (MEASURES, DAYS_AGO) if long else (MEASURES[:6], DAYS_AGO[:3])
    resources: list[dict[str, Any]] = [patient]
    for number, ago in enumerate(days):
        at = (now - timedelta(days=ago)).replace(hour=15, minute=10 + number, second=0)
        depth = math.sin(math.pi * min(max(number - 2, 0), 7) / 8) if long else 0
        resources += [
            _measured(person, measure, at, depth=depth, chance=chance, newest=ago == days[-1])
            for measure in measures
        ]
    if long:
        resources += _others(person, now)
        resources += [
            _document(person, document, now - timedelta(days=document[0])) for document in DOCUMENTS
        ]
    entries = [
        {
            "fullUrl": f"urn:uuid:{resource['id']}",
            "resource": resource,
            "request": {"method": "POST", "url": resource["resourceType"]},
        }
        for resource in resources
    ]
    whole = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    return json.dumps(whole).encode()


def _id(person: Person, *parts: object) -> str:
    return str(uuid5(NAMESPACE, "/".join([person.mrn, *map(str, parts)])))


def _subject(person: Person) -> dict[str, str]:
    return {"reference": f"urn:uuid:{_id(person, 'patient')}"}


def _patient(person: Person) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": _id(person, "patient"),
        "identifier": [
            {
                "type": {"coding": [{"code": "MR"}]},
                "system": "urn:carespace:demo",
                "value": person.mrn,
            }
        ],
        "name": [{"use": "official", "family": person.family, "given": [person.given]}],
        "birthDate": person.birth_date.isoformat(),
    }


def _observation(person: Person, loinc: str, name: str, at: datetime) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": _id(person, loinc, at.date()),
        "identifier": [{"system": "urn:carespace:demo", "value": _id(person, loinc, at.date())}],
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "laboratory",
                    }
                ]
            }
        ],
        "code": {
            "coding": [{"system": "http://loinc.org", "code": loinc, "display": name}],
            "text": name,
        },
        "subject": _subject(person),
        "effectiveDateTime": at.astimezone(UTC).isoformat(),
        "issued": (at + timedelta(hours=5)).astimezone(UTC).isoformat(),
        "performer": [{"display": "Front Range Reference Lab, Denver"}],
    }


def _measured(  # noqa: PLR0913
    person: Person,
    measure: Measure,
    at: datetime,
    *,
    depth: float,
    chance: random.Random,
    newest: bool,
) -> dict[str, Any]:
    value = measure.usual * (1 + measure.dip * depth + chance.uniform(-0.03, 0.03))
    observation = _observation(person, measure.loinc, measure.name, at)
    if newest and measure.loinc == "3016-3":
        observation["status"] = "preliminary"
    ends = {
        end: {"value": limit, "unit": measure.unit}
        for end, limit in (("low", measure.low), ("high", measure.high))
        if limit is not None
    }
    return observation | {
        "valueQuantity": {
            "value": round(value, measure.digits) if measure.digits else round(value),
            "unit": measure.unit,
            "system": "http://unitsofmeasure.org",
            "code": measure.unit,
        },
        "referenceRange": [ends],
    }


def _others(person: Person, now: datetime) -> list[dict[str, Any]]:
    """What is not a plain number: a bound, a word, a code."""
    troponin = _observation(person, "89579-7", "Troponin I, high sensitivity", now - timedelta(6))
    troponin["valueQuantity"] = {"value": 2.5, "comparator": "<", "unit": "ng/L"}
    troponin["referenceRange"] = [{"high": {"value": 14, "unit": "ng/L"}}]
    culture = _observation(person, "630-4", "Urine culture", now - timedelta(42))
    culture["valueString"] = "No growth after 48 hours."
    blood = _observation(person, "883-9", "Blood group", now - timedelta(128))
    blood["valueCodeableConcept"] = {"text": "A positive"}
    return [troponin, culture, blood]


def _document(
    person: Person, document: tuple[int, str, str, str, str], at: datetime
) -> dict[str, Any]:
    _, title, loinc, kind, author = document
    content = pdf(
        title,
        [
            f"{person.given} {person.family}, born {person.birth_date:%d %B %Y}",
            f"{author}, {at:%d %B %Y}",
            (
                "This is a made-up document of CareSpace's demo data. It is about nobody, and it is "
                "here so that there is something to open, to download and to send."
            ),
        ],
    )
    return {
        "resourceType": "DocumentReference",
        "id": _id(person, "document", title),
        "identifier": [{"system": "urn:carespace:demo", "value": _id(person, "document", title)}],
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": loinc, "display": kind}]},
        "subject": _subject(person),
        "date": at.astimezone(UTC).isoformat(),
        "author": [{"display": author}],
        "description": title,
        "content": [
            {
                "attachment": {
                    "contentType": "application/pdf",
                    "title": title,
                    "data": base64.b64encode(content).decode(),
                }
            }
        ],
    }
