"""Which format a file is in: from its first bytes, then from what it is declared to be.

What the content shows counts. A declared media type that contradicts it makes the file unknown,
since one of the two is a mistake and nobody can tell which; a file name only ever breaks a tie.
"""

import codecs
import json
import re
from dataclasses import dataclass
from enum import StrEnum

HEAD = 16 * 1024
"""How much of a file's beginning tells what it is; give this much, or all there is."""


class Format(StrEnum):
    """The formats that there is a reader for."""

    FHIR = "fhir"
    FHIR_NDJSON = "fhir_ndjson"
    CCDA = "ccda"
    HL7V2 = "hl7v2"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recognised:
    """A file's format; for an unknown one a plain sentence says why, for whoever sent it."""

    format: Format
    reason: str = ""


_FHIR = frozenset({Format.FHIR, Format.FHIR_NDJSON})
_DECLARED: dict[str, frozenset[Format]] = {
    "application/fhir+json": _FHIR,
    "application/json+fhir": _FHIR,
    "application/json": _FHIR,
    "text/json": _FHIR,
    "application/fhir+ndjson": _FHIR,
    "application/ndjson": _FHIR,
    "application/x-ndjson": _FHIR,
    "application/jsonl": _FHIR,
    "application/cda+xml": frozenset({Format.CCDA}),
    "application/hl7-cda+xml": frozenset({Format.CCDA}),
    "application/xml": frozenset({Format.CCDA}),
    "text/xml": frozenset({Format.CCDA}),
    "application/hl7-v2": frozenset({Format.HL7V2}),
    "application/hl7-v2+er7": frozenset({Format.HL7V2}),
    "x-application/hl7-v2+er7": frozenset({Format.HL7V2}),
    "application/edi-hl7v2": frozenset({Format.HL7V2}),
    "text/hl7v2": frozenset({Format.HL7V2}),
}
_SAYS_NOTHING = frozenset({"", "application/octet-stream", "binary/octet-stream", "text/plain"})
_LINES = frozenset(
    {
        "application/fhir+ndjson",
        "application/ndjson",
        "application/x-ndjson",
        "application/jsonl",
    }
)
_NAMES = {
    Format.FHIR: "FHIR JSON",
    Format.FHIR_NDJSON: "FHIR NDJSON",
    Format.CCDA: "a C-CDA document",
    Format.HL7V2: "HL7 v2",
}

_HL7_START = re.compile(r"(?:^|[\r\n\x0b])[ \t]*(?:MSH|FHS|BHS)[^\w\x00-\x20\x7f]")
_RESOURCE_TYPE = re.compile(r'"resourceType"\s*:\s*"[A-Za-z]{2,60}"')
_NEXT_LINE = re.compile(r"\}[ \t]*\r?\n\s*\{")
_PROLOGUE = re.compile(r"\s*(?:<\?.{0,2000}?\?>|<!--.*?-->)", re.DOTALL)
_ROOT = re.compile(r"\s*<(?:([\w.-]{1,80}):)?([\w.-]{1,80})")
_CDA_NAMESPACE = "urn:hl7-org:v3"
_CDA_TEMPLATE = re.compile(
    r"<(?:\w{1,20}:)?templateId\s[^>]{0,300}?root\s*=\s*[\"']"
    r"2\.16\.840\.1\.113883\.(?:10\.20|3\.88\.11|10\.12)\."
)
_CDA_PARTS = frozenset({"section", "component", "entry", "organizer", "observation"})
_FHIR_NAMESPACE = re.compile(r"xmlns\s*=\s*[\"']http://hl7\.org/fhir[\"']")
_OTHER_FILES = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a compressed file (gzip)"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"{\\rtf", "an RTF document"),
)
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def recognise(head: bytes, declared: str = "", file_name: str = "") -> Recognised:
    """What a file is, given its first bytes, its Content-Type and its name."""
    media_type = declared.partition(";")[0].strip().lower()
    found = _content(head[:HEAD], media_type, file_name.lower())
    if found.format is Format.UNKNOWN or media_type in _SAYS_NOTHING:
        return found
    if found.format in _DECLARED.get(media_type, frozenset()):
        return found
    return _unknown(f"It was sent as {media_type[:100]}, but it looks like {_NAMES[found.format]}.")


def _content(head: bytes, media_type: str, file_name: str) -> Recognised:
    if not head.strip(b" \t\r\n\x00"):
        return _unknown("The file is empty.")
    other = next((name for magic, name in _OTHER_FILES if head.startswith(magic)), "")
    if other:
        return _unknown(f"It is {other}; only FHIR, C-CDA and HL7 v2 can be imported.")
    text = _text(head)
    start = text.lstrip()
    if start.startswith(("{", "[")):
        lines = media_type in _LINES or file_name.endswith(("ndjson", "jsonl"))
        return _json(start, lines=lines, goes_on=len(head) == HEAD)
    if start.startswith("<"):
        return _xml(start)
    if _HL7_START.search(text):
        return Recognised(format=Format.HL7V2)
    return _unknown("It is neither FHIR JSON, nor a C-CDA document, nor an HL7 v2 message.")


def _text(head: bytes) -> str:
    for mark, codec in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return head.decode(codec, errors="replace").removeprefix("\ufeff")
    if head[1:2] == b"\x00":
        return head.decode("utf-16-le", errors="replace")
    if head[:1] == b"\x00":
        return head.decode("utf-16-be", errors="replace")
    return head.decode("iso-8859-1")


def _json(start: str, *, lines: bool, goes_on: bool) -> Recognised:
    if start.startswith("["):
        return _unknown("It is a JSON list; send a FHIR Bundle, or one resource on each line.")
    # The name of the resource may come last; the reader will see.
    if not goes_on and not _RESOURCE_TYPE.search(start):
        return _unknown("It is JSON, but names no FHIR resource (resourceType).")
    first, _, rest = start.partition("\n")
    several_lines = bool(_NEXT_LINE.search(start)) and _is_whole(first)
    # One resource on one line may be either, and so may a line longer than what is seen.
    one_line = lines and not rest.strip()
    return Recognised(format=Format.FHIR_NDJSON if several_lines or one_line else Format.FHIR)


def _is_whole(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _xml(start: str) -> Recognised:
    rest = start
    while match := _PROLOGUE.match(rest):
        rest = rest[match.end() :]
    if rest.lstrip().startswith(("<!--", "<?")):
        # A comment that is longer than the head: the document is behind it.
        return _unknown("Its root element is too far from its beginning.")
    root = _ROOT.match(rest)
    name = root[2] if root else ""
    if name == "ClinicalDocument" or (
        name in _CDA_PARTS and (_CDA_TEMPLATE.search(rest) or _CDA_NAMESPACE in rest)
    ):
        return Recognised(format=Format.CCDA)
    if _FHIR_NAMESPACE.search(rest):
        return _unknown("It is FHIR in XML; send FHIR as JSON.")
    if "<!DOCTYPE" in start:
        return _unknown("It declares a document type, which a C-CDA document never does.")
    return _unknown("It is XML, but no C-CDA document (its root is no ClinicalDocument).")


def _unknown(reason: str) -> Recognised:
    return Recognised(format=Format.UNKNOWN, reason=reason)
