"""A chart made into a file, a piece at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from libs.contracts.base import Refused
from libs.contracts.messaging.mailbox import Letter
from libs.contracts.messaging.writing import Attachment
from libs.contracts.records.exports import Format
from libs.vault.content import chunks_of
from services.records.domain.chart import Chart
from services.records.domain.export import ENDINGS
from services.records.exporting import archive, ccda, fhir, page
from services.records.exporting.pdf import pdf
from services.records.exporting.pieces import Piece, Pieces

_WRITERS: dict[Format, Callable[[Chart], Pieces]] = {
    Format.HTML: page.page,
    Format.FHIR: fhir.bundle,
    Format.CCDA: ccda.document,
}
Step = Callable[[], Awaitable[None]]
Fetch = Callable[[Letter, Attachment, int], Awaitable[bytes]]
"""A chunk of a file that came with a message, by its number."""
UNREADABLE = b"\nThe rest of this file can't be read any more. Ask the practice for it.\n"


async def pieces(chart: Chart, wanted: Format, *, step: Step, fetch: Fetch) -> AsyncIterator[Piece]:
    """The file; after each part of an archive, a step is done.

    What came with messages is fetched for the archive; the other forms name it.
    """
    if wanted is Format.ZIP:
        async for piece in _together(chart, step, fetch):
            yield piece
    elif wanted is Format.PDF:
        yield await pdf(chart)
    else:
        for piece in _WRITERS[wanted](chart):
            yield piece


async def _together(chart: Chart, step: Step, fetch: Fetch) -> AsyncIterator[Piece]:
    paths = archive.paths(chart.documents, chart.zone)
    whole = archive.Archive(at=chart.made_at.astimezone(chart.zone))

    def path(of: Format) -> str:
        return f"{chart.file_name}.{ENDINGS[of]}"

    set_meanwhile = asyncio.create_task(pdf(chart))  # by a process of its own
    try:
        for of, made in (
            (Format.HTML, page.page(chart, paths)),
            (Format.FHIR, fhir.bundle(chart, paths)),
            (Format.CCDA, ccda.document(chart, paths)),
        ):
            for piece in whole.file(path(of), made):
                yield piece
            await step()
        for piece in whole.file(path(Format.PDF), [await set_meanwhile]):
            yield piece
    finally:
        set_meanwhile.cancel()
    await step()
    for document in chart.documents:
        for piece in whole.document(paths[document.id], document):
            yield piece
    async for piece in _letter_files(chart, whole, fetch):
        yield piece
    for piece in whole.end():
        yield piece


async def _letter_files(chart: Chart, whole: archive.Archive, fetch: Fetch) -> AsyncIterator[Piece]:
    paths = archive.letter_paths(chart.messages, chart.zone)
    for letter in chart.messages:
        for file in letter.files:
            content = _fetched(letter, file, fetch)
            async for piece in whole.fetched(paths[file.attachment_id], content):
                yield piece


async def _fetched(letter: Letter, file: Attachment, fetch: Fetch) -> AsyncIterator[bytes]:
    """A chunk at a time; a file that is damaged where it lies is said to be."""
    try:
        for number in range(chunks_of(file.size)):
            yield await fetch(letter, file, number)
    except Refused:
        yield UNREADABLE
