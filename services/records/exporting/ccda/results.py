"""The Results section: a table to read, and an entry for each result."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from uuid import uuid5

from libs.contracts.records.health import Flag, Status
from services.records.domain.carried import carried
from services.records.domain.chart import Chart, Measured
from services.records.domain.result import LOINC, Precision
from services.records.exporting import words
from services.records.exporting.ccda import terms
from services.records.exporting.ccda.body import paragraphs
from services.records.exporting.ccda.terms import loinc, template, unknown
from services.records.exporting.ccda.values import before, exact, unit_beside, value
from services.records.exporting.pieces import Pieces
from services.records.exporting.xml_writing import element, text

FLAGS = {
    Flag.LOW: "L",
    Flag.HIGH: "H",
    Flag.VERY_LOW: "LL",
    Flag.VERY_HIGH: "HH",
    Flag.ABNORMAL: "A",
    Flag.NORMAL: "N",
}
STATUS = {Status.PRELIMINARY: "active", Status.CANCELLED: "cancelled"}
"""HL7's ActStatus; what it has no word for is `completed`, and said in words beside it."""
IN_WORDS = {Status.CORRECTED: "corrected", Status.UNKNOWN: "unknown"}
_UID = re.compile(
    r"[0-2](\.(0|[1-9]\d*))+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[A-Za-z][A-Za-z0-9-]*",
    re.ASCII,
)


def section(chart: Chart) -> Pieces:
    """The section; one without results says so."""
    yield b"<component><section>" if chart.results else b'<component><section nullFlavor="NI">'
    yield "".join(
        [
            template("2.16.840.1.113883.10.20.22.2.3.1", "2015-08-01"),
            loinc("30954-2", "Relevant diagnostic tests and/or laboratory data"),
            element("title", "Results"),
        ]
    ).encode()
    if not chart.results:
        yield b"<text><paragraph>No results of these dates.</paragraph></text>"
    else:
        yield b"<text>" + _table(chart).encode() + b"</text>"
    for organizer in _organizers(chart):
        yield organizer.encode()
    yield b"</section></component>"


def _table(chart: Chart) -> str:
    heads = ("Test", "Result", "Range", "Flag", "Collected", "Laboratory")
    rows = [
        element(
            "tr",
            element("td", text(one.name)),
            element("td", paragraphs(words.value(one)), *_earlier(one, chart)),
            element("td", text(one.range_text)),
            element("td", text(", ".join(filter(None, (words.flag(one), words.standing(one)))))),
            element("td", text(words.collected(one, chart.zone))),
            element("td", text(one.performer)),
            ID=f"result-{one.id}",
        )
        + _remark(one)
        for one in chart.results
    ]
    head = element("thead", element("tr", *(element("th", title) for title in heads)))
    return element("table", head, element("tbody", *rows))


def _earlier(one: Measured, chart: Chart) -> list[str]:
    return [f"<br/>Was {text(was)}" for was in words.before(one, chart.zone)]


def _remark(one: Measured) -> str:
    if not one.comment:
        return ""
    said = element("td", paragraphs(one.comment), colspan="6")
    return element("tr", said, ID=f"comment-{one.id}")


def _organizers(chart: Chart) -> Iterator[str]:
    """The results of one laboratory at one time, together."""

    def together(one: Measured) -> tuple[str, str]:
        return str(one.collected_at or ""), one.performer

    for _, group in groupby(sorted(chart.results, key=together), key=together):
        results = list(group)
        number = uuid5(chart.person.patient_id, f"panel {together(results[0])}")
        yield element(
            "entry",
            element(
                "organizer",
                template("2.16.840.1.113883.10.20.22.4.1", "2015-08-01"),
                terms.identity(number),
                loinc("11502-2", "Laboratory report"),
                element("statusCode", code=_together(results)),
                *(element("component", _observation(one)) for one in results),
                classCode="BATTERY",
                moodCode="EVN",
            ),
            typeCode="DRIV",
        )


