"""The laboratory results of a document, and a word on everything beside them that is not one."""

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import replace

from services.records.domain.found import LeftOut, Reason
from services.records.domain.result import Result
from services.records.formats.ccda.narrative import Narrative
from services.records.formats.ccda.observation import COMMENT_CODE, UNIT_CODE, Laboratory
from services.records.formats.ccda.sections import Sections, is_result
from services.records.formats.ccda.tree import Element, attribute, every, first, within

_PART_OF_A_RESULT = {COMMENT_CODE, UNIT_CODE}
"""Observations that were read into the result they hang on, and so weren't left out."""


def results(
    root: Element, narrative: Narrative, *, patient_key: str, document_set: str
) -> Iterator[Result | LeftOut]:
    """Every result of the Results sections, then what else the document holds for machines."""
    sections = Sections(root)
    laboratory = Laboratory(narrative, patient_key=patient_key, document_set=document_set)
    alike: Counter[tuple[Reason, str, str]] = Counter()
    numbers: Counter[Element] = Counter()
    told: Counter[str] = Counter()
    said: set[Hashable] = set()
    for observation, section in sections.observations():
        numbers[section] += 1
        where = f"{sections.called(section)}, observation {numbers[section]}"
        what = laboratory.label(observation)
        if not is_result(observation, section):
            if attribute(first(observation, "code"), "code") not in _PART_OF_A_RESULT:
                alike[Reason.NOT_A_RESULT, what, sections.called(section)] += 1
            continue
        if sections.about_someone_else(observation):
            yield LeftOut(reason=Reason.NOT_A_RESULT, what=f"{what} (of someone else)", where=where)
            continue
        found = laboratory.result(observation)
        if isinstance(found, Reason):
            yield LeftOut(reason=found, what=what, where=where)
            continue
        saying = (found.source_id, found.value, found.status, found.flags)
        if saying in said:
            yield LeftOut(reason=Reason.DUPLICATE, what=what, where=where)
            continue
        said.add(saying)
        earlier = told[found.source_id]
        told[found.source_id] += 1
        # Some systems give all results of a panel, or of a test, one and the same number.
        yield replace(found, source_id=f"{found.source_id}-{earlier}") if earlier else found
        if found.collected is None:
            reason = Reason.BAD_TIME if laboratory.written_time(observation) else Reason.NO_TIME
            yield LeftOut(reason=reason, what=what, where=where)
    for (reason, what, where), count in alike.items():
        yield LeftOut(reason=reason, what=what, where=where, count=count)
    yield from _not_kept(sections)


def _not_kept(sections: Sections) -> Iterator[LeftOut]:
    """What the portal keeps in no form but the document's own: medication, problems, visits …"""
    for section in sections.results():
        without = [
            entry
            for entry in every(section, "entry")
            if next(within(entry, "observation"), None) is None
        ]
        if without:
            yield LeftOut(
                reason=Reason.NOT_SUPPORTED,
                what="Entry without an observation",
                where=sections.called(section),
                count=len(without),
            )
    for section in sections.others():
        if count := len(every(section, "entry")):
            yield LeftOut(
                reason=Reason.NOT_SUPPORTED,
                what="Entry that is only shown in the document",
                where=sections.called(section),
                count=count,
            )
