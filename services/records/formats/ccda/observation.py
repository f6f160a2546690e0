"""One observation as a laboratory result."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from services.records.domain.found import Reason
from services.records.domain.result import (
    LOINC,
    MOST_BEFORE,
    Before,
    Code,
    Precision,
    Result,
    ResultStatus,
    Value,
    ValueKind,
)
from services.records.formats.ccda import moments
from services.records.formats.ccda.codes import codes, identity, name
from services.records.formats.ccda.header import person
from services.records.formats.ccda.narrative import MAX_TEXT, Narrative, line, one_line
from services.records.formats.ccda.ranges import flags, ranges
from services.records.formats.ccda.sections import nearest, panels
from services.records.formats.ccda.tree import Element, attribute, every, first, templates
from services.records.formats.ccda.values import NO_UNIT, value

COMMENT_CODE = "48767-8"
UNIT_CODE = "246514001"
STATUS_CODE = "33999-4"
OBSOLETE = "obsolete"
"""HL7's ActStatus for what another version has taken the place of."""

_TAKEN_BACK = "nullified"
"""Said to have been a mistake: taken also without a value, since it may undo what came before."""
_STATUS = {
    "completed": ResultStatus.FINAL,
    "final": ResultStatus.FINAL,
    "active": ResultStatus.PRELIMINARY,
    "preliminary": ResultStatus.PRELIMINARY,
    "corrected": ResultStatus.CORRECTED,
    "amended": ResultStatus.AMENDED,
    "aborted": ResultStatus.CANCELLED,
    "cancelled": ResultStatus.CANCELLED,
    OBSOLETE: ResultStatus.CANCELLED,
    _TAKEN_BACK: ResultStatus.ENTERED_IN_ERROR,
}
_IN_WORDS = {"corrected": ResultStatus.CORRECTED, "unknown": ResultStatus.UNKNOWN}
"""What HL7's ActStatus has no code for, and is said beside a result that is "completed"."""
_NOT_YET = {"active", "new", "held", "suspended", "preliminary"}
_WITHOUT_VALUE = {
    **dict.fromkeys(_NOT_YET, Reason.PENDING),
    **dict.fromkeys(("aborted", "cancelled", OBSOLETE), Reason.CANCELLED),
    _TAKEN_BACK: Reason.ENTERED_IN_ERROR,
}
_ORDERED = {"INT", "RQO", "PRMS", "PRP", "ARQ", "APT"}
"""Moods of what is only planned or asked for."""
_COMMENT_TEMPLATES = {"2.16.840.1.113883.10.20.22.4.64", "2.16.840.1.113883.10.20.1.40"}


@dataclass(frozen=True, slots=True)
class _Said:
    """What an observation or a panel says of itself."""

    name: str
    time: str
    status: str
    specimen: str
    performer: str
    comment: str


class Laboratory:
    """Reads the observations of one document as results."""

    def __init__(self, narrative: Narrative, *, patient_key: str, document_set: str) -> None:
        self._narrative = narrative
        self._patient_key = patient_key
        self._document_set = document_set
        self._panels: dict[Element, _Said] = {}

    def result(self, observation: Element) -> Result | Reason:
        """An observation as a result, or why it is none."""
        coded = first(observation, "code")
        around = [self._said(observation), *map(self._panel, panels(observation))]
        code = _code(coded, around[0].name)
        status = _nearest(said.status for said in around)
        if reason := _not_done(observation, code, status):
            return reason
        found = value(observation, self._narrative)
        if found is Reason.NO_VALUE and status == _TAKEN_BACK and code is not None:
            found = Value(kind=ValueKind.ABSENT, text="")
        if not isinstance(found, Value):
            return _WITHOUT_VALUE.get(status, found) if found is Reason.NO_VALUE else found
        if code is None:
            return Reason.NO_CODE_AND_NO_NAME
        found = _with_unit(found, observation)
        collected = _nearest(said.time for said in around)
        standing = _IN_WORDS.get(_standing(observation), _STATUS.get(status, ResultStatus.UNKNOWN))
        return Result(
            source_id=source_id(self._whose(observation), code.key, _same_time(collected)),
            patient_key=self._patient_key,
            code=code,
            name=around[0].name or code.code,
            value=found,
            status=standing,
            collected=moments.moment(collected),
            issued=moments.moment(moments.written(first(observation, "author/time"))),
            alternates=tuple(other for other in codes(coded) if other.key != code.key),
            ranges=ranges(observation, found, self._narrative),
            flags=flags(observation),
            panel=self._panel_name(observation),
            specimen=_nearest(said.specimen for said in around),
            method=name(first(observation, "methodCode"), self._narrative),
            performer=_nearest(said.performer for said in around),
            orderer=_orderer(observation),
            comment="\n".join(dict.fromkeys(said.comment for said in around if said.comment)),
            before=tuple(self._before(observation))[:MOST_BEFORE],
        )

    def _before(self, observation: Element) -> Iterator[Before]:
        """What it said until it was corrected, the last one first, as our documents carry it."""
        for beside in every(observation, "entryRelationship/observation"):
            until = moments.moment(attribute(first(beside, "effectiveTime/high"), "value"))
            is_over = attribute(first(beside, "statusCode"), "code") == OBSOLETE
            if is_over and until and until.precision is Precision.INSTANT:
                found = value(beside, self._narrative)
                if found is Reason.NO_VALUE:
                    found = Value(kind=ValueKind.TEXT, text="")
                if isinstance(found, Value):
                    unit = _with_unit(found, beside).unit
                    yield Before(value=found.text, unit=unit, corrected_at=until.at)

    def label(self, observation: Element) -> str:
        """What staff know an observation by."""
        coded = first(observation, "code")
        return name(coded, self._narrative) or attribute(coded, "code") or "Observation"

    def written_time(self, observation: Element) -> str:
        """When a result was collected, as written: by itself, or by the nearest panel."""
        around = (self._said(observation), *map(self._panel, panels(observation)))
        return _nearest(said.time for said in around)

    def _whose(self, observation: Element) -> str:
        return identity(observation) or f"{self._document_set} {self._patient_key}"

    def _panel(self, organizer: Element) -> _Said:
        if organizer not in self._panels:
            self._panels[organizer] = self._said(organizer)
        return self._panels[organizer]

    def _panel_name(self, observation: Element) -> str:
        around = next(panels(observation), None)
        if around is None:
            around = nearest(observation, "observation")
        return "" if around is None else self._panel(around).name

    def _said(self, element: Element) -> _Said:
        return _Said(
            name=name(first(element, "code"), self._narrative),
            time=moments.written(first(element, "effectiveTime")),
            status=attribute(first(element, "statusCode"), "code").lower(),
            specimen=_specimen(element, self._narrative),
            performer=_performer(element),
            comment=_comment(element, self._narrative),
        )


