"""The rules for passwords, each of them met or not."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from libs.contracts.identity.passwords import PasswordRule
from services.identity.domain.known_passwords import LEET, common

SHORTEST = 8
LONGEST = 256
"""Characters. A longer one is refused before any work is done with it."""
PART = 3
"""Letters of a name or an address that count as a part of it."""
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SHOWN = (
    PasswordRule.LENGTH,
    PasswordRule.UPPERCASE,
    PasswordRule.LOWERCASE,
    PasswordRule.NUMBER,
    PasswordRule.SPECIAL,
    PasswordRule.NOT_COMMON,
    PasswordRule.NOT_PERSONAL,
    PasswordRule.CONFIRMED,
)


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose password it is to be: what it may not be made of."""

    email: str
    name: str = ""
    date_of_birth: date | None = None
    practice: str = ""


def prepared(password: str) -> str:
    """The form that is hashed and compared (NFKC; NIST SP 800-63B-4, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def judged(password: str, confirmed: str, owner: Owner) -> dict[PasswordRule, bool]:
    """Every rule, met or not. Of one that is too long nothing else is looked at."""
    text = prepared(password[: LONGEST + 1])
    if max(len(password), len(text)) > LONGEST:
        return dict.fromkeys(SHOWN, True) | {PasswordRule.TOO_LONG: False}
    return {
        PasswordRule.LENGTH: len(text) >= SHORTEST,
        PasswordRule.UPPERCASE: any(character.isupper() for character in text),
        PasswordRule.LOWERCASE: any(character.islower() for character in text),
        PasswordRule.NUMBER: any(character.isdecimal() for character in text),
        PasswordRule.SPECIAL: any(
            not character.isalnum() and not character.isspace() for character in text
        ),
        PasswordRule.NOT_COMMON: bool(text) and not common(text),
        PasswordRule.NOT_PERSONAL: bool(text) and not _personal(text, owner),
        PasswordRule.CONFIRMED: text == prepared(confirmed[: LONGEST + 1]),
    }


def _personal(text: str, owner: Owner) -> bool:
    """Made of the person's own name, address or birth date, or of little but the practice's name.

    A part of three letters counts where it stands alone ("Ana-2024!"), a longer one anywhere:
    nobody named Ana is to be kept from bananas.
    """
    words = set(_words(text)) | set(_words(text.translate(LEET)))
    whole = {_folded(text), _folded(text.lower().translate(LEET))}
    own = {*_parts(owner.name), *_parts(owner.email.split("@", 1)[0])}
    mostly = {part for part in _parts(owner.practice) if 2 * len(part) > _letters(text)}
    return (
        any(part in words for part in own if len(part) == PART)
        or any(part in form for part in own | mostly if len(part) > PART for form in whole)
        or any(form in _folded(text) for form in _dates(owner.date_of_birth))
    )


def _parts(said: str) -> Iterator[str]:
    """All of a name in one, and each word of it."""
    yield _folded(said)
    for part in re.split(r"[\W_\d]+", said):
        yield _folded(part)


def _letters(text: str) -> int:
    return sum(character.isalpha() for character in text)


def _words(text: str) -> Iterator[str]:
    """The words in a password, told apart by symbols, digits and capitals."""
    for word in re.findall(r"[^\W\d_]+", text):
        yield _folded(word)
        for part in re.findall(r"[A-Z]?[a-z]+", word):
            yield _folded(part)


def _dates(day: date | None) -> Iterator[str]:
    """A birth date as people write it, without what stands between."""
    if day is None:
        return
    months = (f"{day:%m}", f"{day.month}", MONTHS[day.month - 1], f"{day:%B}".lower())
    for month in months:
        for number in (f"{day:%d}", f"{day.day}"):
            for year in (f"{day.year}", f"{day:%y}"):
                orders = (number + month + year, month + number + year, year + month + number)
                yield from (written for written in orders if len(written) > len("1111"))


def _folded(text: str) -> str:
    """Letters and digits without case and accents, so that José is found in jose."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if character.isalnum())
