"""A chart as a page that holds all that it needs: to read on any screen, and to print."""

from collections.abc import Mapping
from functools import cache
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from services.records.domain.chart import Chart
from services.records.exporting import words
from services.records.exporting.pieces import Pieces

_TOGETHER = 16 * 1024
"""Characters, roughly, that are made into bytes at once."""


def page(chart: Chart, paths: Mapping[UUID, str] | None = None) -> Pieces:
    """The page; with paths, it leads to the documents where they lie beside it."""
    said = _template().generate(chart=chart, paths=paths or {}, words=words, zone=chart.zone)
    waiting: list[str] = []
    length = 0
    for part in said:
        waiting.append(part)
        length += len(part)
        if length > _TOGETHER:
            yield "".join(waiting).encode()
            waiting, length = [], 0
    yield "".join(waiting).encode()


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("services.records.exporting", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")
