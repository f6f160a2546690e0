"""Reads a clinical document: whom it is about, its results, and itself."""

import hashlib
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from services.records.domain.found import Document, Found, LeftOut, Reason
from services.records.formats.ccda import moments
from services.records.formats.ccda.charset import PIECE
from services.records.formats.ccda.header import Header, header
from services.records.formats.ccda.narrative import Narrative, reference
from services.records.formats.ccda.observation import source_id
from services.records.formats.ccda.results import results
from services.records.formats.ccda.tree import MAX_BYTES, Element, attribute, first, parse

MEDIA_TYPE = "application/cda+xml"

_MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"{\\rtf", "application/rtf"),
)


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
    body = first(root, "component/nonXMLBody/text")
    if body is not None:
        yield _embedded(body, document)
    yield from results(
        root, Narrative(root), patient_key=patient_key, document_set=about.set_identity
    )


def _document(about: Header, data: bytes, patient_key: str) -> Document:
    """The document as it came. An id that several documents share doesn't make them one."""
    known_as = source_id(about.identity) if about.identity else ""
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
        known_as=known_as,
    )


def _embedded(body: Element, document: Document) -> Document | LeftOut:
    """The file that is the whole body of an unstructured document."""
    media_type = attribute(body, "mediaType").lower()
    left_out = LeftOut(
        reason=Reason.NO_CONTENT, what=f"File ({media_type or 'unknown type'})", where="nonXMLBody"
    )
    if attribute(body, "compression"):
        return replace(left_out, reason=Reason.NOT_SUPPORTED)
    if attribute(body, "representation").upper() == "B64":
        try:
            content = _decoded(body.text or "")
        except ValueError:
            return replace(left_out, reason=Reason.BAD_CONTENT)
    else:
        content = "".join(map(str, body.itertext())).strip().encode()
        media_type = media_type or "text/plain"
    if not content:
        elsewhere = bool(reference(body))
        return replace(left_out, reason=Reason.CONTENT_ELSEWHERE) if elsewhere else left_out
    return replace(
        document,
        source_id=_inside(document.source_id),
        media_type=media_type or _recognised(content),
        content=content,
        replaces=_inside(document.replaces),
        known_as=_inside(document.known_as),
    )


def _inside(document: str) -> str:
    return source_id(document, "nonXMLBody") if document else ""


def _decoded(text: str) -> bytes:
    content = bytearray()
    rest = ""
    for start in range(0, len(text), PIECE):
        letters = rest + "".join(text[start : start + PIECE].split())
        whole = len(letters) // 4 * 4
        content += b64decode(letters[:whole], validate=True)
        rest = letters[whole:]
    return bytes(content + b64decode(rest + "=" * (-len(rest) % 4), validate=True))


def _recognised(content: bytes) -> str:
    found = (media_type for magic, media_type in _MAGIC if content.startswith(magic))
    return next(found, "application/octet-stream")
