"""Documents inside a field: what is declared of them, and what they really are."""

import binascii
import re
from dataclasses import dataclass

from services.records.domain.found import Reason
from services.records.formats.hl7v2.encoding import Encoding
from services.records.formats.hl7v2.segments import Fields

UTF8_TEXT = "text/plain; charset=utf-8"
"""The type of text that this reader has decoded and encoded itself."""

DOCUMENT_TYPES = frozenset({"ED", "RP"})
_POINTER = "RP"
_FIRST_ENCODING, _LAST_ENCODING = 1, 5
_ENCODINGS = {"base64": "base64", "b64": "base64", "hex": "hex", "a": "text", "ascii": "text"}
_SNIFFED = 1024
_MAGIC = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), media_type)
    for pattern, media_type in (
        (rb".{0,1000}?%PDF-", "application/pdf"),
        (rb"\x89PNG\r\n\x1a\n", "image/png"),
        (rb"\xff\xd8\xff", "image/jpeg"),
        (rb"GIF8[79]a", "image/gif"),
        (rb"II\*\x00|MM\x00\*", "image/tiff"),
        (rb"RIFF.{4}WEBP", "image/webp"),
        (rb"\{\\rtf", "application/rtf"),
        (rb"PK\x03\x04", "application/zip"),
        (rb".{128}DICM", "application/dicom"),
        (rb"[^\x00]{0,500}?<(?:!doctype\s+html|html|head|body)\b", "text/html"),
        (rb"\s*<(?:\?xml|(?:\w{1,20}:)?ClinicalDocument)\b", "text/xml"),
    )
)
_BASE64_MAGIC = ("JVBERi0", "/9j/", "iVBORw0K", "R0lGOD", "SUkqA", "TU0AK", "e1xydG", "UEsDB")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]*+[=\s]*+", re.ASCII)
_DECLARED = (
    (re.compile(r"pdf"), "application/pdf"),
    (re.compile(r"x?html?"), "text/html"),
    (re.compile(r"jpe?g"), "image/jpeg"),
    (re.compile(r"png"), "image/png"),
    (re.compile(r"gif"), "image/gif"),
    (re.compile(r"tiff?"), "image/tiff"),
    (re.compile(r"rtf"), "application/rtf"),
    (re.compile(r"xml|cda"), "text/xml"),
    (re.compile(r"plain|text|txt|tx|ft"), "text/plain"),
    (re.compile(r"dicom"), "application/dicom"),
)
_WORDS = re.compile(r"[a-z0-9]+")
_TEXT_TYPES = frozenset({"text/plain", "text/html", "text/xml"})
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """A document's bytes, and the type that fits both them and what was declared."""

    media_type: str
    data: bytes


def is_document(value_type: str, fields: Fields) -> bool:
    """Whether an OBX carries a document: by its type, or as base64 put into a text field."""
    return value_type in DOCUMENT_TYPES or fields.raw(5).startswith(_BASE64_MAGIC[0])


def content(value_type: str, fields: Fields) -> Content | Reason:
    """The document in OBX-5, or why there is none."""
    if value_type == _POINTER:
        return Reason.CONTENT_ELSEWHERE
    encoding = fields.encoding
    declared, how, written = _dissected(fields.raw(5), encoding)
    if not how:
        how = "base64" if written.startswith(_BASE64_MAGIC) else "text"
    if how == "text":
        data = fields.text(written).strip().encode()
        media_type = _media_type(declared, data)
        media_type = UTF8_TEXT if media_type == "text/plain" else media_type
    else:
        decoded = _decoded(how, written, encoding)
        if decoded is None:
            return Reason.BAD_CONTENT
        data = decoded
        media_type = _media_type(declared, data)
    return Content(media_type=media_type, data=data) if data else Reason.NO_CONTENT


def _dissected(value: str, encoding: Encoding) -> tuple[str, str, str]:
    """What ED declares of itself, its encoding, and the rest: `source^TYPE^subtype^Base64^data`.

    The parts before the encoding are often one too few, so it is the encoding that is looked for.
    """
    parts = value.split(encoding.component, _LAST_ENCODING) if encoding.component else [value]
    for place in range(_FIRST_ENCODING, min(len(parts), _LAST_ENCODING)):
        how = _ENCODINGS.get(parts[place].strip().lower())
        if how:
            rest = (encoding.component or "").join(parts[place + 1 :])
            return " ".join(parts[:place]).lower(), how, rest
    if len(parts) >= _LAST_ENCODING:
        return " ".join(parts[:3]).lower(), "", (encoding.component or "").join(parts[4:])
    return " ".join(parts[:-1]).lower(), "", parts[-1]


def _decoded(how: str, written: str, encoding: Encoding) -> bytes | None:
    escape = re.escape(encoding.escape)
    if encoding.escape and encoding.escape in written:
        line_end = re.compile(f"{escape}(?:\\.br|X(?:0[ad]){{1,2}}){escape}", re.IGNORECASE)
        written = line_end.sub("", written)
    if encoding.repetition:
        written = written.replace(encoding.repetition, "")
    if written.startswith("data:"):
        written = written.partition(",")[2]
    try:
        if how == "hex":
            return bytes.fromhex(written)
        return _from_base64(written) if _BASE64.fullmatch(written) else None
    except ValueError:
        return None


def _from_base64(written: str) -> bytes:
    try:
        return binascii.a2b_base64(written)
    except binascii.Error:
        return binascii.a2b_base64(f"{written}==")


def _media_type(declared: str, data: bytes) -> str:
    """What the bytes say; among kinds of text, what was declared."""
    seen = _sniffed(data)
    named = next(
        (
            media_type
            for word in reversed(_WORDS.findall(declared))
            for pattern, media_type in _DECLARED
            if pattern.fullmatch(word)
        ),
        "",
    )
    if seen in _TEXT_TYPES:
        return named if seen == "text/plain" and named in _TEXT_TYPES else seen
    return seen or "application/octet-stream"


def _sniffed(data: bytes) -> str:
    """The type that a document's first bytes show; "" for bytes that are no text either."""
    head = data[:_SNIFFED]
    shown = next((media_type for magic, media_type in _MAGIC if magic.match(head)), "")
    if shown or _CONTROLS.search(head):
        return shown
    return "text/plain"
