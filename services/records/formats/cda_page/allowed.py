"""What a rendered document may be made of: words, their structure, and classes known to the CSS.

Everything is written by `narrative` and `page`, which copy no element and no attribute from the
document. This is the second wall behind them, of another make.
"""

import re

import nh3

CLASSES = frozenset(
    {
        "cda", "cda-address", "cda-caption", "cda-contents", "cda-empty", "cda-facts",
        "cda-footnote", "cda-header", "cda-note", "cda-paragraph", "cda-plain", "cda-section",
        "cda-table",
        # From styleCode, and the alignment of a cell
        "cda-bold", "cda-italics", "cda-underline", "cda-emphasis",
        "cda-rule-left", "cda-rule-right", "cda-rule-top", "cda-rule-bottom",
        "cda-arabic", "cda-little-roman", "cda-big-roman", "cda-little-alpha", "cda-big-alpha",
        "cda-disc", "cda-circle", "cda-square",
        "cda-center", "cda-right",
    }
)  # fmt: skip

_TAGS = {
    "article", "header", "nav", "section", "h1", "h2", "h3", "h4", "h5", "h6", "dl", "dt", "dd",
    "div", "p", "span", "br", "pre", "sub", "sup", "ins", "del", "ul", "ol", "li", "a",
    "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td",
}  # fmt: skip
_HEADINGS = ("h2", "h3", "h4", "h5", "h6")
_ATTRIBUTES = {
    **{tag: {"lang"} for tag in _TAGS},
    **{heading: {"id", "lang"} for heading in _HEADINGS},
    "article": {"lang", "dir"},
    "section": {"lang", "aria-labelledby"},
    "nav": {"lang", "aria-label"},
    "div": {"lang", "aria-labelledby"},
    "a": {"href"},
    "th": {"colspan", "rowspan"},
    "td": {"colspan", "rowspan"},
}
_VALUES = {
    "div": {"role": {"group"}, "tabindex": {"0"}},
    "th": {"scope": {"col", "row", "colgroup", "rowgroup"}},
}
_OURS = {
    "id": re.compile(r"section-\d+", re.ASCII),
    "aria-labelledby": re.compile(r"section-\d+", re.ASCII),
    "href": re.compile(r"#section-\d+", re.ASCII),
    "lang": re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}", re.ASCII),
    "dir": re.compile(r"rtl"),
    "aria-label": re.compile(r"Parts of this document"),
    "colspan": re.compile(r"[1-9]\d{0,2}", re.ASCII),
    "rowspan": re.compile(r"[1-9]\d{0,2}", re.ASCII),
}
_GONE = {"script", "style", "iframe", "object", "embed", "svg", "math", "template", "noscript"}


def clean(html: str) -> str:
    """The same without anything that isn't on the lists here."""
    return _CLEANER.clean(html)


def _only_ours(_tag: str, attribute: str, value: str) -> str | None:
    shape = _OURS.get(attribute)
    return value if shape is None or shape.fullmatch(value) else None


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=_GONE,
    attributes=_ATTRIBUTES,
    attribute_filter=_only_ours,
    tag_attribute_values=_VALUES,
    allowed_classes={tag: set(CLASSES) for tag in _TAGS},
    url_schemes=set(),
    link_rel=None,
)
