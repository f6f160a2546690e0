"""What tells a result or a document from every other, and stays when it is sent or corrected.

Why each sort of name is trusted as far as it is: `docs/decisions`, "What a FHIR result is called".
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from services.records.domain.carried import ITEMS, called
from services.records.formats.fhir.elements import concept, each, fields, text
from services.records.formats.fhir.limits import MAX_NAMED, MAX_REMEMBERED
from services.records.formats.fhir.references import addresses, is_uuid, local, reference, wanted
from services.records.formats.fhir.stream import Entry
from services.records.formats.fhir.window import Json

REPORT: Final = "DiagnosticReport"
DOCUMENT: Final = "DocumentReference"
_ORDERS: Final = frozenset({"PLAC", "FILL", "ACSN", "GRP", "PGN", "FGN", "VN", "BRN"})
"""HL7 table 0203: numbers of an order, a specimen or a visit, which many results share."""
_NAMES: Final = ("masterIdentifier", "identifier", "id", "type", "date", "subject")
_URIS: Final = "urn:ietf:rfc:3986"


def source_id(*parts: str) -> str:
    """One short name for what these parts identify, which tells nobody what they are."""
    return "fhir:" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _number(resource: Json) -> tuple[str, str] | None:
    """The first identifier that its sender means for this one thing, with who gave it."""
    if "identifier" not in resource and "masterIdentifier" not in resource:
        return None
    for value in (*each(resource.get("masterIdentifier")), *each(resource.get("identifier"))):
        said = fields(value)
        system, number = text(said.get("system")), text(said.get("value"))
        if system in ("", _URIS) and number.startswith("urn:"):
            system = _URIS
        if number and system:
            kinds = {code.code for code in concept(said.get("type")).codes}
            if not kinds & _ORDERS:
                return system, number
    return None


def _claim(number: tuple[str, str], resource: Json, kind: str) -> int:
    return hash((number, kind, reference(resource.get("subject")).to))


def _loose_numbers(resource: Json) -> list[str]:
    return [text(fields(value).get("value")) for value in each(resource.get("identifier"))]


@dataclass(frozen=True, slots=True)
class Traits:
    """What a thing says of itself, for where its names alone don't tell it from others."""

    kind: str
    """The test it is of, or the sort of document."""
    who: str
    about: tuple[str, ...] = ()
    content: str = ""


class Claims:
    """The identifiers of one file, and which of them more than one thing in it goes by."""

    def __init__(self) -> None:
        self._owner: dict[int, int] = {}
        self._shared: set[int] = set()
        self._documents: dict[int, Json] = {}

    def meet(self, resource: Json, entry: Entry, kind: str) -> None:
        """An identifier that several results of one test of a patient share names none."""
        number = _number(resource)
        if number is None:
            return
        names = text(entry.full_url), text(resource.get("id"))
        owner = hash(names if any(names) else (entry.line, entry.path))
        claim = _claim(number, resource, kind)
        if self._owner.get(claim, owner) != owner:
            self._shared.add(claim)
        elif len(self._owner) < MAX_REMEMBERED:
            self._owner[claim] = owner

    def identify(self, resource: Json, entry: Entry, traits: Traits) -> str:
        """The best name there is: its own, or else one of all that is said of it."""
        return self.named(resource, entry, traits.kind, traits.who) or self.loose(resource, traits)

    def named(self, resource: Json, entry: Entry, kind: str, who: str) -> str:
        """A name that holds in the world: an identifier, an address, a UUID; "" for none."""
        number = _number(resource)
        if number and _claim(number, resource, kind) not in self._shared:
            if number[0] == ITEMS and (ours := called(number[1])):
                return ours
            return source_id("number", *number, kind, who)
        name, url = text(resource.get("id")), text(entry.full_url)
        if url.startswith(("http://", "https://")):
            return source_id("address", url)
        for uuid in (url.removeprefix("urn:uuid:"), name):
            if uuid and is_uuid(uuid):
                return source_id("address", f"urn:uuid:{uuid.lower()}")
        return source_id("address", url, who) if url else ""

    def loose(self, resource: Json, traits: Traits) -> str:
        """A name of everything that is said of it, for `Observation/1` is anybody's.

        Only what has no name at all is told apart by its content as well: a change is then another
        thing, for nothing may be overwritten on a guess.
        """
        said = traits.kind, traits.who, *traits.about
        name = text(resource.get("id"))
        if not name:
            return source_id("nameless", *_loose_numbers(resource), traits.content, *said)
        return source_id("loose", name, *said)

    def meet_document(self, resource: Json, entry: Entry) -> None:
        """Keep what a document goes by, for a later one that replaces it."""
        self.meet(resource, entry, DOCUMENT)
        names: Json = {name: resource[name] for name in _NAMES if name in resource}
        names["url"] = entry.full_url
        for place in addresses(resource, entry):
            if len(self._documents) < MAX_NAMED:
                self._documents[hash(place)] = names

    def identify_document(
        self, resource: Json, entry: Entry, *, who: str, birth: str, content: str
    ) -> str:
        """The name of a DocumentReference."""
        kind = concept(resource.get("type")).name
        about = (birth, kind, text(resource.get("date")))
        return self.identify(resource, entry, Traits(DOCUMENT, who, about, content))

    def replaced(self, to: str, entry: Entry, *, who: str, birth: str) -> str:
        """The name of the document that a reference points to, be it in this file or not."""
        found = (self._documents.get(hash(place)) for place in wanted(to, entry))
        names = next(filter(None, found), None)
        if names is None:
            whole = ":" in to
            names = {"id": local(to).partition("/")[2], "url": to if whole else ""}
        place = Entry(None, names["url"], entry.scope, entry.line, entry.path)
        return self.identify_document(names, place, who=who, birth=birth, content="")