def source_id(*parts: str) -> str:
    """One short name for what these parts identify, which tells nobody what they are."""
    return "ccda:" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _nearest(said: Iterable[str]) -> str:
    return next(filter(None, said), "")


def _code(coded: Element | None, called: str) -> Code | None:
    """What tells tests apart: the LOINC code if there is one, else any, else the name."""
    found = list(codes(coded))
    if found:
        return next((code for code in found if code.system == LOINC), found[0])
    return Code(system="text", code=called) if called else None


def _same_time(written: str) -> str:
    """One spelling of a time, so that another spelling of it is no other result."""
    moment = moments.moment(written)
    return f"{moment.at.isoformat()} {moment.precision}" if moment else written


def _not_done(observation: Element, code: Code | None, status: str) -> Reason | None:
    """Why an observation was never made: it is planned, or said not to have been done."""
    mood = attribute(observation, "moodCode")
    if mood in _ORDERED:
        return Reason.PENDING
    if attribute(observation, "negationInd") == "true":
        ordered = status in _NOT_YET or code is None or code.system == "text"
        return Reason.PENDING if ordered else Reason.NOT_A_RESULT
    return None if mood in {"", "EVN"} else Reason.NOT_A_RESULT


def _with_unit(found: Value, observation: Element) -> Value:
    """The value with the unit that is said beside it, where it has none of its own."""
    if found.unit or found.kind in {ValueKind.CODED, ValueKind.TIME, ValueKind.RATIO}:
        return found
    for beside in every(observation, "entryRelationship/observation"):
        if attribute(first(beside, "code"), "code") == UNIT_CODE:
            said = first(beside, "value")
            unit = attribute(said, "code") or attribute(said, "displayName") or line(said)
            return replace(found, unit="" if unit in NO_UNIT else one_line(unit))
    return found


def _specimen(element: Element, narrative: Narrative) -> str:
    entities = every(element, "specimen/specimenRole/specimenPlayingEntity")
    return _nearest(
        name(first(entity, "code"), narrative) or line(first(entity, "name")) for entity in entities
    )


def _standing(observation: Element) -> str:
    """What a remark beside the result says of its status, in words."""
    remarks = every(observation, "entryRelationship/observation")
    said = (
        line(first(remark, "value")).lower()
        for remark in remarks
        if attribute(first(remark, "code"), "code") == STATUS_CODE
    )
    return next(filter(None, said), "")


def _orderer(observation: Element) -> str:
    """Who asked for it: the participant who is told of it (HL7 ParticipationType REF)."""
    return _nearest(
        line(first(one, "participantRole/playingEntity/name"))
        for one in every(observation, "participant")
        if attribute(one, "typeCode") == "REF"
    )


def _performer(element: Element) -> str:
    return _nearest(
        line(first(entity, "representedOrganization/name"))
        or person(first(entity, "assignedPerson/name"))
        for entity in every(element, "performer/assignedEntity")
    )


def _comment(element: Element, narrative: Narrative) -> str:
    remarks = (
        narrative.lines(first(remark, "text")) or line(first(remark, "value"))
        for path in ("entryRelationship/act", "entryRelationship/observation", "component/act")
        for remark in every(element, path)
        if _is_comment(remark)
    )
    text = "\n".join(dict.fromkeys(filter(None, remarks)))
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _is_comment(remark: Element) -> bool:
    code = attribute(first(remark, "code"), "code")
    return code == COMMENT_CODE or bool(templates(remark) & _COMMENT_TEMPLATES)
