"""Whom the document is about, who made it and who keeps it."""

from uuid import uuid5

from services.records.domain.chart import Chart
from services.records.exporting import words
from services.records.exporting.ccda import terms
from services.records.exporting.ccda.terms import template, unknown
from services.records.exporting.xml_writing import element, text


def header(chart: Chart) -> str:
    """Everything before the body."""
    name = f"made {chart.made_at.isoformat()} {sorted(chart.selection.kinds)} {chart.selection}"
    made = terms.stamp(chart.made_at)
    return "".join(
        [
            element("realmCode", code="US"),
            element("typeId", root="2.16.840.1.113883.1.3", extension="POCD_HD000040"),
            template("2.16.840.1.113883.10.20.22.1.1", "2015-08-01"),
            template("2.16.840.1.113883.10.20.22.1.2", "2015-08-01"),
            terms.identity(uuid5(chart.person.patient_id, name)),
            terms.loinc("34133-9", "Summarization of Episode Note"),
            element("title", text(f"Health record of {words.person(chart)}")),
            element("effectiveTime", value=made),
            element("confidentialityCode", code="N", codeSystem=terms.CONFIDENTIALITY),
            element("languageCode", code="en-US"),
            element("recordTarget", _patient(chart)),
            element("author", element("time", value=made), _author(chart)),
            element("custodian", element("assignedCustodian", _custodian(chart))),
            element("documentationOf", _care(chart)),
        ]
    )


def _patient(chart: Chart) -> str:
    person = chart.person
    number = (
        element("id", root=str(person.practice_id).upper(), extension=person.mrn)
        if person.mrn
        else terms.identity(person.patient_id)
    )
    name = element(
        "name",
        element("given", text(person.given)),
        element("family", text(person.family)),
        use="L",
    )
    patient = element(
        "patient",
        name,
        unknown("administrativeGenderCode"),
        element("birthTime", value=terms.day(person.birth_date)),
        unknown("raceCode"),
        unknown("ethnicGroupCode"),
    )
    return element("patientRole", number, unknown("addr"), unknown("telecom"), patient)


def _author(chart: Chart) -> str:
    device = element(
        "assignedAuthoringDevice",
        element("manufacturerModelName", "CareSpace"),
        element("softwareName", "CareSpace"),
    )
    return element(
        "assignedAuthor",
        terms.identity(chart.practice.practice_id),
        unknown("addr"),
        _telecom(chart),
        device,
        element("representedOrganization", element("name", text(chart.practice.name))),
    )


def _telecom(chart: Chart) -> str:
    phone = "".join(one for one in chart.practice.phone if one.isdigit() or one == "+")
    return element("telecom", use="WP", value=f"tel:{phone}") if phone else unknown("telecom")


def _custodian(chart: Chart) -> str:
    return element(
        "representedCustodianOrganization",
        terms.identity(chart.practice.practice_id),
        element("name", text(chart.practice.name)),
        _telecom(chart),
        unknown("addr"),
    )


def _care(chart: Chart) -> str:
    """The time that the document is about."""
    selection = chart.selection
    low = element("low", value=terms.day(selection.start)) if selection.start else unknown("low")
    high = terms.day(selection.end or chart.made_at.astimezone(chart.zone).date())
    return element(
        "serviceEvent",
        element("effectiveTime", low, element("high", value=high)),
        classCode="PCPR",
    )
