"""Charts as they come out of the database, made of what a reader found or of nothing but chance."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from unicodedata import category
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from libs.contracts.identity.practices import Practice
from libs.contracts.messaging.mailbox import Letter
from libs.contracts.messaging.writing import Attachment, Category
from libs.contracts.records.exports import Kind, Selection
from libs.contracts.records.moments import Precision
from libs.contracts.records.patients import Person
from libs.vault.content import Content
from libs.vault.media import Media
from services.records.domain import kept
from services.records.domain.chart import Chart, Measured
from services.records.domain.document import Arrival, Document, imported
from services.records.domain.found import Document as Found
from services.records.domain.result import (
    LOINC,
    Code,
    Moment,
    ReferenceRange,
    Result,
    ResultStatus,
    Value,
    ValueKind,
)
from services.records.domain.result import Precision as Exactly
from services.records.exporting.pieces import Base64, Pieces

NOW = datetime(2026, 11, 23, 20, 15, 30, tzinfo=UTC)
EVERYTHING = Selection(kinds=frozenset(Kind))
PRACTICE = Practice(
    practice_id=uuid4(),
    name="Lakeside Oncology & Søns",
    phone="(720) 555-0142",
    address="1840 Cottonwood Avenue, Denver",
    hours="",
    emergency="Call 911.",
    time_zone="America/Denver",
)
ROSA = Person(
    patient_id=uuid4(),
    practice_id=PRACTICE.practice_id,
    given="Rosa",
    family="Alvarez <Ruiz>",
    birth_date=date(1961, 4, 12),
    mrn="40-2217",
)


def chart(
    results: Sequence[Measured] = (),
    documents: Sequence[Document] = (),
    messages: Sequence[Letter] = (),
    person: Person = ROSA,
) -> Chart:
    return Chart(
        person=person,
        practice=PRACTICE,
        selection=EVERYTHING,
        made_at=NOW,
        results=results,
        documents=documents,
        messages=messages,
    )


def letter(subject: str, body: str, *, at: datetime = NOW, files: Sequence[str] = ()) -> Letter:
    """A message, with files of these names."""
    return Letter(
        message_id=uuid4(),
        conversation_id=uuid4(),
        from_practice=False,
        author="Rosa Alvarez <Ruiz>",
        on_behalf=False,
        sent_at=at,
        subject=subject,
        category=Category.HEALTH,
        body=body,
        files=tuple(
            Attachment(
                attachment_id=uuid4(),
                file_name=name,
                media_type="text/plain",
                size=0,
                viewable=True,
            )
            for name in files
        ),
    )


async def nothing(*_: object) -> bytes:
    """What came with a message, where there is none of it."""
    return b""


def measured(found: Iterable[Result]) -> list[Measured]:
    """Results as they are kept: what is not shown is left out."""
    found = list(found)
    rows = [kept.kept(one) for one in found]
    return [
        Measured(
            id=uuid4(),
            **{
                name: getattr(row, name)
                for name in (
                    "system", "code", "name", "value", "number", "comparator", "unit",
                    "range_low", "range_high", "range_text", "flag", "status", "collected_at",
                    "zoned", "issued_at", "specimen", "performer", "orderer", "comment",
                )
            },
            kind=row.kind.value,
            precision=Precision(row.precision.value),
            day=(row.collected_at or NOW).date(),
            before=one.before,
        )
        for one, row in zip(found, rows, strict=True)
        if row.rank < 6
    ]  # fmt: skip


def filed(found: Iterable[Found]) -> dict[UUID, tuple[Document, bytes]]:
    """Documents as they are kept, with their content."""
    made = {}
    by = Arrival(
        practice_id=PRACTICE.practice_id, patient_id=ROSA.patient_id, added_at=NOW, added_by=uuid4()
    )
    for one in found:
        content = Content(
            id=uuid4(),
            owner_id=ROSA.patient_id,
            size=len(one.content),
            sha256=hashlib.sha256(one.content).hexdigest(),
        )
        kind = Media(media_type=one.media_type or "application/octet-stream")
        document = imported(one, content, kind, by=by, zone=ZoneInfo(PRACTICE.time_zone))
        made[document.id] = document, one.content
    return made


def whole(pieces: Pieces, contents: dict[UUID, bytes] | None = None) -> bytes:
    """A file with its documents put in."""
    return b"".join(
        piece
        if isinstance(piece, bytes)
        else b64encode((contents or {})[piece.document.id])
        if isinstance(piece, Base64)
        else b""
        for piece in pieces
    )


def shown(found: Iterable[Result]) -> list[tuple[object, ...]]:
    """What a screen says of results, in no order; what two forms of nothing mean is the same."""
    return sorted(
        (
            row.test_key, row.name, row.value, row.comparator, row.unit,
            str(row.number), str(row.range_low), str(row.range_high), row.range_text, row.flag,
            row.status, str(row.collected_at), row.precision, row.zoned, row.specimen,
            row.performer, row.orderer, row.comment,
            *(f"{was.value} {was.unit} until {was.corrected_at}" for was in one.before),
        )
        for one in found
        if (row := kept.kept(one)).rank < 6
    )  # fmt: skip


def readable(found: Iterable[Result]) -> list[tuple[object, ...]]:
    """The same, without what only FHIR can tell apart: runs of spaces, and what nobody can see."""
    return sorted(
        tuple(_seen(part) if isinstance(part, str) else part for part in row)
        for row in shown(found)
    )


def _seen(text: str) -> str:
    return " ".join("".join(one for one in text if category(one) != "Cf").split())


def papers(title: str) -> list[Document]:
    """Two documents of this title."""
    found = [
        Found(source_id=str(number), patient_key="", title=title, media_type="", content=b"x")
        for number in range(2)
    ]
    return [document for document, _ in filed(found).values()]


def albumin() -> Result:
    """A result with all that a result can have."""
    return Result(
        source_id="albumin",
        patient_key="",
        code=Code(system=LOINC, code="1751-7"),
        name="Albumin",
        value=Value(kind=ValueKind.QUANTITY, text="3.1", number=Decimal("3.1"), unit="g/dL"),
        status=ResultStatus.CORRECTED,
        collected=Moment(at=NOW, precision=Exactly.INSTANT),
        issued=Moment(at=NOW, precision=Exactly.INSTANT),
        ranges=(ReferenceRange(low=Decimal("3.5")),),
        flags=("L",),
        specimen="Serum",
        performer="Quest",
        orderer="Dr. Okafor",
        comment="Repeated.",
    )


HOSTILE_NAMES = (
    "../../etc/passwd",
    "..",
    "",
    ".",
    "C:\\Windows\\system32\\cmd.exe",
    "=HYPERLINK(1).csv",
    "-rf",
    "con.pdf. . ",
    "\u202egpj.exe",
    "line\nbreak\x00\x1b[31m.txt",
    "漢" * 300 + ".pdf",
    "Cafe\u0301.pdf",
    "Café.pdf",
    "CAFÉ.PDF",
    "a" * 400 + "." + "b" * 400,
    "<script>alert(\"1\")</script> & 'x'.html",
    "100% #1?.txt",
    "\U0001f9ea.bin",
    "رسالة.pdf",
)
"""What a file may be called by somebody who means no good, or thinks of no other system."""


def odd_papers(dated: Exactly | Precision | None = None) -> list[Document]:
    """A document of each of these names, dated so exactly; the second stands in for the first."""
    at = Moment(at=NOW, precision=Exactly(dated.value)) if dated else None
    found = [
        Found(
            source_id=str(number),
            patient_key="",
            title=name or "No name",
            file_name=name,
            media_type="text/plain; charset=utf-8",
            content=name.encode(),
            author="O’Neill & Søn <MD>" if number % 2 else "",
            kind="Note <1>",
            kind_code="11506-3" if number % 3 else "",
            dated=at,
        )
        for number, name in enumerate(HOSTILE_NAMES)
    ]
    made = [
        replace(document, file_name=one.file_name)
        for one, (document, _) in zip(found, filed(found).values(), strict=True)
    ]
    return [replace(made[0], replaced_by=made[1].id), *made[1:]]
