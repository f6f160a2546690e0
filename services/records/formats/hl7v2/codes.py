"""What was tested: the code, its name, and the other codes for the same test."""

import re
from dataclasses import dataclass

from services.records.domain.result import LOINC, Code
from services.records.formats.hl7v2.segments import Fields

_SYSTEMS = {
    "LN": LOINC,
    "LOINC": LOINC,
    "LNC": LOINC,
    "HTTP://LOINC.ORG": LOINC,
    "2.16.840.1.113883.6.1": LOINC,
    "SCT": "http://snomed.info/sct",
    "SNM3": "http://snomed.info/sct",
    "2.16.840.1.113883.6.96": "http://snomed.info/sct",
    "UCUM": "http://unitsofmeasure.org",
}
_LOINC_CODE = re.compile(r"\d{1,7}-\d")
_OID = re.compile(r"(?:urn:oid:)?([0-2](?:\.\d+){2,})", re.IGNORECASE)
_TRIPLETS = ((0, 1, 2), (3, 4, 5), (9, 10, 11))
_ORIGINAL_TEXT = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A coded field read: the code to know the test by, and what to call it."""

    code: Code
    name: str
    alternates: tuple[Code, ...] = ()
    identity: str = ""
    """The sender's own first code or name, which stays when it adds a LOINC code later."""


def named(fields: Fields, number: int) -> Named | None:
    """The test that a field names: LOINC wherever it stands, else the first code, else its name."""
    parts = fields.components(number)
    padded = [*parts, *[""] * 12]
    original = padded[_ORIGINAL_TEXT]
    codes = [
        Code(
            system=system_of(padded[system], padded[code]), code=padded[code], display=padded[text]
        )
        for code, text, system in _TRIPLETS
        if padded[code]
    ]
    name = padded[1] or padded[4] or original or padded[10]
    if not codes:
        if not name:
            return None
        return Named(code=Code(system="text", code=name, display=name), name=name, identity=name)
    best = next((code for code in codes if code.system == LOINC), codes[0])
    return Named(
        code=best,
        name=name or best.code,
        alternates=tuple(code for code in codes if code is not best),
        identity=codes[0].code,
    )


def system_of(written: str, code: str = "") -> str:
    """A coding system by its one name; "LN" for what is no LOINC code stays as written."""
    system = _SYSTEMS.get(written.upper(), written)
    if system == LOINC and not _LOINC_CODE.fullmatch(code):
        return written
    oid = _OID.fullmatch(system)
    return f"urn:oid:{oid[1]}" if oid else system
