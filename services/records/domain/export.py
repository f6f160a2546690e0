"""The rules of a file that is made of a record: how long it lasts, and which bytes lie where."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from libs.contracts.records.exports import Export as Shown
from libs.contracts.records.exports import ExportState, Format, Kind

LIFETIME = timedelta(days=1)
SILENCE = timedelta(seconds=30)
"""After this long without a word from whoever makes it, it is not being made any more."""
LARGEST = 4_000_000_000
"""Bytes: what an archive holds without the extensions that not everybody reads."""
MADE_AT_MOST = 20
MADE_SIZE = 48 * 1024 * 1024
"""Bytes of what is made for a file that one content holds."""
MEDIA_TYPES = {
    Format.HTML: "text/html",
    Format.PDF: "application/pdf",
    Format.FHIR: "application/fhir+json",
    Format.CCDA: "application/cda+xml",
    Format.ZIP: "application/zip",
}
ENDINGS = {
    Format.HTML: "html",
    Format.PDF: "pdf",
    Format.FHIR: "fhir.json",
    Format.CCDA: "ccda.xml",
    Format.ZIP: "zip",
}
TOGETHER = (Format.HTML, Format.PDF, Format.FHIR, Format.CCDA)
"""What an archive holds beside the documents."""


def steps(wanted: Format) -> int:
    """How many steps making it takes; an archive's last is all that lies beside the forms."""
    return len(TOGETHER) + 1 if wanted is Format.ZIP else 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """A file of one account's, made or being made."""

    practice_id: UUID
    id: UUID
    patient_id: UUID
    account_id: UUID
    key: UUID
    format: Format
    kinds: frozenset[Kind]
    file_name: str
    media_type: str
    state: ExportState
    done: int = 0
    total: int
    size: int = 0
    begun_at: datetime
    heard_at: datetime

    def is_lost(self, *, now: datetime) -> bool:
        """Whoever made it is gone."""
        return self.state is ExportState.MAKING and now - self.heard_at > SILENCE


def shown(export: Export, *, now: datetime) -> Shown:
    return Shown(
        export_id=export.id,
        format=export.format,
        kinds=export.kinds,
        state=ExportState.FAILED if export.is_lost(now=now) else export.state,
        done=export.done,
        total=export.total,
        size=export.size,
        file_name=export.file_name,
        media_type=export.media_type,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """Bytes of a file that come from one place."""

    position: int
    length: int
    form: str
    content_id: UUID
    start: int = 0


def made_for(export_id: UUID) -> list[UUID]:
    """The contents that are made for a file; as many as it needs of them."""
    return [uuid5(export_id, f"made {number}") for number in range(MADE_AT_MOST)]


def encoded_length(size: int) -> int:
    """Letters of base64 that so many bytes become."""
    return -(-size // 3) * 4


def raw_range(begin: int, stop: int, *, size: int) -> tuple[int, int]:
    """The bytes that these letters of base64 are made of, whole groups of three."""
    return begin // 4 * 3, min(-(-stop // 4) * 3, size)
