"""The rules of a practice's list of patients."""

import unicodedata
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from libs.contracts.base import Refused
from libs.contracts.records import Refusal

LONGEST_NAME = 200
LONGEST_MRN = 64
FIRST_BIRTH = date(1880, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Somebody as they are put on the list: checked, and in one form."""

    given: str
    family: str
    birth_date: date
    email: str
    mrn: str

    @property
    def family_key(self) -> str:
        return folded(self.family)

    @property
    def given_key(self) -> str:
        return folded(self.given)

    @property
    def search(self) -> str:
        return searched(self.given, self.family, self.email, self.mrn)


@dataclass(frozen=True, kw_only=True)
class Known:
    """Who is on the list already, as far as adding somebody has to know."""

    id: UUID
    mrn: str
    email: str


def entry(  # noqa: PLR0913
    *, given: str, family: str, birth_date: date, email: str, mrn: str, today: date
) -> Entry:
    """Somebody who can be put on the list; else why not."""
    checked = Entry(
        given=name(given),
        family=name(family),
        birth_date=birth_date,
        email=address(email),
        mrn=_number(mrn),
    )
    if not checked.family or not checked.given:
        raise Refused(Refusal.NAME_MISSING)
    if not FIRST_BIRTH <= birth_date <= today:
        raise Refused(Refusal.BIRTH_DATE_IMPOSSIBLE)
    return checked


def name(text: str) -> str:
    """A name in any script, as one line; "" for one too long, or with control characters."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    hidden = any(unicodedata.category(character) in ("Cc", "Cs") for character in line)
    return "" if hidden or len(line) > LONGEST_NAME else line


def address(text: str) -> str:
    """One e-mail address, or "" for none."""
    given = text.strip()
    if not given:
        return ""
    try:
        checked = validate_email(given, check_deliverability=False, test_environment=True)
    except (EmailNotValidError, ValueError):
        raise Refused(Refusal.EMAIL_NOT_USABLE) from None
    return checked.normalized.lower()


def _number(text: str) -> str:
    line = name(text)
    if len(line) > LONGEST_MRN or (text.strip() and not line):
        raise Refused(Refusal.NAME_MISSING)
    return line


def folded(text: str) -> str:
    """Without case and accents, to find and to order by."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in decomposed if not unicodedata.combining(part))


def searched(*texts: str) -> str:
    return " ".join(folded(text) for text in texts if text)
