"""The words of a message: their limits, and how they are found again."""

import re
import unicodedata

from libs.contracts.base import Refused
from libs.contracts.messaging.queue import NOTE_LIMIT
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.writing import BODY_LIMIT, STAFF_BODY_LIMIT, SUBJECT_LIMIT

PREVIEW = 120
"""Characters of a message that the queue shows."""
BEGINNING = 4
"""Letters by which a word is found; what follows them is compared once the message is open."""
WORDS_ASKED = 8
"""Words of a search that count; more of them find nothing that these do not."""
_WORD = re.compile(r"\w+")


def subject(given: str) -> str:
    """A subject as it is kept: one line, 1 to 200 characters."""
    kept = " ".join(_clean(given).split())
    if not _says_something(kept):
        raise Refused(Refusal.SUBJECT_MISSING)
    if len(kept) > SUBJECT_LIMIT:
        raise Refused(Refusal.SUBJECT_TOO_LONG)
    return kept


def body(given: str, *, from_practice: bool) -> str:
    """A message as it is kept: line ends as one sort, nothing empty around it."""
    kept = _lines(given)
    if not _says_something(kept):
        raise Refused(Refusal.BODY_MISSING)
    if len(kept) > (STAFF_BODY_LIMIT if from_practice else BODY_LIMIT):
        raise Refused(Refusal.BODY_TOO_LONG)
    return kept


def note(given: str) -> str:
    """A note among staff, as it is kept."""
    kept = _lines(given)
    if not _says_something(kept):
        raise Refused(Refusal.NOTE_MISSING)
    if len(kept) > NOTE_LIMIT:
        raise Refused(Refusal.NOTE_TOO_LONG)
    return kept


def preview(text: str) -> str:
    """The beginning of a message, on one line."""
    line = " ".join(text[: 4 * PREVIEW].split())
    return line if len(line) <= PREVIEW else line[: PREVIEW - 1].rstrip() + "…"


def words_of(*texts: str) -> set[str]:
    """The words of a text as they are compared: without case, accents and punctuation."""
    found: set[str] = set()
    for text in texts:
        bare = unicodedata.normalize("NFKD", text).casefold()
        letters = "".join(one for one in bare if not unicodedata.combining(one))
        found.update(_WORD.findall(letters))
    return found


def beginnings(words: set[str]) -> set[str]:
    """How these words begin."""
    return {word[:BEGINNING] for word in words}


def asked(q: str) -> list[str]:
    """The words of a search."""
    return sorted(words_of(q), key=len, reverse=True)[:WORDS_ASKED]


def has_all(text_words: set[str], asked_words: list[str]) -> bool:
    """Whether for each word that is asked for, some word of the text begins with it.

    One that is shorter than a beginning is only found whole: it was never looked for otherwise.
    """
    return all(
        any(word == one if len(one) < BEGINNING else word.startswith(one) for word in text_words)
        for one in asked_words
    )


def _lines(given: str) -> str:
    return _clean(given).replace("\r\n", "\n").replace("\r", "\n").strip()


def _clean(given: str) -> str:
    """Without what no text holds: NUL, and halves of characters."""
    return given.replace("\x00", "").encode("utf-8", "replace").decode()


def _says_something(text: str) -> bool:
    """Whether anything of it can be seen."""
    return any(unicodedata.category(one)[0] not in "CZ" for one in text)
