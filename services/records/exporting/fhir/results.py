"""Results as Observations, and the reports that they came in."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Final
from uuid import uuid5

from libs.contracts.records.health import Flag, Status
from libs.contracts.records.moments import Precision
from services.records.domain.carried import carried
from services.records.domain.chart import Chart, Measured
from services.records.domain.result import LOINC, Before
from services.records.exporting.fhir import values
from services.records.exporting.fhir.terms import (
    US_CORE,
    Resource,
    called,
    coded,
    instant,
    numbered,
    refers,
)
from services.records.formats.fhir.before import BEFORE
from services.records.formats.fhir.moments import UNZONED

ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_CODE: Final = re.compile(r"\S+(?:\s\S+)*")
_FLAGS: Final = {
    Flag.LOW: "L",
    Flag.HIGH: "H",
    Flag.VERY_LOW: "LL",
    Flag.VERY_HIGH: "HH",
    Flag.ABNORMAL: "A",
    Flag.NORMAL: "N",
}


def observation(one: Measured, chart: Chart) -> Resource:
    """A result; its id is the one that it has everywhere."""
    flag = _FLAGS.get(one.flag)
    band = values.band(one)
    return {
        "resourceType": "Observation",
        "id": str(one.id),
        "meta": {"profile": [f"{US_CORE}observation-lab"] if _is_to_the_day(one) else []},
        "extension": [*values.unit_of_text(one), *map(_before, one.before)],
        "identifier": [numbered(one.id)],
        "status": one.status.value,
        "category": [{"coding": [coded("observation-category", "laboratory", "Laboratory")]}],
        "code": _code(one),
        "subject": refers("Patient", chart.person.patient_id),
        **_effective(one),
        "issued": instant(one.issued_at) if one.issued_at and one.collected_at else None,
        "performer": called(one.performer),
        **values.value(one),
        "interpretation": [{"coding": [coded("v3-ObservationInterpretation", flag)]}]
        if flag
        else [],
        "note": [{"text": one.comment}] if one.comment else [],
        "specimen": {"display": one.specimen} if one.specimen else None,
        "basedOn": called(one.orderer),
        "referenceRange": [band] if band else [],
    }


def reports(chart: Chart) -> Iterator[Resource]:
    """The results of one laboratory at one time, together."""

    def together(one: Measured) -> tuple[str, str]:
        return str(one.collected_at or ""), one.performer

    for _, group in groupby(sorted(chart.results, key=together), key=together):
        results = list(group)
        first = results[0]
        yield {
            "resourceType": "DiagnosticReport",
            "id": str(uuid5(chart.person.patient_id, f"report {together(first)}")),
            "meta": {"profile": [f"{US_CORE}diagnosticreport-lab"]},
            "status": _report_status(results),
            "category": [{"coding": [coded("v2-0074", "LAB", "Laboratory")]}],
            "code": {
                "coding": [{"system": LOINC, "code": "11502-2", "display": "Laboratory report"}]
            },
            "subject": refers("Patient", chart.person.patient_id),
            **_effective(first),
            "issued": instant(max(one.issued_at or chart.made_at for one in results)),
            "performer": called(first.performer),
            "result": [refers("Observation", one.id) for one in results],
        }


def _before(was: Before) -> Resource:
    parts = [
        {"url": "value", "valueString": was.value},
        {"url": "unit", "valueString": was.unit},
        {"url": "corrected", "valueInstant": instant(was.corrected_at)},
    ]
    return {"url": BEFORE, "extension": [part for part in parts if all(part.values())]}


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


def _report_status(results: Iterable[Measured]) -> str:
    found = {one.status for one in results}
    for status in (Status.PRELIMINARY, Status.CORRECTED, Status.FINAL, Status.CANCELLED):
        if status in found:
            return status.value
    return "unknown"
