"""How old somebody has to be to read a text with ease (Flesch-Kincaid, 1975)."""

import re

from pyphen import Pyphen

HYPHENS = Pyphen(lang="en_US")


def reading_age(text: str) -> float:
    """The school grade that the text is written for, plus the five years before school."""
    sentences = [part for part in re.split(r"[.?!:]+\s", text) if part.strip()]
    words = re.findall(r"[A-Za-z']+", text)
    syllables = sum(len(HYPHENS.positions(word)) + 1 for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59 + 5
