"""What has to be known of a whole file before any of it can be read."""

from services.records.domain.found import Patient
from services.records.formats.fhir.elements import concept, text
from services.records.formats.fhir.identity import DOCUMENT, REPORT, Claims
from services.records.formats.fhir.laboratory import Panels
from services.records.formats.fhir.leftout import NotTaken, Tally
from services.records.formats.fhir.limits import MAX_NAMED
from services.records.formats.fhir.names import NAMED, Names
from services.records.formats.fhir.patients import People
from services.records.formats.fhir.references import addresses
from services.records.formats.fhir.stream import Entry
from services.records.formats.fhir.window import Json


class Index:
    """Who and what the file speaks of, under every address it uses."""

    def __init__(self) -> None:
        self.people = People()
        self.panels = Panels()
        self.names = Names()
        self.claims = Claims()
        self.tally = Tally()
        self.resources = 0
        self.links_lost = 0
        self.binaries: set[int] = set()

    def meet(self, resource: Json, entry: Entry) -> Patient | None:
        """Take note of a resource; a patient is told at once, if it isn't one already met."""
        kind = text(resource.get("resourceType"))
        self.resources += bool(kind)
        if kind == "Patient":
            return self.people.meet(resource, entry)
        try:
            self._note(kind, resource, entry)
        except NotTaken:
            self.links_lost += 1
        return None

    def _note(self, kind: str, resource: Json, entry: Entry) -> None:
        if kind == "Observation":
            self.panels.meet_observation(resource, entry)
            if "identifier" in resource:
                best = concept(resource.get("code")).best
                self.claims.meet(resource, entry, best.key if best else "")
        elif kind == REPORT:
            self.panels.meet_report(resource, entry)
            self.claims.meet(resource, entry, kind)
        elif kind == DOCUMENT:
            self.claims.meet_document(resource, entry)
        elif kind in NAMED:
            self.names.meet(resource, entry)
        elif kind == "Binary" and len(self.binaries) < MAX_NAMED:
            self.binaries.update(map(hash, addresses(resource, entry)))
