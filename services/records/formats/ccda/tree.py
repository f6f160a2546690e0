"""A clinical document as a tree, read with every way out of the file shut, and within bounds.

No entities, no DTD, no network, no XInclude, no stylesheet. A file is taken whole or not at all: a
document that is cut off could read as one that says something else.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeAlias

from lxml import etree

from services.records.domain.found import Unreadable
from services.records.formats.ccda import charset

MAX_BYTES = 50 * 1024 * 1024
"""The largest file: what the portal lets in at all."""
MAX_MARKS = 600_000
"""The most `<` and `=` signs, which bound what a tree can hold (150 MB at the very worst).

A chart takes about 36,000 of them per megabyte: 16 MB of dense entries, some 4,000 results."""
MAX_DEPTH = 100
"""Elements inside each other; real documents stay under 20."""
MAX_ATTRIBUTES = 100
"""Attributes of one element."""

V3 = "{urn:hl7-org:v3}"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"

Element: TypeAlias = etree._Element  # noqa: SLF001 - lxml has no public name for its element

_KNOWN_PREFIXES = {
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "sdtc": "urn:hl7-org:sdtc",
    "voc": "urn:hl7-org:v3/voc",
    **dict.fromkeys(("cda", "hl7", "v3", "n1"), "urn:hl7-org:v3"),
}
_PREFIX = re.compile(r"[<\s]/?([A-Za-z_][\w.-]{0,40}):[A-Za-z_]", re.ASCII)
_MAX_PREFIXES = 50
_FRAGMENTS = {
    f"{V3}{name}"
    for name in ("component", "structuredBody", "section", "entry", "organizer", "observation")
}


def parse(data: bytes) -> Element:
    """The `ClinicalDocument`, or whatever holds a fragment of one; `Unreadable` for anything else.

    A fragment cut out of a document leans on prefixes and a namespace declared elsewhere, so what
    can't be read by itself is read once more inside an element that declares them.
    """
    if len(data) > MAX_BYTES:
        raise Unreadable("The file is too large to be read as a clinical document.")
    if data.count(b"<") + data.count(b"=") > MAX_MARKS:
        raise Unreadable("The document has more entries than can be read at once.")
    try:
        root = _tree(charset.body(data))
    except etree.XMLSyntaxError:
        root = None
    if root is None or not root.tag.startswith(V3):
        try:
            root = _tree(_wrapped(data))
        except etree.XMLSyntaxError:
            raise Unreadable("The file is cut off, or is not well-formed XML.") from None
    if root.tag == f"{V3}ClinicalDocument":
        return root
    document = root.find(f"{V3}ClinicalDocument")
    if document is not None:
        return document
    if root.tag in _FRAGMENTS or any(child.tag in _FRAGMENTS for child in root):
        return root
    raise Unreadable("The file is XML, but not a clinical document (C-CDA).")


def first(element: Element | None, path: str) -> Element | None:
    """The first element at a path of HL7 names, such as `assignedAuthor/assignedPerson/name`."""
    return None if element is None else element.find(_qualified(path))


def every(element: Element | None, path: str) -> list[Element]:
    """All elements at a path of HL7 names."""
    return [] if element is None else element.findall(_qualified(path))


def within(element: Element, name: str) -> Iterator[Element]:
    """All elements of that HL7 name, the element itself included, in the order of the file."""
    return element.iter(V3 + name)


def attribute(element: Element | None, name: str) -> str:
    """An attribute without blanks around it; "" where there is none."""
    return "" if element is None else (element.get(name) or "").strip()


def templates(element: Element) -> set[str]:
    """The templates that an element says it keeps to, whatever their version."""
    return {attribute(template, "root") for template in every(element, "templateId")}


@lru_cache(maxsize=256)
def _qualified(path: str) -> str:
    return "/".join(V3 + name for name in path.split("/"))


def _wrapped(data: bytes) -> Iterator[str]:
    pieces = list(charset.body(data))
    prefixes = dict(_KNOWN_PREFIXES)
    for piece in pieces:
        for prefix in _PREFIX.findall(piece):
            if len(prefixes) < _MAX_PREFIXES and not prefix.lower().startswith("xml"):
                prefixes.setdefault(prefix, f"urn:undeclared:{prefix}")
    declared = "".join(f' xmlns:{prefix}="{name}"' for prefix, name in prefixes.items())
    yield f'<fragment xmlns="urn:hl7-org:v3"{declared}>'
    yield from pieces
    yield "</fragment>"


def _tree(pieces: Iterable[str]) -> Element:
    parser = etree.XMLPullParser(
        events=("start", "end"),
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
        # One text may hold a file of 50 MB in base64; everything else is bounded here.
        huge_tree=True,
    )
    depth = 0
    for piece in pieces:
        parser.feed(piece.encode())
        for event, element in parser.read_events():
            depth += 1 if event == "start" else -1
            if depth > MAX_DEPTH:
                raise Unreadable("The document is nested too deeply to be a clinical document.")
            attributes = len(element.attrib) if isinstance(element, Element) else 0
            if event == "start" and attributes > MAX_ATTRIBUTES:
                raise Unreadable("The document has an element with too many attributes.")
    return parser.close()
