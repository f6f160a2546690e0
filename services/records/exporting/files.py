"""A chart made into a file, a piece at a time."""

from collections.abc import AsyncIterator, Awaitable, Callable

from libs.contracts.records.exports import Format
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


async def pieces(chart: Chart, wanted: Format, *, step: Step) -> AsyncIterator[Piece]:
    """The file; after each part of an archive, a step is done."""
    if wanted is Format.ZIP:
        async for piece in _together(chart, step):
            yield piece
    elif wanted is Format.PDF:
        yield await pdf(chart)
    else:
        for piece in _WRITERS[wanted](chart):
            yield piece


async def _together(chart: Chart, step: Step) -> AsyncIterator[Piece]:
    paths = archive.paths(chart.documents)
    whole = archive.Archive(at=chart.made_at.astimezone(chart.zone))

    def path(of: Format) -> str:
        return f"{chart.file_name}.{ENDINGS[of]}"

    for of, made in (
        (Format.HTML, page.page(chart, paths)),
        (Format.FHIR, fhir.bundle(chart, paths)),
        (Format.CCDA, ccda.document(chart, paths)),
    ):
        for piece in whole.file(path(of), made):
            yield piece
        await step()
    for piece in whole.file(path(Format.PDF), [await pdf(chart)]):
        yield piece
    await step()
    for document in chart.documents:
        for piece in whole.document(paths[document.id], document):
            yield piece
    for piece in whole.end():
        yield piece
