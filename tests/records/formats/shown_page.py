"""What a browser finds in a rendered clinical document, and what it must never find."""

import itertools
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from services.records.formats.cda_page import render
from services.records.formats.cda_page.allowed import CLASSES
from tests.records.formats.cda_documents import document, section

VOID = {"br"}
ATTRIBUTES = {
    "class", "id", "href", "lang", "dir", "role", "tabindex", "scope", "colspan", "rowspan",
    "aria-labelledby", "aria-label",
}  # fmt: skip


@dataclass
class Page(HTMLParser):
    """What a browser would find in a piece of HTML."""

    html: str
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, "elements are closed in order"

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def assert_safe_and_in_order(self) -> None:
        """Nothing acts, nothing is fetched, and whoever can't see finds the way."""
        identities = [one["id"] for _, one in self.elements if "id" in one]
        assert len(set(identities)) == len(identities)
        for tag, attributes in self.elements:
            assert tag not in {"script", "style", "img", "iframe", "object", "form", "input", "svg"}
            assert attributes.keys() <= ATTRIBUTES
            assert set(attributes.get("class", "").split()) <= CLASSES
            assert re.fullmatch(r"(#section-\d+)?", attributes.get("href", ""))
            assert attributes.get("aria-labelledby", "") in {"", *identities}
        levels = [int(tag[1]) for tag, _ in self.elements if re.fullmatch(r"h[1-6]", tag)]
        assert levels[0] == 1
        assert all(later <= level + 1 for level, later in itertools.pairwise(levels))
        assert all("scope" in head for head in self.all("th"))
        assert self.all("article")[0]["lang"]


def page_of(narrative: str, **said: str) -> Page:
    page = Page(render(document(section(text=narrative, **said))))
    page.assert_safe_and_in_order()
    return page


def without_blanks(text: str) -> str:
    return re.sub(r"\s", "", text)
