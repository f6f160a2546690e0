"""Who a FHIR file is about: its Patient resources, and patients that it only refers to."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from services.records.domain.found import Identifier, Patient, Reason
from services.records.formats.fhir.elements import concept, each, fields, text
from services.records.formats.fhir.leftout import NotTaken
from services.records.formats.fhir.limits import MAX_PATIENTS
from services.records.formats.fhir.references import (
    Address,
    Reference,
    addresses,
    contained,
    local,
    wanted,
)
from services.records.formats.fhir.stream import Entry
from services.records.formats.fhir.window import Json

_ANY_BUNDLE: Final = -1
_BY_IDENTIFIER: Final = -2
_NAME_USES: Final = ("official", "usual", "", "temp", "nickname", "anonymous", "maiden", "old")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SEVERAL: Final = ""
"""Stands for the key where one address means several people."""


def patient(resource: Json, key: str) -> Patient:
    """The person in a Patient resource: the official name first, the others beside it."""
    names = sorted(_names(resource), key=lambda name: name[0])
    _, family, given = names[0] if names else (0, "", "")
    others = dict.fromkeys((f, g) for _, f, g in names if (f, g) != (family, given))
    return Patient(
        key=key,
        family=family,
        given=given,
        birth_date=_birth_date(resource.get("birthDate")),
        identifiers=tuple(dict.fromkeys(_identifiers(resource))),
        sex=text(resource.get("gender")),
        other_names=tuple(others),
    )


def _names(resource: Json) -> Iterator[tuple[int, str, str]]:
    for value in each(resource.get("name")):
        if isinstance(value, str):
            yield _NAME_USES.index(""), text(value), ""
            continue
        name = fields(value)
        family = " ".join(filter(None, map(text, each(name.get("family")))))
        given = " ".join(filter(None, map(text, each(name.get("given")))))
        if not (family or given):
            family = text(name.get("text"))
        use = text(name.get("use"))
        if fields(name.get("period")).get("end"):
            use = "old"
        if family or given:
            yield _NAME_USES.index(use if use in _NAME_USES else ""), family, given


def _birth_date(value: Any) -> date | None:
    """The day of birth; a month or a year alone is no day, and none is made up."""
    written = _DAY.match(text(value))
    try:
        return date.fromisoformat(written[0]) if written else None
    except ValueError:
        return None


def _identifiers(resource: Json) -> Iterator[Identifier]:
    for value in each(resource.get("identifier")):
        said = fields(value)
        number = text(said.get("value"))
        if number:
            kind = concept(said.get("type"))
            yield Identifier(
                system=text(said.get("system")),
                value=number,
                kind=kind.codes[0].code if kind.codes else kind.name,
            )


@dataclass(frozen=True, slots=True)
class _Known:
    """What is kept of each patient while the file is read."""

    essence: int
    is_certain: bool
    who: str
    birth: str


class People:
    """The patients of one file, each under one key, however they are referred to."""

    def __init__(self) -> None:
        self._keys: dict[int, str] = {}
        self._known: dict[str, _Known] = {}
        self._strangers: set[str] = set()

    def meet(self, resource: Json, entry: Entry) -> Patient:
        """Take in a Patient resource; the same person again is refused as a duplicate."""
        places = addresses(resource, entry)
        name = local(f"Patient/{text(resource.get('id'))}")
        key = name or text(entry.full_url) or f"Patient in {entry.where}"
        found = patient(resource, key)
        known = _known(found)
        everywhere: list[Address] = [(_ANY_BUNDLE, name)] if name else []
        for place in places:
            earlier = self._known.get(self._keys.get(hash(place), _SEVERAL))
            if earlier and earlier.essence == known.essence:
                raise NotTaken(Reason.DUPLICATE)
        for place in everywhere:
            same = self._keys.get(hash(place), _SEVERAL)
            earlier = self._known.get(same)
            if known.is_certain and earlier and earlier.essence == known.essence:
                self._claim(places, same)
                raise NotTaken(Reason.DUPLICATE)
        if key in self._known:
            found = replace(found, key=f"{key} ({len(self._known) + 1})")
        self._add(found, known)
        numbers = [(_BY_IDENTIFIER, f"{i.system}|{i.value}") for i in found.identifiers if i.system]
        self._claim([*places, *everywhere, *numbers], found.key)
        return found

    def _add(self, found: Patient, known: _Known) -> None:
        if len(self._known) >= MAX_PATIENTS:
            raise NotTaken(Reason.TOO_LARGE, "more than the file may hold")
        self._known[found.key] = known

    def _claim(self, places: list[Address], key: str) -> None:
        for place in places:
            owner = self._keys.setdefault(hash(place), key)
            if owner != key:
                self._keys[hash(place)] = _SEVERAL

    def find(self, to: Reference, resource: Json, entry: Entry) -> tuple[str, Patient | None]:
        """The key of who is meant, and that patient too where the file has not named them yet."""
        if to.kind not in ("", "Patient"):
            raise NotTaken(Reason.NO_PATIENT)
        places = wanted(to.to, entry) if to.to else []
        if name := local(to.to):
            places.append((_ANY_BUNDLE, name))
        if to.value:
            places.append((_BY_IDENTIFIER, f"{to.system}|{to.value}"))
        for place in places:
            if key := self._keys.get(hash(place)):
                return key, None
        if not (to.to or to.value or to.display):
            return "", None
        return self._stranger(to, resource, entry)

    def _stranger(self, to: Reference, resource: Json, entry: Entry) -> tuple[str, Patient | None]:
        if inner := contained(to.to, resource):
            if inner.get("resourceType") != "Patient":
                raise NotTaken(Reason.NO_PATIENT)
            found = patient(inner, "")
            digest = hashlib.sha256(repr(found).encode("utf-8", "replace")).hexdigest()
            found = replace(found, key=f"contained {digest[:32]}")
        else:
            key = to.to or f"{to.system}|{to.value}".strip("|") or to.display
            if entry.scope > 1 and ":" not in key:
                key = f"{key} in bundle {entry.scope}"
            elif key in self._known and key not in self._strangers:
                key = f"{key} (which?)"
            numbers = (Identifier(system=to.system, value=to.value),) if to.value else ()
            found = Patient(
                key=key, family=to.display, given="", birth_date=None, identifiers=numbers
            )
        if found.key in self._known:
            return found.key, None
        self._add(found, _known(found))
        self._strangers.add(found.key)
        return found.key, found

    def who(self, to: Reference, key: str) -> str:
        """Whose a result is, in words that stay the same in the sender's next message."""
        if name := local(to.to):
            return name
        if to.value:
            return f"{to.system}|{to.value}"
        known = self._known.get(key)
        return known.who if known else ""

    def birth(self, key: str) -> str:
        """The patient's day of birth, "" where the file does not say it."""
        known = self._known.get(key)
        return known.birth if known else ""


def _known(found: Patient) -> _Known:
    birth = found.birth_date.isoformat() if found.birth_date else ""
    numbers = sorted(found.identifiers, key=lambda number: number.kind != "MR")
    who = f"{numbers[0].system}|{numbers[0].value}" if numbers else f"{found.family}|{birth}"
    essence = hash((found.family.casefold(), found.given.casefold(), birth))
    return _Known(essence, bool(birth and found.family), who, birth)
