"""Codes, names and numbers of things, from the HL7 data types CD and II."""

import re
from collections.abc import Iterator

from services.records.domain.carried import original
from services.records.domain.result import LOINC, Code
from services.records.formats.ccda.narrative import Narrative, one_line
from services.records.formats.ccda.tree import Element, attribute, every, first

LOINC_OID = "2.16.840.1.113883.6.1"
_ADDRESS = re.compile(r"(?:https?://|urn:)\S+", re.IGNORECASE)
"""Some write a system's address, which `codeSystem` can't hold, where its name belongs."""
_OID = re.compile(r"[0-2](\.(0|[1-9]\d*))+", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_NO_CODE = {"", "null", "unk", "ni", "na", "n/a", "nav", "nask", "asku", "msk", "oth", "unc"}
"""Null flavors written where a code should be: `<code code="UNK" codeSystem="…6.1">`."""


def system(element: Element) -> str:
    """The system of a code: LOINC's address, `urn:oid:…`, or whatever was written."""
    written = attribute(element, "codeSystem")
    if written == LOINC_OID or (
        not written and attribute(element, "codeSystemName").upper() == "LOINC"
    ):
        return LOINC
    if not written and _ADDRESS.fullmatch(attribute(element, "codeSystemName")):
        return attribute(element, "codeSystemName")
    return uri(written)


def uri(root: str) -> str:
    """An OID or UUID as the address that FHIR writes for it; anything else as it is."""
    if _OID.fullmatch(root):
        return f"urn:oid:{root}"
    return f"urn:uuid:{root.lower()}" if _UUID.fullmatch(root) else root


def codes(element: Element | None) -> Iterator[Code]:
    """The codes that an element gives for one thing, its own before its translations."""
    if element is None:
        return
    for coded in (element, *every(element, "translation")):
        code = one_line(attribute(coded, "code"))
        if code.lower() not in _NO_CODE:
            display = one_line(attribute(coded, "displayName"))
            where, code = original(system(coded), code)
            yield Code(system=where, code=code, display=display)


def name(element: Element | None, narrative: Narrative) -> str:
    """What a coded thing is called: by its code, by its author, or in the narrative."""
    if element is None:
        return ""
    return (
        one_line(attribute(element, "displayName"))
        or narrative.line(first(element, "originalText"))
        or next((code.display for code in codes(element) if code.display), "")
    )


def identity(element: Element) -> str:
    """The number of a thing, `root^extension`; "" where it has none."""
    for number in every(element, "id"):
        root, extension = attribute(number, "root"), attribute(number, "extension")
        if root and not attribute(number, "nullFlavor"):
            return f"{root}^{extension}" if extension else root
    return ""
