"""A section's narrative block as HTML: its words and their structure, and nothing that acts.

Only names on the lists here are written as elements, by us, with attributes of ours. A link is its
text and its address in words, a picture is a note, and a name nobody knows is just what is in it.
"""

import re
from collections.abc import Callable, Iterator
from html import escape

from services.records.formats.ccda.narrative import line
from services.records.formats.ccda.tree import Element, attribute

_BLOCKS = {"paragraph", "list", "item", "table", "p", "div", "ul", "ol", "li", "caption"}
_DROPPED = {
    "script", "style", "iframe", "object", "embed", "applet", "svg", "math", "template",
    "noscript", "noframes", "frameset", "head", "audio", "video", "colgroup", "col",
}  # fmt: skip
_STYLES = {
    "bold": "cda-bold",
    "italics": "cda-italics",
    "underline": "cda-underline",
    "emphasis": "cda-emphasis",
    "lrule": "cda-rule-left",
    "rrule": "cda-rule-right",
    "toprule": "cda-rule-top",
    "botrule": "cda-rule-bottom",
    "arabic": "cda-arabic",
    "littleroman": "cda-little-roman",
    "bigroman": "cda-big-roman",
    "littlealpha": "cda-little-alpha",
    "bigalpha": "cda-big-alpha",
    "disc": "cda-disc",
    "circle": "cda-circle",
    "square": "cda-square",
}
_CHANGES = {"insert": "ins", "delete": "del"}
_DIVISIONS = {"caption", "item", "li", "tr", "div"}
"""What stands on lines of its own, also where it is out of place."""
_ALIGNMENTS = {"center": "cda-center", "right": "cda-right"}
_LOOKS = {"b": "cda-bold", "strong": "cda-bold", "i": "cda-italics", "em": "cda-emphasis"}
_ADDRESS = re.compile(r"(https?://|mailto:|tel:)[^\s<>\"]{1,300}", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\n]+")
_SPAN = re.compile(r"[1-9]\d{0,2}", re.ASCII)
_PICTURE = '<span class="cda-note" lang="en">[A picture or file is not shown here.]</span>'


def written(text: Element, *, label: str) -> str:
    """The narrative of a section; `label` is the id of the heading that its tables are named by."""
    return _Writer(text, label).inside(text).strip()


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()


