"""A list of patients as CSV: whoever made it, in whatever columns and spelling."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from io import StringIO

from libs.contracts.base import Refused
from libs.contracts.records.patients import CSV_LIMIT
from libs.contracts.records.refusals import Refusal
from services.records.domain.patient import Entry, Known, Who, entry, folded

MOST_LINES = 5000
COLUMNS = {
    "given": {"given", "given name", "given names", "first", "first name", "firstname", "forename", "vorname", "nombre"},
    "family": {"family", "family name", "last", "last name", "lastname", "surname", "nachname", "apellido", "apellidos"},
    "born": {"born", "birth date", "birthdate", "date of birth", "dob", "birthday", "geburtsdatum", "fecha de nacimiento"},
    "email": {"email", "e mail", "email address", "e mail address", "mail", "correo"},
    "mrn": {"mrn", "record number", "record no", "medical record number", "chart", "chart number", "patient id"},
}  # fmt: skip
"""Names that a column may have, without case, accents and punctuation."""
ADDED = "added"
UNCHANGED = "unchanged"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the list as it was written."""

    number: int
    given: str
    family: str
    born: str
    email: str
    mrn: str

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}".strip()

    def entry(self, today: date) -> Entry:
        """Whom it puts on the list; else why nobody."""
        return entry(
            given=self.given,
            family=self.family,
            birth_date=day(self.born),
            email=self.email,
            mrn=self.mrn,
            today=today,
        )


def lines(content: bytes) -> list[Line]:
    """Each line with somebody on it; `Refused` for what is no such list."""
    if len(content) > CSV_LIMIT:
        raise Refused(Refusal.TOO_LARGE)
    rows = [(number, row) for number, row in _rows(_decoded(content)) if any(row)]
    if not rows:
        raise Refused(Refusal.EMPTY)
    (_, header), *people = rows
    places = _places(header)
    if len(people) > MOST_LINES:
        raise Refused(Refusal.TOO_LARGE)
    return [_line(number, row, places) for number, row in people]


def day(text: str) -> date:
    """1961-04-12, 12.4.1961, 4/28/1961; refused for what is no date, or could be two."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        found = {_date(*(int(part) for part in text.split("-")))}
    elif dotted := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text, re.ASCII):
        found = {_date(int(dotted[3]), int(dotted[2]), int(dotted[1]))}
    elif slashed := re.fullmatch(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})", text, re.ASCII):
        one, other, year = (int(part) for part in slashed.groups())
        found = {_date(year, one, other), _date(year, other, one)}
    else:
        found = set()
    days = [one for one in found if one]
    if len(days) > 1:
        raise Refused(Refusal.BIRTH_DATE_AMBIGUOUS)
    if not days:
        raise Refused(Refusal.BIRTH_DATE_IMPOSSIBLE)
    return days[0]


class Roll:
    """Who is on the practice's list, as far as putting others on it has to know."""

    def __init__(self, known: Iterable[Known]) -> None:
        self._mrns: set[str] = set()
        self._alike: dict[Who, list[str]] = {}
        for one in known:
            self._know(one)

    def meet(self, entry: Entry) -> str:
        """Whether somebody is to be added, and then is on it; or is on it; or why not.

        Somebody of the same name and birth date is the same, unless the numbers say otherwise.
        """
        alike = self._alike.get(entry.who, [])
        if any(not entry.mrn or mrn in ("", entry.mrn) for mrn in alike):
            return UNCHANGED
        if entry.mrn in self._mrns:
            return Refusal.MRN_TAKEN
        self._know(Known(who=entry.who, mrn=entry.mrn))
        return ADDED

    def _know(self, one: Known) -> None:
        self._alike.setdefault(one.who, []).append(one.mrn)
        self._mrns |= {one.mrn} - {""}


def _line(number: int, row: list[str], places: dict[str, int]) -> Line:
    cells = {column: row[place] if place < len(row) else "" for column, place in places.items()}
    return Line(
        number=number,
        given=cells["given"],
        family=cells["family"],
        born=cells["born"],
        email=cells.get("email", ""),
        mrn=cells.get("mrn", ""),
    )


def _date(year: int, month: int, day_: int) -> date | None:
    try:
        return date(year, month, day_)
    except ValueError:
        return None


def _decoded(content: bytes) -> str:
    """UTF-8 with or without its mark, UTF-16 with it, or what Excel writes on Windows."""
    codec = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(codec)
    except UnicodeDecodeError:
        text = _windows(content)
    if "\0" in text:
        raise Refused(Refusal.LIST_NOT_READABLE)
    return text


def _windows(content: bytes) -> str:
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        raise Refused(Refusal.LIST_NOT_READABLE) from None


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """The rows with their numbers; a first line `sep=;` is Excel's, and says only that."""
    plain = StringIO(text, newline=None).getvalue()
    header = plain.lstrip("\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    try:
        rows = list(csv.reader(StringIO(plain), delimiter=delimiter))
    except csv.Error:
        raise Refused(Refusal.LIST_NOT_READABLE) from None
    is_separator = re.fullmatch(r"sep=[,;\t]", header)
    return [
        (number, [] if number == 1 and is_separator else [cell.strip() for cell in row])
        for number, row in enumerate(rows, 1)
    ]


def _places(header: list[str]) -> dict[str, int]:
    plain = [
        " ".join(re.sub(r"[^\w]+", " ", folded(cell)).replace("_", " ").split()) for cell in header
    ]
    places = {
        column: next((place for place, cell in enumerate(plain) if cell in names), -1)
        for column, names in COLUMNS.items()
    }
    found = {column: place for column, place in places.items() if place >= 0}
    if not {"given", "family", "born"} <= set(found):
        raise Refused(Refusal.LIST_NOT_READABLE)
    return found
