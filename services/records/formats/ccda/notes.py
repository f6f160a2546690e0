"""Documents inside a document: Note Activities that hold a file (C-CDA R2.1 Companion Guide)."""

from collections.abc import Iterator

from services.records.domain.found import Document, LeftOut, Reason
from services.records.domain.result import LOINC
from services.records.formats.ccda import moments
from services.records.formats.ccda.body import decoded
from services.records.formats.ccda.codes import codes, identity
from services.records.formats.ccda.header import person
from services.records.formats.ccda.narrative import line
from services.records.formats.ccda.observation import source_id
from services.records.formats.ccda.tree import Element, attribute, every, first, templates, within

_NOTE = "2.16.840.1.113883.10.20.22.4.202"


def notes(root: Element, *, patient_key: str) -> Iterator[Document | LeftOut]:
    """Every file that a note holds; a note that is only narrative is read where it stands."""
    for act in within(root, "act"):
        if not _holds_a_file(act):
            continue
        coded = first(act, "code")
        title = line(first(coded, "originalText")) or attribute(coded, "displayName") or "Document"
        try:
            content = decoded(_text(act).text or "")
        except ValueError:
            yield LeftOut(reason=Reason.BAD_CONTENT, what=f"Document {title}", where="Notes")
            continue
        if content:
            yield _document(act, title, content, patient_key)


def is_file(entry: Element) -> bool:
    """Whether an entry is read here."""
    return any(_holds_a_file(act) for act in every(entry, "act"))


def _text(act: Element) -> Element:
    found = first(act, "text")
    assert found is not None  # noqa: S101 - asked before
    return found


def _holds_a_file(act: Element) -> bool:
    return (
        _NOTE in templates(act)
        and attribute(first(act, "text"), "representation").upper() == "B64"
        and not attribute(first(act, "text"), "compression")
        and bool(identity(act))
    )


def _document(act: Element, title: str, content: bytes, patient_key: str) -> Document:
    kind = first(act, "code/translation")
    replaced = (
        identity(parent)
        for relation in every(act, "reference")
        if attribute(relation, "typeCode") == "RPLC"
        for parent in every(relation, "externalDocument")
    )
    earlier = next(filter(None, replaced), "")
    return Document(
        source_id=source_id(identity(act), "note"),
        patient_key=patient_key,
        title=title,
        media_type=attribute(_text(act), "mediaType").lower(),
        content=content,
        kind=attribute(kind, "displayName") or line(first(kind, "originalText")),
        kind_code=next((code.code for code in codes(kind) if code.system == LOINC), ""),
        dated=moments.moment(moments.written(first(act, "effectiveTime"))),
        author=", ".join(dict.fromkeys(filter(None, map(_author, every(act, "author"))))),
        replaces=source_id(earlier, "note") if earlier else "",
    )


def _author(author: Element) -> str:
    return person(first(author, "assignedAuthor/assignedPerson/name"))
