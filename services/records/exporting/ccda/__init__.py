"""A chart as a C-CDA R2.1 Continuity of Care Document.

What the standard has no place for travels in forms that our own reader knows, and others show: see
`services.records.formats.ccda`.
"""

from collections.abc import Mapping
from uuid import UUID

from services.records.domain.chart import Chart
from services.records.exporting.ccda import body, header, notes, results
from services.records.exporting.pieces import Pieces

MEDIA_TYPE = "application/cda+xml"


def document(chart: Chart, paths: Mapping[UUID, str] | None = None) -> Pieces:
    """The document; with paths, other documents are named by where they lie, not put into it."""
    yield (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc"'
        b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    )
    yield header.header(chart).encode()
    yield b"<component><structuredBody>"
    for section in body.NOT_KEPT:
        yield body.empty(section).encode()
    yield from results.section(chart)
    if chart.documents:
        yield from notes.section(chart, paths)
    if chart.messages:
        yield body.messages(chart).encode()
    yield b"</structuredBody></component></ClinicalDocument>\n"
