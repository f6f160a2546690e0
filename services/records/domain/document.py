"""When two documents are the same, when one is a newer version of another, and how one is found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.contracts.records.documents import DocumentLine
from libs.contracts.records.moments import Precision as Shown
from libs.vault import media
from libs.vault.content import Content
from libs.vault.media import Media
from services.records.domain.found import Document as Found
from services.records.domain.matching import folded
from services.records.domain.result import Moment, Precision, ResultStatus

LONGEST_TITLE = 300
"""Characters; what is longer is cut."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A document of a patient. `source_id` is "" for one that staff uploaded."""

    practice_id: UUID
    patient_id: UUID
    id: UUID
    content_id: UUID
    source_id: str = ""
    known_as: str = ""
    replaces: str = ""
    title: str
    kind: str = ""
    kind_code: str = ""
    author: str = ""
    media_type: str
    viewable: bool
    file_name: str
    size: int
    sha256: str
    dated: date | None = None
    precision: Precision = Precision.DAY
    dated_at: datetime | None = None
    status: ResultStatus = ResultStatus.UNKNOWN
    added_at: datetime
    added_by: UUID
    import_id: UUID | None = None
    replaced_by: UUID | None = None
    withdrawn_at: datetime | None = None

    @property
    def day(self) -> date:
        """The day that it is listed under: its own, or the one on which it came."""
        return self.dated or self.added_at.date()

    def day_in(self, zone: ZoneInfo) -> date:
        """The same by the practice's calendar, on which it came in the evening before or not."""
        return self.dated or self.added_at.astimezone(zone).date()

    @property
    def words(self) -> str:
        """What a search looks in."""
        return words(f"{self.title} {self.author} {self.kind}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Filing:
    """What becomes of a document that comes in."""

    document: Document | None
    """The one to be added; None if it is there already."""
    same: UUID | None = None
    """The one that it is."""
    replaced: tuple[UUID, ...] = ()
    """Earlier versions, which this one stands in for."""


def words(text: str) -> str:
    """Text as it is searched: without accents, case and punctuation."""
    return " ".join(folded(text))


def plain(text: str, longest: int = LONGEST_TITLE) -> str:
    """Text as it can be kept in one line: cut, and without what is no character at all."""
    return " ".join("".join(text.split("\x00")).split())[:longest]


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """How something came to a patient's record."""

    practice_id: UUID
    patient_id: UUID
    added_at: datetime
    added_by: UUID
    import_id: UUID | None = None


def line(document: Document, *, since: datetime | None = None) -> DocumentLine:
    """A document as a list shows it; new if it came after this person's last visit."""
    return DocumentLine(
        document_id=document.id,
        title=document.title,
        kind=document.kind,
        author=document.author,
        media_type=document.media_type,
        file_name=document.file_name,
        size=document.size,
        dated=document.dated,
        precision=Shown(document.precision),
        added_at=document.added_at,
        new=since is not None and document.added_at > since,
        replaced=document.replaced_by is not None,
    )


def imported(
    found: Found, content: Content, kind: Media, *, by: Arrival, zone: ZoneInfo
) -> Document:
    """A document in a file, as we keep it; its days are those of the practice."""
    title = plain(found.title) or "Document"
    return Document(
        practice_id=by.practice_id,
        patient_id=by.patient_id,
        id=content.id,
        content_id=content.id,
        source_id=found.source_id,
        known_as=found.known_as,
        replaces=found.replaces,
        title=title,
        kind=plain(found.kind),
        kind_code=plain(found.kind_code),
        author=plain(found.author),
        media_type=kind.media_type,
        viewable=kind.viewable,
        file_name=media.file_name(found.file_name, title=title, media_type=kind.media_type),
        size=content.size,
        sha256=content.sha256,
        dated=day_of(found.dated, zone) if found.dated else None,
        precision=found.dated.precision if found.dated else Precision.DAY,
        dated_at=found.dated.at if found.dated else None,
        status=found.status,
        added_at=by.added_at,
        added_by=by.added_by,
        import_id=by.import_id,
    )


def day_of(moment: Moment, zone: ZoneInfo) -> date:
    """The day on the practice's calendar; a day without an hour is that day everywhere."""
    if moment.precision is Precision.INSTANT and moment.zoned:
        return moment.at.astimezone(zone).date()
    return moment.at.date()


def file(new: Document, known: Sequence[Document]) -> Filing:
    """Whether it is one of those that the patient has, a version of one, or another one.

    The same bytes of the same day are the same document, however often and from wherever they
    come; a form letter that came twice with another date is two.
    """
    if same := next((one for one in known if _is_same(new, one)), None):
        return Filing(document=None, same=same.id)
    older = [one for one in known if _is_version(new, one) and not _is_later(one, new)]
    older += [one for one in known if new.replaces and new.replaces in _names(one)]
    newer = [one for one in known if _is_version(new, one) and _is_later(one, new)]
    newer += [one for one in known if one.replaces and one.replaces in _names(new)]
    return Filing(
        document=replace(new, replaced_by=newer[0].id if newer else None),
        replaced=tuple(dict.fromkeys(one.id for one in older if one.replaced_by is None)),
    )


def taken_back(source_id: str, known: Sequence[Document]) -> tuple[UUID, ...]:
    """The documents that their author takes back."""
    return tuple(one.id for one in known if one.source_id == source_id and not one.withdrawn_at)


def _is_same(new: Document, one: Document) -> bool:
    if new.sha256 != one.sha256:
        return False
    if new.source_id and new.source_id == one.source_id:
        return True
    if one.withdrawn_at:
        return False
    if not new.source_id:
        return new.dated == one.dated and new.title == one.title and not one.replaced_by
    return new.dated == one.dated or None in (new.dated, one.dated)


def _is_version(new: Document, one: Document) -> bool:
    return bool(new.source_id) and new.source_id == one.source_id and not one.replaced_by


def _is_later(one: Document, new: Document) -> bool:
    return bool(one.dated_at and new.dated_at and one.dated_at > new.dated_at)


def _names(one: Document) -> set[str]:
    return {one.source_id, one.known_as} - {""}
