"""Passwords that are tried first: those that many people use, or that leaked, however dressed up.

A composition rule has people turn "password" into "Password1!", so what is looked up is what is
left without the dress. The list and the estimate are zxcvbn's (MIT), 30,000 passwords from leaks;
nothing is asked of anyone over the network.
"""

import re
from functools import cache

import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

FEW_GUESSES = 1_000_000
"""A password found within so many falls to patient guessing online (zxcvbn's scores 0 and 1)."""
ESTIMATED = 32
"""Characters that are estimated: the work grows with the square, and a beginning that is hard to
guess is enough."""
SHORTEST_CORE = 4
"""Letters of a known password that count, once the dress is off."""
TAIL = 4
"""Digits at the end that may have been added to a known password which ends in digits itself."""
LEET = str.maketrans("@4380!1|$579", "aaebollisstg")
OTHER_LEET = str.maketrans("1!|", "iii")
UNSHIFTED = str.maketrans("!@#$%^&*()", "1234567890")
"""`!QAZ@wsx` is `1qaz2wsx` with a key held down (a US keyboard)."""


@cache
def _known() -> frozenset[str]:
    return frozenset(FREQUENCY_LISTS["passwords"])


def common(text: str) -> bool:
    """Whether many people use this password, or one that it is only a dressed-up form of."""
    return any(_is_known(form) for form in _undressed(text.lower())) or _soon_guessed(text)


def _undressed(plain: str) -> set[str]:
    """The same without a capital, without symbols or digits around it, with letters for digits."""
    plain = re.sub(r"\s+", "", plain)
    bare = re.sub(r"^[\W_]+|[\W_]+$", "", plain)
    forms = {plain, bare, plain.translate(UNSHIFTED), bare.translate(UNSHIFTED)}
    forms |= {bare[:-tail] for tail in range(1, TAIL + 1) if bare[-tail:].isdecimal()}
    forms |= {re.sub(r"^[\W\d_]+|[\W\d_]+$", "", form) for form in (plain, bare)}
    forms |= {form.translate(leet) for form in tuple(forms) for leet in (LEET, OTHER_LEET)}
    forms |= {form.translate(OTHER_LEET).translate(LEET) for form in tuple(forms)}
    forms |= {re.sub(r"^[\W\d_]+|[\W\d_]+$", "", form) for form in tuple(forms)}
    return forms | {form[::-1] for form in forms}


def _is_known(form: str) -> bool:
    """On the list, as it is or written several times."""
    repeated = re.fullmatch(r"(.{4,}?)\1+", re.sub(r"[\W_]+", "", form))
    cores = {form, repeated[1]} if repeated else {form}
    return any(len(core) >= SHORTEST_CORE and core in _known() for core in cores)


def _soon_guessed(text: str) -> bool:
    """By rows of keys, runs, repeats, dates and words."""
    return bool(zxcvbn.zxcvbn(text[:ESTIMATED])["guesses"] < FEW_GUESSES)
