"""Which observations of a document speak of laboratory results, and how they hang together."""

from collections.abc import Iterator

from services.records.formats.ccda.narrative import line, one_line
from services.records.formats.ccda.tree import (
    V3,
    Element,
    attribute,
    first,
    templates,
    within,
)

_RESULT_TEMPLATES = {
    "2.16.840.1.113883.10.20.22.4.2",  # C-CDA
    "2.16.840.1.113883.10.20.1.31",  # CCD 1.0
    "2.16.840.1.113883.3.88.11.83.15",  # C32
    "2.16.840.1.113883.3.88.11.83.15.1",
    "1.3.6.1.4.1.19376.1.3.1.6",  # laboratory observation (IHE XD-LAB)
}
_SECTION_TEMPLATES = {
    "2.16.840.1.113883.10.20.22.2.3",  # C-CDA, entries optional and required
    "2.16.840.1.113883.10.20.22.2.3.1",
    "2.16.840.1.113883.10.20.1.14",  # CCD 1.0
    "2.16.840.1.113883.3.88.11.83.122",  # C32
    "1.3.6.1.4.1.19376.1.3.3.2.1",  # laboratory report (IHE XD-LAB)
}
_SECTION_CODES = {"30954-2", "26436-6"}
"""LOINC: relevant diagnostic tests or laboratory data; laboratory studies."""
_STUDIES_CODE = "11493-4"
"""LOINC: hospital discharge studies, among which only what says that it is a result is one."""
_REMARKS = {"33999-4", "48766-0", "48767-8", "246514001"}
"""Status, information source, comment (LOINC), unit (SNOMED CT): said about another result."""


class Sections:
    """The sections of a document; a fragment that has none is one itself."""

    def __init__(self, root: Element) -> None:
        self._root = root
        self._holds_results: dict[Element, bool] = {}
        self._called: dict[Element, str] = {}
        self._subjects = {
            parent
            for related in within(root, "relatedSubject")
            if attribute(related, "classCode") != "PAT"
            and (subject := related.getparent()) is not None
            and (parent := subject.getparent()) is not None
        }

    def observations(self) -> Iterator[tuple[Element, Element]]:
        """Every observation of a Results section, with its section, in the order of the file."""
        for observation in within(self._root, "observation"):
            section = nearest(observation, "section")
            if section is None:
                if not self._root.tag.endswith("}ClinicalDocument"):
                    yield observation, self._root
            elif self._results(section):
                yield observation, section

    def others(self) -> Iterator[Element]:
        """Every section that holds no results."""
        return (one for one in within(self._root, "section") if not self._results(one))

    def results(self) -> Iterator[Element]:
        """Every section that holds results."""
        return (one for one in within(self._root, "section") if self._results(one))

    def called(self, section: Element) -> str:
        """How staff find a section: by its title, else by what its code is called."""
        if section not in self._called:
            title = line(first(section, "title"))
            title = title or one_line(attribute(first(section, "code"), "displayName"))
            self._called[section] = f"section {title or 'untitled'}"
        return self._called[section]

    def about_someone_else(self, observation: Element) -> bool:
        """Whether an observation is said of another person than the patient, such as a donor."""
        if not self._subjects:
            return False
        around = (observation, *observation.iterancestors())
        return any(element in self._subjects for element in around)

    def _results(self, section: Element) -> bool:
        """Whether a section, or one around it, is a Results section."""
        if section not in self._holds_results:
            outer = nearest(section, "section")
            self._holds_results[section] = _is_results(section) or (
                outer is not None and self._results(outer)
            )
        return self._holds_results[section]


def is_result(observation: Element, section: Element) -> bool:
    """Whether an observation in a Results section is a result, and not a remark about another.

    A remark hangs on the observation it is about and has no template of a result; some systems
    give it one, so the codes that are always remarks are known by name.
    """
    if attribute(first(observation, "code"), "code") in _REMARKS:
        return False
    if templates(observation) & _RESULT_TEMPLATES:
        return True
    loosely = attribute(first(section, "code"), "code") == _STUDIES_CODE
    return not loosely and nearest(observation, "observation") is None


def nearest(element: Element, name: str) -> Element | None:
    """The innermost element of that name around this one."""
    return next(element.iterancestors(V3 + name), None)


def panels(observation: Element) -> Iterator[Element]:
    """The organizers that an observation belongs to, the innermost first."""
    return observation.iterancestors(f"{V3}organizer")


def _is_results(section: Element) -> bool:
    if attribute(first(section, "code"), "code") in {*_SECTION_CODES, _STUDIES_CODE}:
        return True
    return bool(templates(section) & _SECTION_TEMPLATES)
