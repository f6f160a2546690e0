"""Whom a document is about, who wrote it, and which earlier one it stands in for."""

from dataclasses import dataclass
from datetime import date

from services.records.domain.found import Identifier, Patient
from services.records.domain.result import LOINC
from services.records.formats.ccda import moments
from services.records.formats.ccda.codes import codes, identity, uri
from services.records.formats.ccda.narrative import line, one_line
from services.records.formats.ccda.tree import V3, Element, attribute, every, first, within

UNTITLED = "Clinical document"
_SOCIAL_SECURITY = "2.16.840.1.113883.4.1"
_SPOKEN = {V3 + part for part in ("prefix", "given", "family", "suffix")}
_CALLED = "CL"
"""The qualifier of a name that someone is called by, not registered under."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What a document says about itself; "" for what it doesn't say."""

    identity: str
    set_identity: str
    """The same for every version of a document."""
    title: str
    kind: str
    kind_code: str
    written: str
    """When it was made, as it is written."""
    author: str
    organization: str
    replaces: str
    patients: tuple[Patient, ...]


def header(root: Element) -> Header:
    """What a document, or a fragment of one, says about itself."""
    code = first(root, "code") if root.tag.endswith("}ClinicalDocument") else None
    kind = one_line(attribute(code, "displayName"))
    return Header(
        identity=identity(root),
        set_identity=_number(first(root, "setId")),
        title=line(first(root, "title")) or kind or _section_title(root) or UNTITLED,
        kind=kind,
        kind_code=next((one.code for one in codes(code) if one.system == LOINC), ""),
        written=moments.written(first(root, "effectiveTime")),
        author=", ".join(dict.fromkeys(filter(None, map(_author, every(root, "author"))))),
        organization=line(
            first(root, "custodian/assignedCustodian/representedCustodianOrganization/name")
        ),
        replaces=next(
            (
                identity(parent)
                for related in every(root, "relatedDocument")
                if attribute(related, "typeCode") == "RPLC"
                for parent in every(related, "parentDocument")
            ),
            "",
        ),
        patients=_patients(root),
    )


def person(name: Element | None) -> str:
    """A person's name as it is read aloud."""
    if name is None:
        return ""
    parts = [line(part) for part in name if part.tag in _SPOKEN]
    return one_line(" ".join(filter(None, parts))) or line(name)


def _author(author: Element) -> str:
    return (
        person(first(author, "assignedAuthor/assignedPerson/name"))
        or line(first(author, "assignedAuthor/representedOrganization/name"))
        or line(first(author, "assignedAuthor/assignedAuthoringDevice/softwareName"))
    )


def _section_title(root: Element) -> str:
    titles = (line(first(section, "title")) for section in within(root, "section"))
    return next(filter(None, titles), "")


def _patients(root: Element) -> tuple[Patient, ...]:
    """Everyone the document says it is about; one person said twice is one."""
    found: dict[tuple[str, str, date | None], Patient] = {}
    for role in every(root, "recordTarget/patientRole"):
        patient = _patient(role)
        found.setdefault((patient.family, patient.given, patient.birth_date), patient)
    return tuple(found.values())


def _patient(role: Element) -> Patient:
    names = [_name(name) for name in _legal_first(every(role, "patient/name"))]
    called = [_called(name) for name in every(role, "patient/name")]
    family, given = next((name for name in names if any(name)), ("", ""))
    others = dict.fromkeys(name for name in (*names, *called) if any(name))
    return Patient(
        key=identity(role) or "recordTarget",
        family=family,
        given=given,
        birth_date=moments.day(attribute(first(role, "patient/birthTime"), "value")),
        identifiers=_identifiers(role),
        sex=attribute(first(role, "patient/administrativeGenderCode"), "code"),
        other_names=tuple(name for name in others if name != (family, given)),
    )


def _legal_first(names: list[Element]) -> list[Element]:
    return sorted(names, key=lambda name: "L" not in attribute(name, "use").split())


def _name(name: Element) -> tuple[str, str]:
    """The family and given names; of a name in one piece, the last word is the family name."""
    family = " ".join(filter(None, map(line, every(name, "family"))))
    given = " ".join(
        line(part) for part in every(name, "given") if attribute(part, "qualifier") != _CALLED
    )
    if family or given.strip():
        return one_line(family), one_line(given)
    whole = line(name)
    if "," in whole:
        family, _, given = whole.partition(",")
    else:
        given, _, family = whole.rpartition(" ")
    return family.strip(), given.strip()


def _called(name: Element) -> tuple[str, str]:
    family = " ".join(filter(None, map(line, every(name, "family"))))
    called = [part for part in every(name, "given") if attribute(part, "qualifier") == _CALLED]
    return (one_line(family), line(called[0])) if called else ("", "")


def _identifiers(role: Element) -> tuple[Identifier, ...]:
    found = {}
    for number in every(role, "id"):
        root = attribute(number, "root")
        extension = one_line(attribute(number, "extension"))
        if extension and not attribute(number, "nullFlavor"):
            kind = "SS" if root == _SOCIAL_SECURITY else ""
            found[root, extension] = Identifier(system=uri(root), value=extension, kind=kind)
    return tuple(found.values())


def _number(element: Element | None) -> str:
    root, extension = attribute(element, "root"), attribute(element, "extension")
    return f"{root}^{extension}" if root and extension else root
