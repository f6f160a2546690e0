"""A list of patients as CSV: whoever made it, in whatever columns and spelling."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from io import StringIO

from libs.contracts.base import Refused
from libs.contracts.records import CSV_LIMIT, Refusal
from services.records.domain.patient import folded

MOST_LINES = 5000
COLUMNS = {
    "given": {"given", "given name", "first", "first name", "firstname", "forename", "vorname", "nombre"},
    "family": {"family", "family name", "last", "last name", "lastname", "surname", "nachname", "apellido", "apellidos"},
    "born": {"born", "birth date", "birthdate", "date of birth", "dob", "birthday", "geburtsdatum", "fecha de nacimiento"},
    "email": {"email", "e mail", "email address", "mail", "correo"},
    "mrn": {"mrn", "record number", "record no", "medical record number", "chart", "chart number", "patient id"},
}  # fmt: skip
"""Names that a column may have, without case, accents and punctuation."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the list as it was written; a birth date that may mean two days is None."""

    number: int
    given: str
    family: str
    born: date | None
    email: str
    mrn: str


def lines(content: bytes) -> Iterator[Line]:
    """Each line with somebody on it; `Refused` for what is no such list."""
    if not content.strip():
        raise Refused(Refusal.EMPTY)
    if len(content) > CSV_LIMIT:
        raise Refused(Refusal.TOO_LARGE)
    text = _decoded(content)
    if "\0" in text:
        raise Refused(Refusal.LIST_NOT_READABLE)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = list(csv.reader(StringIO(text), delimiter=delimiter))
    except csv.Error:
        raise Refused(Refusal.LIST_NOT_READABLE) from None
    places = _places(rows[0])
    if len(rows) - 1 > MOST_LINES:
        raise Refused(Refusal.TOO_LARGE)
    for number, row in enumerate(rows[1:], 2):
        if any(cell.strip() for cell in row):
            cells = {
                column: row[place].strip() if place < len(row) else ""
                for column, place in places.items()
            }
            yield Line(
                number=number,
                given=cells["given"],
                family=cells["family"],
                born=day(cells["born"]),
                email=cells.get("email", ""),
                mrn=cells.get("mrn", ""),
            )


def day(text: str) -> date | None:
    """1961-04-12, 12.4.1961, 4/28/1961; None for what is no date, or could be two."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    if dotted := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text, re.ASCII):
        return _date(int(dotted[3]), int(dotted[2]), int(dotted[1]))
    if slashed := re.fullmatch(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})", text, re.ASCII):
        month, day_, year = (int(part) for part in slashed.groups())
        either = {_date(year, month, day_), _date(year, day_, month)} - {None}
        return either.pop() if len(either) == 1 else None
    return None


def _date(year: int, month: int, day_: int) -> date | None:
    try:
        return date(year, month, day_)
    except ValueError:
        return None


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _places(header: list[str]) -> dict[str, int]:
    plain = [
        " ".join(re.sub(r"[^\w]+", " ", folded(cell)).replace("_", " ").split()) for cell in header
    ]
    places = {
        column: place
        for column, names in COLUMNS.items()
        for place, cell in enumerate(plain)
        if cell in names
    }
    if not {"given", "family", "born"} <= set(places):
        raise Refused(Refusal.LIST_NOT_READABLE)
    return places
