"""A record's documents as a list shows them: under the month that each is from."""

from collections.abc import Iterable
from itertools import groupby

from gateway.wording import month, zone_named
from libs.contracts.records.documents import DocumentLine


def by_month(
    documents: Iterable[DocumentLine], zone: str
) -> list[tuple[str, tuple[DocumentLine, ...]]]:
    """In the order in which they come; one without a date of its own, by the day it was added."""

    def heading(paper: DocumentLine) -> str:
        return month(paper.dated or paper.added_at.astimezone(zone_named(zone)).date())

    return [(name, tuple(found)) for name, found in groupby(documents, key=heading)]