class _Writer:
    """Writes one narrative block."""

    def __init__(self, text: Element, label: str) -> None:
        self._label = label
        self._writers: dict[str, Callable[[Element], str]] = {
            **dict.fromkeys(_DROPPED, lambda _: ""),
            **dict.fromkeys(("list", "ul", "ol"), self._list),
            **dict.fromkeys(("linkhtml", "a"), self._link),
            **dict.fromkeys(("rendermultimedia", "img"), self._picture),
            "br": lambda _: "<br>",
            "footnote": self._footnote,
            "table": self._table,
        }
        self._holds_blocks: set[Element] = set()
        for element in text.iter():
            if _name(element) in _BLOCKS:
                for around in element.iterancestors():
                    if around in self._holds_blocks:
                        break
                    self._holds_blocks.add(around)

    def inside(self, element: Element) -> str:
        """What is in an element, without the element."""
        parts = [_words(element.text)]
        for child in element:
            parts.append(self._element(child))
            parts.append(_words(child.tail))
        return "".join(parts)

    def _element(self, element: Element) -> str:
        return self._writers.get(_name(element), self._piece)(element)

    def _piece(self, element: Element) -> str:
        """A run of text or a block of it, by what it is called and what it holds."""
        name = _name(element)
        inner = self.inside(element)
        changed = _CHANGES.get(attribute(element, "revised"))
        if changed:
            inner = f"<{changed}>{inner}</{changed}>"
        if name in _DIVISIONS or element in self._holds_blocks:
            style = _classes(element, "cda-caption" if name == "caption" else "cda-paragraph")
            return f"<div{style}>{inner}</div>"
        style = _classes(element, _LOOKS.get(name, ""))
        if name in {"paragraph", "p"}:
            return f"<p{style}>{inner}</p>"
        if name in {"sub", "sup"}:
            return f"<{name}>{inner}</{name}>"
        if name in {"td", "th"}:  # outside of any table
            inner += " "
        return f"<span{style}>{inner}</span>" if style else inner

    def _picture(self, element: Element) -> str:
        return f"{_PICTURE} {self.inside(element) or escape(attribute(element, 'alt'))}"

    def _footnote(self, element: Element) -> str:
        tag = "div" if element in self._holds_blocks else "span"
        return f'<{tag} class="cda-footnote">({self.inside(element)})</{tag}>'

    def _link(self, element: Element) -> str:
        """The words of a link, then where it leads, to be read and not to be followed."""
        address = attribute(element, "href")
        inner = self.inside(element)
        if not _ADDRESS.fullmatch(address) or address in line(element):
            return inner
        return f'{inner} <span class="cda-address">({escape(address)})</span>'

    def _list(self, element: Element) -> str:
        ordered = _name(element) == "ol" or attribute(element, "listType") == "ordered"
        before, items = [], []
        for child in element:
            if _name(child) == "caption":
                before.append(self._element(child))
            elif _name(child) in {"item", "li"}:
                items.append(f"<li{_classes(child)}>{self.inside(child)}</li>")
            elif one := self._element(child):
                items.append(f"<li>{one}</li>")
            if (tail := _words(child.tail)).strip():
                items.append(f"<li>{tail}</li>")
        before.insert(0, _words(element.text).strip())
        tag = "ol" if ordered else "ul"
        listed = f"<{tag}{_classes(element)}>{''.join(items)}</{tag}>" if items else ""
        return "".join(before) + listed

    def _table(self, element: Element) -> str:
        """A table whose header cells say what they head, in a frame that scrolls by keyboard."""
        caption, groups = "", []
        beside = [_loose_words(element)]
        loose: list[Element] = []
        headed = any(_name(child) == "thead" for child in element)
        for child in element:
            match _name(child):
                case "caption":
                    caption = self.inside(child)
                case "thead" | "tbody" | "tfoot" as part:
                    groups.append((part, [row for row in child if _name(row) == "tr"]))
                    beside += [self._element(row) for row in child if _name(row) != "tr"]
                    beside.append(_loose_words(child))
                case "tr":
                    loose.append(child)
                case _:
                    beside.append(self._element(child))
        if loose:
            groups.append(("tbody", loose))
        body = "".join(
            f"<{part}>{rows}</{part}>"
            for part, group in groups
            if (rows := "".join(self._row(row, part, headed=headed) for row in group))
        )
        if not body:
            return f"{''.join(beside)} {caption}"
        caption = f"<caption>{caption}</caption>" if caption else ""
        return (
            "".join(beside)
            + f'<div class="cda-table" role="group" tabindex="0" aria-labelledby="{self._label}">'
            + f"<table{_classes(element)}>{caption}{body}</table></div>"
        )

    def _row(self, row: Element, part: str, *, headed: bool) -> str:
        cells = [cell for cell in row if _name(cell) in {"td", "th"}]
        heads = [cell for cell in cells if _name(cell) == "th"]
        stray = [self._element(child) for child in row if _name(child) not in {"td", "th"}]
        written = [f"<td>{one}</td>" for one in (*stray, _loose_words(row)) if one.strip()]
        for cell in cells:
            inner = self.inside(cell)
            head = part == "thead" or _name(cell) == "th"
            spans = "".join(
                f' {span}="{value}"'
                for span in ("colspan", "rowspan")
                if _SPAN.fullmatch(value := attribute(cell, span))
            )
            if not head or not line(cell):
                written.append(f"<td{_classes(cell)}{spans}>{inner}</td>")
                continue
            if part == "thead" or (len(heads) == len(cells) > 1 and not headed):
                scope = "colgroup" if 'colspan="' in spans else "col"
            else:
                scope = "rowgroup" if len(cells) == 1 else "row"
            written.append(f'<th scope="{scope}"{_classes(cell)}{spans}>{inner}</th>')
        return f"<tr{_classes(row)}>{''.join(written)}</tr>" if written else ""


def _words(text: str | None) -> str:
    """Text without the line ends and indentation that the file was written with."""
    return escape(_BLANKS.sub(" ", text or ""))


def _loose_words(element: Element) -> str:
    """The words that stand directly in a table or a row, where none belong."""
    texts = (element.text, *(child.tail for child in element))
    return _words(" ".join(text for text in texts if text and text.strip()))


def _classes(element: Element, *ours: str) -> str:
    """The class attribute for what a document says about looks, as far as we know the words."""
    return "".join(_class_names(element, ours))


def _class_names(element: Element, ours: tuple[str, ...]) -> Iterator[str]:
    said = attribute(element, "styleCode").lower().split()
    names = [_STYLES[code] for code in said if code in _STYLES]
    aligned = _ALIGNMENTS.get(attribute(element, "align").lower(), "")
    kept = dict.fromkeys(filter(None, (*ours, *names, aligned)))
    if kept:
        yield f' class="{" ".join(kept)}"'
