"""Who a message is about, and who ordered, measured or wrote what is in it."""

import hashlib

from services.records.domain.found import Identifier, Patient
from services.records.formats.hl7v2 import times
from services.records.formats.hl7v2.codes import system_of
from services.records.formats.hl7v2.segments import LONGEST_LABEL, Fields, clipped

_NATIONAL_OR_LOCAL_ID = 3
_OLD_ID = 2
_ALTERNATE_ID = 4
_NAME = 5
_BIRTH_DATE = 7
_ALIAS = 9
_LEGAL = ("L", "")


def patient(fields: Fields, message_id: str) -> Patient | None:
    """The patient of a PID segment, or None if it names nobody.

    The key is the first identifier. Without one it is name, birth date and sex together; a name
    without a birth date stands for itself in its own message only: two namesakes are two people.
    """
    identifiers = [
        *_identifiers(fields, _NATIONAL_OR_LOCAL_ID),
        *_identifiers(fields, _OLD_ID),
        *_identifiers(fields, _ALTERNATE_ID),
    ]
    (family, given), *others = names(fields, _NAME) or [("", "")]
    if not identifiers and not family and not given:
        return None
    birth_date = times.day(fields.component(_BIRTH_DATE))
    sex = fields.component(8)[:LONGEST_LABEL]
    if identifiers:
        key = f"{identifiers[0].system}|{identifiers[0].value}"
    else:
        described = (family, given, sex, str(birth_date) if birth_date else message_id)
        key = "described|" + hashlib.sha256("\x1f".join(described).encode()).hexdigest()[:32]
    return Patient(
        key=key,
        family=family,
        given=given,
        birth_date=birth_date,
        identifiers=tuple(dict.fromkeys(identifiers)),
        sex=sex,
        other_names=tuple(
            dict.fromkeys(
                name for name in [*others, *names(fields, _ALIAS)] if name != (family, given)
            )
        ),
    )


def has_unreadable_birth_date(fields: Fields) -> bool:
    """Whether a birth date was given that is none, or only a month or a year."""
    written = fields.component(_BIRTH_DATE)
    return bool(written) and times.day(written) is None


def names(fields: Fields, number: int) -> list[tuple[str, str]]:
    """The (family, given) names of a field, the legal one first."""
    found = []
    for repeat in fields.repeats(number):
        parts = [*fields.parts(repeat), *[""] * 7]
        family = clipped(fields.subparts(repeat, 1)[0])
        given = clipped(" ".join(filter(None, (parts[1], parts[2]))))
        if family or given:
            found.append((parts[6] not in _LEGAL, (family, given)))
    return [name for _, name in sorted(found, key=lambda each: each[0])]


def person(fields: Fields, number: int) -> str:
    """A clinician as a person says it: "Dr. Nicholas Radon"; a bare number names nobody."""
    for repeat in fields.repeats(number):
        parts = [*fields.parts(repeat), *[""] * 6]
        family = fields.subparts(repeat, 2)[0]
        name = " ".join(filter(None, (parts[5], parts[2], family)))
        if name or (parts[0] and not any(character.isdigit() for character in parts[0])):
            return clipped(name or parts[0])
    return ""


def _identifiers(fields: Fields, number: int) -> list[Identifier]:
    found = []
    for repeat in fields.repeats(number):
        parts = [*fields.parts(repeat), *[""] * 5]
        if parts[0] and len(parts[0]) <= LONGEST_LABEL:
            authority = fields.subparts(repeat, 4)
            oid = authority[1] if len(authority) > 1 else ""
            system = system_of(oid) if oid else authority[0]
            found.append(Identifier(system=clipped(system), value=parts[0], kind=clipped(parts[4])))
    return found
