"""The laboratory results of a document, and a word on everything beside them that is not one."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from services.records.domain.found import LeftOut, Reason
from services.records.domain.result import Result
from services.records.formats.ccda.narrative import Narrative
from services.records.formats.ccda.notes import is_file
from services.records.formats.ccda.observation import Laboratory, is_part_of_a_result
from services.records.formats.ccda.sections import Sections, is_result
from services.records.formats.ccda.tree import Element, every, within


def results(
    root: Element, narrative: Narrative, *, patient_key: str, document_set: str
) -> Iterator[Result | LeftOut]:
    """Every result of the Results sections, then what else the document holds for machines."""
    sections = Sections(root)
    laboratory = Laboratory(narrative, patient_key=patient_key, document_set=document_set)
    alike: Counter[tuple[Reason, str, str]] = Counter()
    numbers: Counter[Element] = Counter()
    repeated = _Repeated()
    for observation, section in sections.observations():
        numbers[section] += 1
        if not is_result(observation, section):
            if not is_part_of_a_result(observation):
                what = laboratory.label(observation)
                alike[Reason.NOT_A_RESULT, what, sections.called(section)] += 1
            continue
        found = _result(laboratory, sections, observation)
        if isinstance(found, Result):
            found = repeated.told_apart(found)
        if isinstance(found, Result):
            yield found
            if found.collected is not None:
                continue
            found = Reason.BAD_TIME if laboratory.written_time(observation) else Reason.NO_TIME
        yield LeftOut(
            reason=found,
            what=laboratory.label(observation),
            where=f"{sections.called(section)}, observation {numbers[section]}",
        )
    for (reason, what, where), count in alike.items():
        yield LeftOut(reason=reason, what=what, where=where, count=count)
    yield from _not_kept(sections)


def _result(laboratory: Laboratory, sections: Sections, observation: Element) -> Result | Reason:
    if sections.about_someone_else(observation):
        return Reason.NOT_A_RESULT
    return laboratory.result(observation)


@dataclass(slots=True)
class _Repeated:
    """What was said so far. Some systems give all results of a panel one and the same number."""

    _said: set[int] = field(default_factory=set)
    _times: Counter[str] = field(default_factory=Counter)

    def told_apart(self, result: Result) -> Result | Reason:
        """A result under an identity of its own, or that it was said already, in every point."""
        saying = hash((result.source_id, result.value, result.status, result.flags))
        if saying in self._said:
            return Reason.DUPLICATE
        self._said.add(saying)
        earlier = self._times[result.source_id]
        self._times[result.source_id] += 1
        return replace(result, source_id=f"{result.source_id}-{earlier}") if earlier else result


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
        if count := sum(not is_file(entry) for entry in every(section, "entry")):
            yield LeftOut(
                reason=Reason.NOT_SUPPORTED,
                what="Entry that is only shown in the document",
                where=sections.called(section),
                count=count,
            )
