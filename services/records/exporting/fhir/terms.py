"""What every resource is written with: references, identifiers, codes, moments."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

Resource = dict[str, Any]
US_CORE: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
_TERMS: Final = "http://terminology.hl7.org/CodeSystem/"


def refers(kind: str, to: UUID) -> Resource:
    return {"reference": f"urn:uuid:{to}", "type": kind}


def numbered(of: UUID) -> Resource:
    return {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{of}"}


def coded(system: str, code: str, display: str = "") -> Resource:
    return {"system": _TERMS + system, "code": code, "display": display}


def called(name: str) -> list[Resource]:
    return [{"display": name}] if name else []


def instant(at: datetime) -> str:
    """FHIR's instant, in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
