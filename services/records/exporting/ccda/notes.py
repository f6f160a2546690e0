"""The Notes section: every document as a Note Activity, with its content in it or beside it."""

from collections.abc import Mapping
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

from services.records.domain.chart import Chart
from services.records.domain.document import Document
from services.records.domain.result import Precision
from services.records.exporting import words
from services.records.exporting.ccda import terms
from services.records.exporting.ccda.terms import loinc, template, unknown
from services.records.exporting.pieces import Base64, Pieces
from services.records.exporting.xml_writing import element, text


def section(chart: Chart, paths: Mapping[UUID, str] | None) -> Pieces:
    """The documents as a list to read, and as entries."""
    yield b"<component><section>"
    yield template("2.16.840.1.113883.10.20.22.2.65", "2016-11-01").encode()
    yield loinc("34109-9", "Note").encode()
    yield element("title", "Documents").encode()
    items = (
        element("item", _told(one, chart.zone, paths), ID=f"document-{one.id}")
        for one in chart.documents
    )
    yield element("text", element("list", *items)).encode()
    for document in chart.documents:
        yield from _entry(document, chart, paths)
    yield b"</section></component>"


def _told(one: Document, zone: ZoneInfo, paths: Mapping[UUID, str] | None) -> str:
    told = text(", ".join(filter(None, (one.title, one.kind, words.dated(one, zone), one.author))))
    return told if paths is None else element("linkHtml", told, href=quote(paths[one.id]))


def _entry(document: Document, chart: Chart, paths: Mapping[UUID, str] | None) -> Pieces:
    yield b'<entry><act classCode="ACT" moodCode="EVN">'
    yield template("2.16.840.1.113883.10.20.22.4.202", "2016-11-01").encode()
    yield terms.identity(document.id).encode()
    yield _code(document).encode()
    place = element("reference", value=f"#document-{document.id}")
    if paths is None:
        opening = element("text", "", mediaType=_media_type(document), representation="B64")
        yield opening.removesuffix("</text>").encode()
        yield Base64(document)
        yield place.encode() + b"</text>"
    else:
        yield element("text", place).encode()
    yield element("statusCode", code="completed").encode()
    yield _time(document).encode()
    yield _author(document, chart).encode()
    for earlier in chart.documents:
        if earlier.replaced_by == document.id:
            parent = element("externalDocument", terms.identity(earlier.id))
            yield element("reference", parent, typeCode="RPLC").encode()
    if paths is not None:
        yield _beside(document, paths[document.id]).encode()
    yield b"</act></entry>"


def _beside(document: Document, path: str) -> str:
    """The document in its own format, where it lies."""
    place = element("reference", value=quote(path))
    original = element(
        "externalDocument",
        terms.identity(document.id),
        element("text", place, mediaType=_media_type(document)),
    )
    return element("reference", original, typeCode="REFR")


def _media_type(document: Document) -> str:
    """The type with its parameters, as CDA has it: without a space."""
    return "".join(document.media_type.split())


def _code(document: Document) -> str:
    title = element("originalText", text(document.title))
    kind = ""
    if document.kind_code:
        kind = loinc(document.kind_code, document.kind, name="translation")
    elif document.kind:
        told = element("originalText", text(document.kind))
        kind = element("translation", told, nullFlavor="OTH")
    return loinc("34109-9", "Note", title, kind)


def _time(document: Document) -> str:
    if document.dated is None:
        return unknown("effectiveTime")
    if document.dated_at and document.precision is Precision.INSTANT:
        return element("effectiveTime", value=terms.stamp(document.dated_at))
    shapes = {Precision.YEAR: 4, Precision.MONTH: 6}
    at = terms.day(document.dated)[: shapes.get(document.precision, 8)]
    return element("effectiveTime", value=at)


def _author(document: Document, chart: Chart) -> str:
    at = element("time", value=terms.stamp(document.added_at))
    organization = element("representedOrganization", element("name", text(chart.practice.name)))
    person = ""
    if document.author:
        person = element("assignedPerson", element("name", text(document.author)))
    return element(
        "author",
        template("2.16.840.1.113883.10.20.22.4.119"),
        at,
        element("assignedAuthor", unknown("id"), person, organization),
    )
