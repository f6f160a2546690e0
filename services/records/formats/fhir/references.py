"""What a FHIR reference points at, as far as its text tells."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from services.records.formats.fhir.elements import each, fields, text
from services.records.formats.fhir.stream import Entry
from services.records.formats.fhir.window import Json

Address: TypeAlias = tuple[int, str]
"""An address and the bundle it holds in: `Patient/7` in its own only, a whole URL in all (0)."""

EVERYWHERE: Final = 0
_RESOURCE: Final = re.compile(
    r"(?:[^?#]*/)?([A-Z][A-Za-z]{2,40})/([A-Za-z0-9\-._]{1,64})(?:/_history/[^/]*)?"
)
_CONDITIONAL: Final = re.compile(
    r"([A-Z][A-Za-z]{2,40})\?(?:.*&)?identifier=(?:([^|&]*)\|)?([^|&]+)(?:&.*)?"
)
_UUID: Final = re.compile(r"(?i:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_SERVERS: Final = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference's address, the identifier it may carry instead, and the name it is shown by."""

    to: str = ""
    system: str = ""
    value: str = ""
    display: str = ""
    kind: str = ""


def reference(value: Any) -> Reference:
    """The reference here; a bare text counts as its address."""
    said = {"reference": value} if isinstance(value, str) else fields(value)
    to = text(said.get("reference")).removeprefix("./").lstrip("/")
    display, kind = text(said.get("display")), text(said.get("type"))
    system = number = ""
    if "identifier" in said:
        identifier = fields(said["identifier"])
        system, number = text(identifier.get("system")), text(identifier.get("value"))
    if name := local(to):
        kind = name.partition("/")[0]
    elif "?" in to and (found := _CONDITIONAL.fullmatch(to)):
        kind, system, number = found[1], found[2] or system, found[3]
    return Reference(to, system, number, display, kind)


def references(value: Any) -> list[Reference]:
    """The references in the list here."""
    return [reference(one) for one in each(value)]


def contained(to: str, resource: Json) -> Json:
    """The resource inside this one that `#x` means; nothing where there is none."""
    if to.startswith("#"):
        for inner in each(resource.get("contained")):
            if fields(inner).get("id") in (to[1:], to):
                return fields(inner)
    return {}


def is_uuid(name: str) -> bool:
    """Whether this is an identifier that nobody else in the world uses."""
    return _UUID.fullmatch(name) is not None


@lru_cache(maxsize=1024)
def local(to: str) -> str:
    """`Observation/7` for every way to write that address; "" for another sort of address."""
    found = None if to.startswith("urn:") else _RESOURCE.fullmatch(to)
    return f"{found[1]}/{found[2]}" if found else ""


def _server(full_url: str) -> str:
    """The server that an address is on: what a relative reference beside it starts from."""
    if not full_url.startswith(_SERVERS) or not (name := local(full_url)):
        return ""
    return full_url[: full_url.rfind(name)]


def addresses(resource: Json, entry: Entry) -> list[Address]:
    """Every address that this resource may be referred to by."""
    kind, name, url = resource.get("resourceType"), text(resource.get("id")), text(entry.full_url)
    found = [(EVERYWHERE if ":" in url else entry.scope, url)] if url else []
    if name:
        found.append((entry.scope, f"{kind}/{name}"))
        uuid = f"urn:uuid:{name}"
        if uuid != url and is_uuid(name):
            found.append((EVERYWHERE, uuid))
    return found


def wanted(to: str, entry: Entry) -> list[Address]:
    """The addresses to look for, best first, when a resource in that entry refers to `to`."""
    if to.startswith("urn:"):
        return [(EVERYWHERE, to)]
    name = local(to)
    server = _server(entry.full_url)
    if to.startswith(_SERVERS):
        return [(EVERYWHERE, to)] + ([(entry.scope, name)] if name and not server else [])
    return ([(EVERYWHERE, server + name)] if server and name else []) + [(entry.scope, name or to)]
