"""What the people, places and specimens that a file refers to are called."""

from sys import intern
from typing import Any, Final

from services.records.formats.fhir.elements import each, fields, name_of, text
from services.records.formats.fhir.limits import MAX_NAMED
from services.records.formats.fhir.references import (
    Reference,
    addresses,
    contained,
    reference,
    references,
    wanted,
)
from services.records.formats.fhir.stream import Entry
from services.records.formats.fhir.window import Json

NAMED: Final = frozenset(
    {"Practitioner", "PractitionerRole", "Organization", "Specimen", "ServiceRequest", "Device"}
)
_ROLES: Final = {
    "PractitionerRole": ("practitioner", "organization"),
    "ServiceRequest": ("requester",),
}
"""Resources that stand for somebody else: who ordered is who is named in the order."""


def person_name(value: Any) -> str:
    """A person's name as it is written on a report."""
    name = fields(next(iter(each(value)), None))
    if whole := text(name.get("text")):
        return whole
    parts = (
        part for field in ("prefix", "given", "family", "suffix") for part in each(name.get(field))
    )
    return " ".join(filter(None, map(text, parts)))


def _own_name(resource: Json) -> str:
    match resource.get("resourceType"):
        case "Organization":
            return text(resource.get("name"))
        case "Specimen":
            return name_of(resource.get("type"))
        case "Device":
            return name_of(resource.get("type"))
        case _:
            return person_name(resource.get("name"))


def _stands_for(resource: Json) -> Reference | None:
    for field in _ROLES.get(text(resource.get("resourceType")), ()):
        if field in resource:
            return reference(resource[field])
    return None


class Names:
    """The names in one file."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._others: dict[int, Reference] = {}

    def meet(self, resource: Json, entry: Entry) -> None:
        other = _stands_for(resource)
        name = "" if other else _own_name(resource)
        for place in addresses(resource, entry):
            if other and len(self._others) < MAX_NAMED:
                self._others[hash(place)] = other
            elif name and len(self._names) < MAX_NAMED:
                self._names[hash(place)] = intern(name)

    def of(self, to: Reference, resource: Json, entry: Entry) -> str:
        """The name of who or what is meant; "" where the file doesn't say it."""
        inner = contained(to.to, resource)
        if inner:
            other = _stands_for(inner)
            if other is None or other.to.startswith("#"):
                return to.display or _own_name(inner)
            to = other
        for _ in range(3):
            places = [hash(place) for place in wanted(to.to, entry)]
            if name := to.display or next(filter(None, map(self._names.get, places)), ""):
                return name
            other = next(filter(None, map(self._others.get, places)), None)
            if other is None:
                break
            to = other
        return ""

    def all(self, value: Any, resource: Json, entry: Entry) -> str:
        """The names of everyone in the list here, in its order."""
        found = (self.of(to, resource, entry) for to in references(value))
        return ", ".join(dict.fromkeys(filter(None, found)))