def _together(results: Iterable[Measured]) -> str:
    """A report is as finished as the least finished of its results."""
    found = {STATUS.get(one.status, "completed") for one in results}
    return next(status for status in ("active", "completed", "cancelled") if status in found)


def _observation(one: Measured) -> str:
    flag = FLAGS.get(one.flag)
    return element(
        "observation",
        template("2.16.840.1.113883.10.20.22.4.2", "2015-08-01"),
        terms.identity(one.id),
        _code(one),
        element("text", element("reference", value=f"#result-{one.id}")),
        element("statusCode", code=STATUS.get(one.status, "completed")),
        _time(one),
        value(one),
        element("interpretationCode", code=flag, codeSystem=terms.INTERPRETATION) if flag else "",
        _specimen(one),
        _performer(one),
        _orderer(one),
        _said_beside(one),
        _range(one),
        classCode="OBS",
        moodCode="EVN",
    )


def _code(one: Measured) -> str:
    if one.system == "text":
        return element("code", element("originalText", text(one.code)), nullFlavor="UNK")
    if one.system == LOINC and not re.search(r"\s", one.code):
        return loinc(one.code, one.name)
    system, code = one.system, one.code
    plain = system.removeprefix("urn:oid:").removeprefix("urn:uuid:")
    if not system or _UID.fullmatch(plain):
        known, address = plain or None, None
    else:
        known, address = None, system
    if re.search(r"\s", code) or (address and not re.fullmatch(r"[a-z][a-z0-9+.-]*:\S+", address)):
        address, code = carried(system, code)
        known = None
    return element(
        "code", code=code, codeSystem=known, codeSystemName=address, displayName=one.name
    )


def _time(one: Measured) -> str:
    if one.collected_at is None:
        return unknown("effectiveTime")
    at = terms.time(one.collected_at, Precision(one.precision.value), zoned=one.zoned)
    return element("effectiveTime", value=at)


def _specimen(one: Measured) -> str:
    if not one.specimen:
        return ""
    entity = element("specimenPlayingEntity", element("name", text(one.specimen)))
    return element("specimen", element("specimenRole", entity))


def _performer(one: Measured) -> str:
    if not one.performer:
        return ""
    organization = element("representedOrganization", element("name", text(one.performer)))
    return element("performer", element("assignedEntity", unknown("id"), organization))


def _orderer(one: Measured) -> str:
    if not one.orderer:
        return ""
    entity = element("playingEntity", element("name", text(one.orderer)))
    role = element("participantRole", entity)
    return element("participant", role, typeCode="REF")


def _said_beside(one: Measured) -> str:
    """What hangs on a result: a comment, the unit of a text, a status that HL7 has not, and what it
    said before.
    """
    beside = unit_beside(one)
    if one.comment:
        comment = element(
            "act",
            template("2.16.840.1.113883.10.20.22.4.64"),
            loinc("48767-8", "Annotation comment"),
            exact("text", one.comment, beside=element("reference", value=f"#comment-{one.id}")),
            classCode="ACT",
            moodCode="EVN",
        )
        beside += element("entryRelationship", comment, typeCode="SUBJ")
    if said := IN_WORDS.get(one.status):
        status = element(
            "observation",
            loinc("33999-4", "Status"),
            element("statusCode", code="completed"),
            element("value", said, xsi_type="ST"),
            classCode="OBS",
            moodCode="EVN",
        )
        beside += element("entryRelationship", status, typeCode="REFR")
    return beside + "".join(before(was, _code(one)) for was in one.before)


def _range(one: Measured) -> str:
    low, high = one.range_low, one.range_high
    if not one.range_text and low is None and high is None:
        return ""
    unit = one.unit if one.unit and not re.search(r"\s", one.unit) else None
    ends = "".join(
        element(name, value=format(end, "f"), unit=unit)
        for name, end in (("low", low), ("high", high))
        if end is not None
    )
    told = text(one.range_text)
    return element(
        "referenceRange",
        element(
            "observationRange",
            element("text", told) if told else "",
            element("value", ends, xsi_type="IVL_PQ")
            if ends
            else element("value", told, xsi_type="ST"),
        ),
    )
