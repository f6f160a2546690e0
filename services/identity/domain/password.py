"""The rules for passwords, each of them met or not."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise

from zxcvbn.frequency_lists import FREQUENCY_LISTS

from libs.contracts.identity import PasswordRule

SHORTEST = 8
LONGEST = 256
"""Characters after NFKC. A longer one is refused before any work is done with it."""
PERSONAL = 3
"""Characters of a name or address that count as being in a password."""
LEET = str.maketrans("@4380!1$57", "aaeboiisst")
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
    """Every rule, met or not."""
    if len(password) > LONGEST:
        return dict.fromkeys(SHOWN, True) | {PasswordRule.TOO_LONG: False}
    text = prepared(password)
    return {
        PasswordRule.LENGTH: SHORTEST <= len(text) <= LONGEST,
        PasswordRule.UPPERCASE: any(character.isupper() for character in text),
        PasswordRule.LOWERCASE: any(character.islower() for character in text),
        PasswordRule.NUMBER: any(character.isdecimal() for character in text),
        PasswordRule.SPECIAL: any(
            not character.isalnum() and not character.isspace() for character in text
        ),
        PasswordRule.NOT_COMMON: bool(text) and not _common(text),
        PasswordRule.NOT_PERSONAL: bool(text) and not _personal(text, owner),
        PasswordRule.CONFIRMED: text == prepared(confirmed),
    }


@cache
def _known() -> frozenset[str]:
    """Passwords and words that are tried first: about 90,000 (zxcvbn's lists, MIT)."""
    return frozenset(word for words in FREQUENCY_LISTS.values() for word in words)


def _common(text: str) -> bool:
    """A known password or word, or one dressed up with a capital, digits and symbols."""
    plain = text.casefold()
    forms = {plain, plain.translate(LEET)}
    for form in tuple(forms):
        core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", form)
        forms.add(core)
    core = re.sub(r"[\W\d_]+$", "", plain)
    forms.add(core.translate(LEET))
    if any(form in _known() for form in forms if len(form) >= SHORTEST - 4):
        return True
    return len(set(plain)) < 4 or _in_a_row(plain)  # noqa: PLR2004


def _in_a_row(text: str) -> bool:
    """abcdefg1!, 12345678Aa!: mostly one run of neighbours."""
    steps = [ord(b) - ord(a) for a, b in pairwise(text)]
    longest = run = 1
    for before, step in zip([None, *steps], steps, strict=False):
        run = run + 1 if step == before and step in (-1, 0, 1) else 2
        longest = max(longest, run)
    return longest >= 6 and longest * 3 >= len(text) * 2  # noqa: PLR2004


def _personal(text: str, owner: Owner) -> bool:
    """Made of the person's own name, address, birth date, or the practice's name."""
    plain = _letters(text)
    parts: set[str] = set()
    for words in (owner.name, owner.email.split("@", 1)[0], owner.practice):
        parts |= {_letters(part) for part in re.split(r"[\W_\d]+", words)}
        parts.add(_letters(re.sub(r"[\W_]+", "", words)))
    if any(len(part) > PERSONAL and part in plain for part in parts):
        return True
    if any(len(part) == PERSONAL and plain.strip("0123456789") == part for part in parts):
        return True
    return any(form in re.sub(r"\D", "", text) for form in _dates(owner.date_of_birth))


def _dates(day: date | None) -> Collection[str]:
    if day is None:
        return ()
    return {
        f"{day:{form}}" for form in ("%Y%m%d", "%d%m%Y", "%m%d%Y", "%d%m%y", "%m%d%y", "%y%m%d")
    }


def _letters(text: str) -> str:
    """Without case and accents, so that José is found in jose."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if character.isalnum())
