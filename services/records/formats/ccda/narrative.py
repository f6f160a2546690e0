"""The readable text of a document, which entries point into: `<reference value="#result5"/>`."""

from base64 import b64decode
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache

from services.records.formats.ccda.tree import V3, Element, attribute, first

MAX_LINE = 500
"""Characters of a name or a label; the rest of a longer one is cut off."""
MAX_TEXT = 200_000
"""Characters of one result's text or of one remark."""
MAX_RESOLVED = 20_000_000
"""Characters of narrative that the entries of one document may point to, all together."""

_BREAK = "\0"  # which XML can't hold
_BLOCKS = {
    V3 + name for name in ("br", "caption", "footnote", "item", "list", "paragraph", "table", "tr")
}
_CELLS = {V3 + "td", V3 + "th"}
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"), None)


class Narrative:
    """What each `ID` of a document stands for.

    It resolves `MAX_RESOLVED` characters and no more, so that a small file full of references to
    one long text can't keep anyone busy; what is left then counts as not said.
    """

    def __init__(self, root: Element) -> None:
        self._root = root
        self._left = MAX_RESOLVED
        self._text = lru_cache(maxsize=32)(self._resolve)

    def at(self, element: Element | None) -> str:
        """The text that an element's reference points to, with its lines kept; "" for none."""
        target = reference(element)
        return self._text(target[1:]) if target.startswith("#") else ""

    def line(self, element: Element | None) -> str:
        """An element's own text, else the text that it points to, as one line."""
        return line(element) or one_line(self.at(element))

    def lines(self, element: Element | None) -> str:
        """An element's own text, else the text that it points to, with its lines kept."""
        if element is not None and attribute(element, "representation") == "B64":
            try:
                return decoded(element)
            except ValueError:
                return ""
        return lines(element) or self.at(element)

    @cached_property
    def _named(self) -> dict[str, Element]:
        return {name: element for element in self._root.iter() if (name := element.get("ID"))}

    def _resolve(self, identity: str) -> str:
        text = lines(self._named.get(identity)) if self._left > 0 else ""
        self._left -= len(text)
        return text


def reference(element: Element | None) -> str:
    """Where an element's reference points to; "" for nowhere."""
    return attribute(first(element, "reference"), "value")


def line(element: Element | None) -> str:
    """An element's text as one line."""
    if element is None:
        return ""
    return one_line(_cut(_parts(element), MAX_LINE * 20).replace(_BREAK, " "))


def lines(element: Element | None) -> str:
    """An element's text as a reader sees it: rows, items and paragraphs on lines of their own.

    One that is longer than `MAX_TEXT` comes back longer, though not whole.
    """
    if element is None:
        return ""
    written = _cut(_parts(element), MAX_TEXT * 5).split(_BREAK)
    return "\n".join(kept for part in written if (kept := " ".join(part.split())))[: MAX_TEXT + 1]


def decoded(element: Element) -> str:
    """The text that an element holds in base64; ValueError where it holds none."""
    text = b64decode("".join((element.text or "").split()), validate=True).decode()
    return "\n".join(text.replace("\0", " ").splitlines()).strip()


def one_line(text: str) -> str:
    """Text on one line, without what can't be seen.

    The word "null" is what some systems write where they have nothing to say.
    """
    text = seen(text[: MAX_LINE * 20])
    if len(text) > MAX_LINE:
        text = text[: MAX_LINE - 1] + "…"
    return "" if text.lower() == "null" else text


def seen(text: str) -> str:
    """The words of a text, without what can't be seen."""
    return " ".join(text.translate(_INVISIBLE).split())


def _cut(parts: Iterable[str], length: int) -> str:
    """Parts of a text up to about that many characters, indentation and all."""
    kept: list[str] = []
    for part in parts:
        kept.append(part[:length])
        length -= len(part)
        if length <= 0:
            break
    return "".join(kept)


def _parts(element: Element) -> Iterator[str]:
    block = element.tag in _BLOCKS
    if block:
        yield _BREAK
    yield element.text or ""
    for child in element:
        yield from _parts(child)
        yield child.tail or ""
    if block:
        yield _BREAK
    elif element.tag in _CELLS:
        yield " "
