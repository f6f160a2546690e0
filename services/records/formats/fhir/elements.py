"""FHIR's data types, read without trusting that anything is what the standard says it is."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeAlias

from services.records.domain.carried import original
from services.records.domain.found import Reason
from services.records.domain.result import LOINC, Code
from services.records.formats.fhir.leftout import NotTaken
from services.records.formats.fhir.limits import MAX_DIGITS, MAX_ITEMS, MAX_NAME, MAX_TEXT
from services.records.formats.fhir.window import Json

_NOTHING: Final[Json] = {}
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
"""What no database keeps as text: NUL, and one half of a character."""
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,9})?")
_OID: Final = re.compile(r"[0-2](?:\.\d+)+")
_NO_CODES: Final = "/v3-NullFlavor"
"""The end of the system of what stands where a code should be."""
_EXTENSIONS: Final = 20
_REMEMBERED_CODINGS: Final = 5
_LOINC_NAMES: Final = frozenset(
    f"{scheme}{name}"
    for scheme in ("", "http://", "https://", "http://www.", "https://www.")
    for name in ("loinc.org",)
) | {"loinc", "ln", "urn:oid:2.16.840.1.113883.6.1"}


def text(value: Any, limit: int = MAX_NAME) -> str:
    """The text here, or "" where there is none; refused where it is longer than the limit."""
    if not isinstance(value, str):
        return ""
    if len(value) > limit:
        raise NotTaken(Reason.TOO_LARGE)
    if not value.isascii() or "\0" in value:
        value = _UNSTORABLE.sub("\ufffd", value)
    stripped: str = value.strip()
    return stripped


def long_text(value: Any) -> str:
    """A value or a comment, which may be longer than a name."""
    return text(value, MAX_TEXT)


def fields(value: Any) -> Json:
    """The members of the object here; none where there is no object."""
    return value if isinstance(value, dict) else _NOTHING


def each(value: Any) -> list[Any]:
    """The elements of the list here; what should be a list and isn't counts as its only one."""
    if isinstance(value, list):
        if len(value) > MAX_ITEMS:
            raise NotTaken(Reason.TOO_LARGE)
        return value
    return [] if value is None else [value]


def extension(value: Any, url: str) -> Any:
    """The first extension with this address here, of as many as anyone looks at."""
    listed = fields(value).get("extension")
    found = map(fields, listed[:_EXTENSIONS] if isinstance(listed, list) else ())
    return next((one for one in found if one.get("url") == url), _NOTHING)


def number(value: Any) -> Decimal | None:
    """The number here with its written digits, if it is one that can be drawn and compared."""
    if not isinstance(value, str) or len(value) > MAX_DIGITS or not _NUMBER.fullmatch(value):
        return None
    found = Decimal(value)
    return found if abs(found.adjusted()) <= MAX_DIGITS else None


def code(system: str, value: str, display: str) -> Code:
    """A code under the one name that its system has with us."""
    name = system.rstrip("/").lower()
    if name in _LOINC_NAMES or name == "2.16.840.1.113883.6.1":
        system = LOINC
    elif _OID.fullmatch(system):
        system = f"urn:oid:{system}"
    system, value = original(system, value)
    return Code(system=system, code=value, display=display)


@dataclass(frozen=True, slots=True)
class Concept:
    """A CodeableConcept: what it is called, and its codes in the order of the source."""

    name: str
    codes: tuple[Code, ...]
    best: Code | None
    """LOINC where there is a LOINC code, else the first; a mere name stands as its own code."""


Raw: TypeAlias = tuple[Any, tuple[tuple[Any, Any, Any], ...]]
"""A concept as it is written: its text, and the system, code and display of each coding."""


def raw_concept(value: Any) -> Raw:
    """The concept here, unread; a bare text counts as its name."""
    if not isinstance(value, dict):
        return value, ()
    codings = value.get("coding")
    if codings is None:
        return value.get("text"), ()
    return value.get("text"), tuple(
        (said.get("system"), said.get("code"), said.get("display"))
        for said in map(fields, each(codings))
    )


def concept(value: Any) -> Concept:
    """The concept here. The same few come again and again, so they are remembered."""
    raw = raw_concept(value)
    if len(raw[1]) > _REMEMBERED_CODINGS:
        return _concept(*raw)
    try:
        return _remembered(*raw)
    except TypeError:
        return _concept(*raw)


def _concept(written: Any, codings: tuple[tuple[Any, Any, Any], ...]) -> Concept:
    codes = []
    name = text(written)
    for system, value, shown in codings:
        value_, display = text(value), text(shown)
        if text(system).endswith(_NO_CODES):
            continue
        name = name or display
        if value_:
            codes.append(code(text(system), value_, display))
    name = name or (codes[0].code if codes else "")
    loinc = (found for found in codes if found.system == LOINC)
    best = next(loinc, codes[0] if codes else Code(system="text", code=name) if name else None)
    return Concept(name, tuple(codes), best)


_remembered: Final = lru_cache(maxsize=512)(_concept)


def name_of(value: Any) -> str:
    """What the concept here is called."""
    return concept(value).name
