"""Clinical documents as tests write them: one observation, one section, one header at a time."""

import io
from typing import TypeVar

from services.records.domain.found import Document, Found, LeftOut, Patient, Reason
from services.records.domain.result import Result
from services.records.formats.ccda import read

NAMESPACES = (
    'xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
RESULT = '<templateId root="2.16.840.1.113883.10.20.22.4.2"/>'
HEMOGLOBIN = '<code code="718-7" codeSystem="2.16.840.1.113883.6.1" displayName="Hemoglobin"/>'
LOW = '<value xsi:type="PQ" value="10.20" unit="g/dL"/>'
THEN = '<effectiveTime value="202403010930-0500"/>'
DONE = '<statusCode code="completed"/>'
RECORD_TARGET = """
<recordTarget><patientRole><id root="1.2.3" extension="MRN-7"/><patient>
  <name use="L"><given>Rosa</given><family>Alvarez</family></name>
  <administrativeGenderCode code="F"/><birthTime value="19610412"/>
</patient></patientRole></recordTarget>"""

Kind = TypeVar("Kind", Patient, Result, Document, LeftOut)


def observation(value: str = LOW, **said: str) -> str:
    """A hemoglobin of 10.20 g/dL, or whatever is said instead."""
    part = {
        "attributes": 'moodCode="EVN"',
        "templates": RESULT,
        "identity": '<id root="1.2.9" extension="a"/>',
        "code": HEMOGLOBIN,
        "status": DONE,
        "time": THEN,
        "more": "",
        **said,
    }
    assert len(part) == 7, "no other part is known"
    return (
        f'<observation classCode="OBS" {part["attributes"]}>{part["templates"]}{part["identity"]}'
        f"{part['code']}{part['status']}{part['time']}{value}{part['more']}</observation>"
    )


def panel(*observations: str, about: str = "") -> str:
    """An entry with a panel of observations."""
    components = "".join(f"<component>{one}</component>" for one in observations)
    return f"<entry><organizer classCode='BATTERY'>{about}{components}</organizer></entry>"


def section(
    *entries: str,
    title: str = "Results",
    text: str = "",
    about: str = '<code code="30954-2" codeSystem="2.16.840.1.113883.6.1"/>',
) -> str:
    """A Results section, or another."""
    return (
        f"<component><section>{about}<title>{title}</title><text>{text}</text>"
        f"{''.join(entries)}</section></component>"
    )


def document(
    *sections: str, header: str = RECORD_TARGET, identity: str = "1", body: str = ""
) -> bytes:
    """A whole document, in UTF-8."""
    structured = f"<structuredBody>{''.join(sections)}</structuredBody>"
    return (
        f'<?xml version="1.0"?><ClinicalDocument {NAMESPACES}>'
        f'<id root="1.2.8" extension="{identity}"/>'
        '<code code="34133-9" codeSystem="2.16.840.1.113883.6.1" displayName="Summary"/>'
        '<title>Patient Chart</title><effectiveTime value="20240302"/>'
        f"{header}<component>{body or structured}</component></ClinicalDocument>"
    ).encode()


def results_document(*observations: str, text: str = "", header: str = RECORD_TARGET) -> bytes:
    """A document whose Results section has one panel of these observations."""
    return document(section(panel(*observations), text=text), header=header)


def found_in(data: bytes) -> list[Found]:
    """Everything the reader finds."""
    return list(read(io.BytesIO(data)))


def every(kind: type[Kind], data: bytes) -> list[Kind]:
    """Everything of one kind that the reader finds."""
    return [one for one in found_in(data) if isinstance(one, kind)]


def only(kind: type[Kind], data: bytes) -> Kind:
    """The one thing of its kind that the reader finds."""
    (one,) = every(kind, data)
    return one


def result_of(value: str = LOW, *, text: str = "", **said: str) -> Result:
    """What one observation is read as."""
    return only(Result, results_document(observation(value, **said), text=text))


def reason_for(value: str = LOW, **said: str) -> Reason:
    """Why one observation is not taken."""
    data = results_document(observation(value, **said))
    assert not every(Result, data)
    return only(LeftOut, data).reason
