"""The codes and numbers that every part of a document is written with."""

from datetime import UTC, date, datetime
from uuid import UUID

from services.records.domain.result import Precision
from services.records.exporting.xml_writing import element

LOINC = "2.16.840.1.113883.6.1"
CONFIDENTIALITY = "2.16.840.1.113883.5.25"
INTERPRETATION = "2.16.840.1.113883.5.83"


def template(root: str, extension: str | None = None) -> str:
    return element("templateId", root=root, extension=extension)


def loinc(code: str, display: str, *content: str, name: str = "code") -> str:
    return element(
        name,
        *content,
        code=code,
        codeSystem=LOINC,
        codeSystemName="LOINC",
        displayName=display,
    )


def identity(of: UUID) -> str:
    return element("id", root=str(of).upper())


def unknown(name: str) -> str:
    return element(name, nullFlavor="UNK")


def stamp(at: datetime) -> str:
    """A moment as HL7 writes it, in UTC and as exact as it is."""
    at = at.astimezone(UTC)
    fraction = f".{at.microsecond:06}" if at.microsecond else ""
    return f"{at:%Y%m%d%H%M%S}{fraction}+0000".rjust(len("20260101000000+0000"), "0")


def day(on: date) -> str:
    return f"{on.year:04}{on:%m%d}"


def time(at: datetime, precision: Precision, *, zoned: bool) -> str:
    """A time no more exact than it is known; without a zone where it came without one."""
    at = at.astimezone(UTC)
    match precision:
        case Precision.YEAR:
            return f"{at.year:04}"
        case Precision.MONTH:
            return f"{at.year:04}{at:%m}"
        case Precision.DAY:
            return day(at.date())
        case _:
            return stamp(at) if zoned else stamp(at).removesuffix("+0000")
