"""Which observations are laboratory results, and what panel each of them belongs to."""

from dataclasses import dataclass
from typing import Any, Final

from services.records.formats.fhir.elements import concept, each, fields, name_of, text
from services.records.formats.fhir.limits import MAX_LINKS
from services.records.formats.fhir.references import addresses, references, wanted
from services.records.formats.fhir.stream import Entry
from services.records.formats.fhir.window import Json

_LABORATORY: Final = frozenset(
    {"laboratory", "lab", "26436-6", "108252007", "lp29693-6", "11502-2"}
)
"""The words for it, and LOINC's and SNOMED CT's codes for laboratory studies and reports."""
_DEPARTMENTS: Final = frozenset(
    {"lab", "bg", "blb", "cg", "ch", "cp", "ge", "hm", "imm", "mb", "mcb", "myc", "par", "sp"}
    | {"sr", "tx", "urn", "vr"}
)
"""HL7 table 0074: the sections of a laboratory."""
_OTHER: Final = frozenset(
    {"vital-signs", "vital-sign", "social-history", "imaging", "procedure", "survey", "exam"}
    | {"therapy", "activity"}
)
_LAB_PROFILES: Final = ("observation-lab", "laboratory")
_FURTHEST: Final = 5
"""Panels within panels that are followed to find a laboratory's report."""


def category(resource: Json) -> tuple[bool | None, str]:
    """Whether the sender calls it laboratory work (None: doesn't say), and what it is called."""
    said = ""
    is_lab: bool | None = None
    for value in each(resource.get("category")):
        found = concept(value)
        words = [found.name.lower(), *(code.code.lower() for code in found.codes)]
        departments = (code.code.lower() for code in found.codes if "0074" in code.system)
        if not _LABORATORY.isdisjoint(words) or not _DEPARTMENTS.isdisjoint(departments):
            return True, "laboratory"
        if not _OTHER.isdisjoint(words):
            is_lab = False
        said = said or words[-1]
    return is_lab, said


def _has_lab_profile(resource: Json) -> bool:
    profiles = each(fields(resource.get("meta")).get("profile"))
    return any(part in text(profile).lower() for profile in profiles for part in _LAB_PROFILES)


def own_word(observation: Json) -> tuple[bool | None, str]:
    """Whether it says itself that it is laboratory work: by category, profile or specimen."""
    is_lab, said = category(observation)
    if is_lab is None and (_has_lab_profile(observation) or fields(observation.get("specimen"))):
        return True, said
    return is_lab, said


@dataclass(frozen=True, slots=True)
class Panel:
    """A report or an observation that names others as its results."""

    name: str
    is_lab: bool | None
    places: tuple[int, ...]


class Panels:
    """Which panel names which observation, for one file."""

    def __init__(self) -> None:
        self._of: dict[int, Panel] = {}
        self.lost = 0
        """Links beyond the number that is kept."""

    def meet_report(self, resource: Json, entry: Entry) -> None:
        """A report of a laboratory, or of nobody in particular, makes its results lab results."""
        is_lab, said = category(resource)
        self._meet(resource.get("result"), resource, entry, is_lab=is_lab or not said)

    def meet_observation(self, resource: Json, entry: Entry) -> None:
        """A panel's members are what the panel is."""
        if "hasMember" in resource:
            self._meet(resource["hasMember"], resource, entry, is_lab=own_word(resource)[0])

    def _meet(self, members: Any, resource: Json, entry: Entry, *, is_lab: bool | None) -> None:
        places = tuple(map(hash, addresses(resource, entry)))
        panel = Panel(name_of(resource.get("code")), is_lab, places)
        for member in references(members):
            for place in wanted(member.to, entry):
                earlier = self._of.get(hash(place))
                if earlier is None and len(self._of) >= MAX_LINKS:
                    self.lost += 1
                elif earlier is None or (panel.is_lab and not earlier.is_lab):
                    self._of[hash(place)] = panel

    def of(self, resource: Json, entry: Entry) -> Panel | None:
        """The panel that names this observation."""
        return self._find(tuple(map(hash, addresses(resource, entry))))

    def _find(self, places: tuple[int, ...]) -> Panel | None:
        return next((panel for place in places if (panel := self._of.get(place))), None)

    def makes_lab(self, panel: Panel | None) -> bool:
        """Whether being in this panel makes a result of a laboratory."""
        for _ in range(_FURTHEST):
            if panel is None or panel.is_lab is not None:
                break
            panel = self._find(panel.places)
        return panel is not None and bool(panel.is_lab)
