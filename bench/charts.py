"""The charts that are measured with: FHIR bundles, the same each time."""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from deploy.demo.chart import MEASURES
from deploy.demo.paper import pdf

FIRST_DAY = datetime(2024, 1, 8, 15, 10, tzinfo=UTC)
MORE_TESTS = (("2028-9", "Carbon dioxide", "mmol/L"), ("2885-2", "Protein", "g/dL"))
TESTS = [(m.loinc, m.name, m.unit, m.low, m.high, m.usual) for m in MEASURES] + [
    (loinc, name, unit, 5.0, 30.0, 20.0) for loinc, name, unit in MORE_TESTS
]
"""Twenty-five."""
BORN = date(1961, 4, 12)


@dataclass(frozen=True, kw_only=True)
class Someone:
    """A patient to measure with."""

    number: int

    @property
    def family(self) -> str:
        return f"Bench{self.number:04}"

    @property
    def email(self) -> str:
        return f"patient{self.number}@bench.example.com"

    @property
    def mrn(self) -> str:
        return f"B-{self.number:05}"


def bundle(people: Iterable[Someone], *, dates: int, documents: int) -> Iterator[bytes]:
    """A transaction bundle with everyone's chart, in pieces, so that it may be of any size."""
    return written(one for who in people for one in _resources(who, dates, documents))


def written(resources: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """These resources as a transaction bundle, piece by piece."""
    before = b'{"resourceType":"Bundle","type":"transaction","entry":['
    for resource in resources:
        entry = {
            "fullUrl": f"urn:uuid:{resource['id']}",
            "resource": resource,
            "request": {"method": "POST", "url": resource["resourceType"]},
        }
        yield before + json.dumps(entry).encode()
        before = b","
    yield b"]}"


def _resources(who: Someone, dates: int, documents: int) -> Iterator[dict[str, Any]]:
    yield person(who)
    for number in range(dates):
        at = FIRST_DAY + timedelta(days=21 * number)
        for place, test in enumerate(TESTS):
            yield _observation(who, test, at, place + number + who.number)
    for number in range(documents):
        title = f"Visit {number + 1}"
        yield document(who, number, title, pdf(title, [f"About {who.family}."]))


def person(who: Someone) -> dict[str, Any]:
    """Whose chart it is."""
    return {
        "resourceType": "Patient",
        "id": _id(who, "patient"),
        "identifier": [
            {
                "type": {"coding": [{"code": "MR"}]},
                "system": "urn:carespace:bench",
                "value": who.mrn,
            }
        ],
        "name": [{"use": "official", "family": who.family, "given": ["Rosa"]}],
        "birthDate": BORN.isoformat(),
    }


def _observation(
    who: Someone,
    test: tuple[str, str, str, float | None, float | None, float],
    at: datetime,
    chance: int,
) -> dict[str, Any]:
    loinc, name, unit, low, high, usual = test
    ends = {
        end: {"value": limit, "unit": unit}
        for end, limit in (("low", low), ("high", high))
        if limit is not None
    }
    one = _id(who, loinc, at.isoformat())
    return {
        "resourceType": "Observation",
        "id": one,
        "identifier": [{"system": "urn:carespace:bench", "value": one}],
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {
            "coding": [{"system": "http://loinc.org", "code": loinc, "display": name}],
            "text": name,
        },
        "subject": {"reference": f"urn:uuid:{_id(who, 'patient')}"},
        "effectiveDateTime": at.isoformat(),
        "issued": (at + timedelta(hours=5)).isoformat(),
        "performer": [{"display": "Front Range Reference Lab, Denver"}],
        "valueQuantity": {
            "value": round(usual * (0.8 + chance % 9 / 20), 2),
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
        "referenceRange": [ends],
    }


def document(who: Someone, number: int, title: str, content: bytes) -> dict[str, Any]:
    """A PDF of theirs; another number is another document, a month later."""
    one = _id(who, "document", number)
    attachment = {
        "contentType": "application/pdf",
        "title": title,
        "data": base64.b64encode(content).decode(),
    }
    return {
        "resourceType": "DocumentReference",
        "id": one,
        "identifier": [{"system": "urn:carespace:bench", "value": one}],
        "status": "current",
        "type": {
            "coding": [
                {"system": "http://loinc.org", "code": "11506-3", "display": "Progress note"}
            ]
        },
        "subject": {"reference": f"urn:uuid:{_id(who, 'patient')}"},
        "date": (FIRST_DAY + timedelta(days=30 * number)).isoformat(),
        "author": [{"display": "Priya Raman, MD"}],
        "description": title,
        "content": [{"attachment": attachment}],
    }


def _id(who: Someone, *parts: object) -> str:
    return str(uuid5(NAMESPACE_URL, "/".join([who.mrn, *map(str, parts)])))
