"""How long a password that somebody chose withstands guessing, once what it locks is stolen.

Each guess costs argon2id with 64 MiB. Whoever rents a thousand cores makes ten thousand a second,
some 10^9 a day; what zxcvbn finds within fewer is no lock.
"""

import re
from collections.abc import Iterable
from enum import IntEnum

import zxcvbn

ESTIMATED = 72
"""Characters that are looked at; the time for more grows fast, and the estimate hardly."""


class Strength(IntEnum):
    """The guesses that it takes, as a power of ten, from here on."""

    GUESSABLE = 0
    WEAK = 9
    GOOD = 11
    STRONG = 14


def strength(text: str, known: Iterable[str] = ()) -> Strength:
    """How strong it is against whoever knows these names and addresses, and each part of them."""
    if not text:
        return Strength.GUESSABLE
    parts = [part for one in known for part in {one, *re.split(r"\W+", one)} if part]
    log10 = float(zxcvbn.zxcvbn(text[:ESTIMATED], user_inputs=parts)["guesses_log10"])
    return max(one for one in Strength if log10 >= one)
