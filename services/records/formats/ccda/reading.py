"""Reads a clinical document: whom it is about, its results, and itself."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from services.records.domain.found import Document, Found, LeftOut
from services.records.formats.ccda import moments
from services.records.formats.ccda.body import Embedded, Missing, embedded
from services.records.formats.ccda.header import Header, header
from services.records.formats.ccda.narrative import Narrative
from services.records.formats.ccda.notes import notes
from services.records.formats.ccda.observation import source_id
from services.records.formats.ccda.results import results
from services.records.formats.ccda.tree import MAX_BYTES, parse

MEDIA_TYPE = "application/cda+xml"


def read(source: BinaryIO) -> Iterator[Found]:
    """Everything in a clinical document that the portal keeps, and a word on all that it doesn't.

    The document itself is a `Document` of its original bytes; the file inside an unstructured one
    is another. A file is read whole before anything of it is given out.
    """
    data = source.read(MAX_BYTES + 1)
    root = parse(data)
    about = header(root)
    yield from about.patients
    # A document about several people says of none of its results whose they are.
    patient_key = about.patients[0].key if len(about.patients) == 1 else ""
    document = _document(about, data, patient_key)
    yield document
    match embedded(root):
        case Embedded(media_type, content):
            yield _inside(document, media_type, content)
        case Missing(media_type, reason):
            what = f"File ({media_type or 'of unknown type'})"
            yield LeftOut(reason=reason, what=what, where="nonXMLBody")
        case None:
            pass
    yield from notes(root, patient_key=patient_key)
    yield from results(
        root, Narrative(root), patient_key=patient_key, document_set=about.set_identity
    )


def _document(about: Header, data: bytes, patient_key: str) -> Document:
    """The document as it came. An id that several documents share doesn't make them one."""
    return Document(
        source_id=source_id(about.identity, hashlib.sha256(data).hexdigest()),
        patient_key=patient_key,
        title=about.title,
        media_type=MEDIA_TYPE,
        content=data,
        kind=about.kind,
        kind_code=about.kind_code,
        dated=moments.moment(about.written),
        author=about.author,
        replaces=source_id(about.replaces) if about.replaces else "",
        known_as=source_id(about.identity) if about.identity else "",
    )


def _inside(document: Document, media_type: str, content: bytes) -> Document:
    """The file inside a document: the same in everything but what it is and how it is named."""

    def inner(outer: str) -> str:
        return source_id(outer, "nonXMLBody") if outer else ""

    return replace(
        document,
        source_id=inner(document.source_id),
        media_type=media_type,
        content=content,
        replaces=inner(document.replaces),
        known_as=inner(document.known_as),
    )
