"""The rules of a practice's list of patients."""

import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from email_validator import EmailNotValidError, validate_email

from libs.contracts.base import Refused
from libs.contracts.records.refusals import Refusal

LONGEST_NAME = 200
LONGEST_MRN = 64
FIRST_BIRTH = date(1880, 1, 1)

Who: TypeAlias = tuple[str, str, date]
"""Family name and given name without case and accents, and birth date."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Somebody as they are put on the list: checked, and in one form."""

    given: str
    family: str
    birth_date: date
    email: str
    mrn: str

    @property
    def who(self) -> Who:
        return self.family_key, self.given_key, self.birth_date

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

    who: Who
    mrn: str


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
    if not FIRST_BIRTH <= birth_date <= today:
        raise Refused(Refusal.BIRTH_DATE_IMPOSSIBLE)
    return checked


def name(text: str) -> str:
    """A name in any script, as it was written but for the way its letters are composed."""
    composed = unicodedata.normalize("NFC", text.strip()) if is_plain(text.strip()) else ""
    if not any(unicodedata.category(character)[0] in "LMNPS" for character in text):
        raise Refused(Refusal.NAME_MISSING)  # nothing of it can be seen
    if not composed or len(composed) > LONGEST_NAME:
        raise Refused(Refusal.NAME_NOT_USABLE)
    return composed


def is_plain(text: str, *, besides: str = "") -> bool:
    """Every character is one that can be seen or spaces others; of control characters, only these.

    A line's end, a NUL, and half of a character are none.
    """
    return text.isprintable() or not any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") and character not in besides
        for character in text
    )


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
    number = unicodedata.normalize("NFC", text.strip()) if is_plain(text.strip()) else ""
    if len(number) > LONGEST_MRN or (text.strip() and not number):
        raise Refused(Refusal.MRN_NOT_USABLE)
    return number


def folded(text: str) -> str:
    """Without case and accents, to find and to order by."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = (part for part in decomposed if not unicodedata.combining(part))
    return " ".join("".join(plain).split())


def words(text: str) -> list[str]:
    """What is searched for, word by word; characters that no name can have are none of it."""
    return folded("".join(one if is_plain(one) else " " for one in text)).split()


def searched(*texts: str) -> str:
    """What a patient is found by."""
    return " ".join(folded(text) for text in texts if text)
