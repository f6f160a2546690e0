"""What a result said before it was corrected, as our own bundles carry it."""

from typing import Any, Final

from services.records.domain.result import MOST_BEFORE, Before, Precision
from services.records.formats.fhir.elements import extension, fields, long_text, text
from services.records.formats.fhir.moments import moment
from services.records.formats.fhir.window import Json

BEFORE: Final = "urn:carespace:before"
_LOOKED_AT: Final = MOST_BEFORE + 20
"""Extensions of one result, of whatever kind."""


def before(said: Json) -> tuple[Before, ...]:
    """The earlier values, the last one first; one without its time is none."""
    listed = said.get("extension")
    looked_at = map(fields, listed[:_LOOKED_AT] if isinstance(listed, list) else ())
    marked = (one for one in looked_at if one.get("url") == BEFORE)
    return tuple(filter(None, map(_before, marked)))[:MOST_BEFORE]


def _before(said: Json) -> Before | None:
    at = moment(_part(said, "corrected", "valueInstant"))
    if at is None or at.precision is not Precision.INSTANT:
        return None
    return Before(
        value=long_text(_part(said, "value", "valueString")),
        unit=text(_part(said, "unit", "valueString")),
        corrected_at=at.at,
    )


def _part(said: Json, name: str, kind: str) -> Any:
    return extension(said, name).get(kind)
