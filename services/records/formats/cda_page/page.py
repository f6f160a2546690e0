"""A whole document: whom it is about, who wrote it when, and each section's narrative in order."""

import re
from datetime import date
from html import escape

from services.records.domain.found import Patient, Reason, Unreadable
from services.records.formats.ccda import moments
from services.records.formats.ccda.body import Embedded, Missing, embedded
from services.records.formats.ccda.header import Header, header
from services.records.formats.ccda.narrative import line, one_line
from services.records.formats.ccda.sections import nearest
from services.records.formats.ccda.tree import Element, attribute, every, first, parse, within
from services.records.formats.cda_page import narrative
from services.records.formats.cda_page.allowed import clean

MAX_HTML = 4 * 1024 * 1024
"""Bytes of a page; a longer document is only to be downloaded."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}", re.ASCII)
_SHORT = {
    "eng": "en", "spa": "es", "fra": "fr", "fre": "fr", "deu": "de", "ger": "de", "por": "pt",
    "ita": "it", "rus": "ru", "zho": "zh", "chi": "zh", "kor": "ko", "jpn": "ja", "vie": "vi",
    "ara": "ar", "fas": "fa", "per": "fa", "heb": "he", "urd": "ur", "hin": "hi", "tgl": "tl",
}  # fmt: skip
"""ISO 639-2 codes, where HTML wants the shorter one of ISO 639-1."""
_RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}
_SEX = {"M": "Male", "F": "Female"}
_DEEPEST_HEADING = 6
_MARKUP = 40
"""Bytes that an element of narrative takes, roughly, with its class."""
_CONTENTS_FROM = 3
"""Sections from which on a list of them helps."""
_MISSING = {
    Reason.CONTENT_ELSEWHERE: "This document only names a file that was not sent with it.",
    Reason.NO_CONTENT: "This document holds nothing.",
}


def render(data: bytes) -> str:
    """The document as an `<article class="cda">`, to be put into a page of the caller's.

    It has headings in order, tables with their headers, classes from `allowed.CLASSES` and nothing
    else that a style sheet could miss: no style, script, link out, picture, form or foreign id.
    `Unreadable` for what is no clinical document, and for one that is too long to be shown.
    """
    root = parse(data)
    if _length(root) <= MAX_HTML and len((html := clean(_article(root))).encode()) <= MAX_HTML:
        return html
    raise Unreadable("The document is too long to be shown; it can be downloaded.")


def _length(root: Element) -> int:
    """About how long the page will be: enough to turn down what would only be thrown away."""
    return sum(
        _MARKUP + len(element.text or "") + len(element.tail or "")
        for section in within(root, "section")
        for text in every(section, "text")
        for element in text.iter()
    )


def _article(root: Element) -> str:
    about = header(root)
    language = _language(root) or "en"
    direction = ' dir="rtl"' if language[:2].lower() in _RIGHT_TO_LEFT else ""
    file = _file(root)
    sections = _Sections(root)
    body = sections.written() + file
    return (
        f'<article class="cda" lang="{language}"{direction}>'
        f'<header class="cda-header"><h1>{escape(about.title)}</h1>{_facts(about)}</header>'
        f"{sections.contents()}{body or _note('This document holds no text to read.')}</article>"
    )


class _Sections:
    """The sections of a document, each with those inside it."""

    def __init__(self, root: Element) -> None:
        self._inside: dict[Element | None, list[Element]] = {}
        self._labels: dict[Element, str] = {}
        for number, section in enumerate(within(root, "section"), 1):
            self._inside.setdefault(nearest(section, "section"), []).append(section)
            self._labels[section] = f"section-{number}"

    def written(self, outer: Element | None = None, *, level: int = 2) -> str:
        """What is inside a section, or the whole document, each heading a level down."""
        inner = self._inside.get(outer, [])
        return "".join(self._section(section, level) for section in inner)

    def _section(self, section: Element, level: int) -> str:
        label = self._labels[section]
        text = first(section, "text")
        words = narrative.written(text, label=label) if text is not None else ""
        words += self.written(section, level=min(level + 1, _DEEPEST_HEADING))
        language = _language(section)
        said = f' lang="{language}"' if language else ""
        return (
            f'<section class="cda-section" aria-labelledby="{label}"{said}>'
            f'<h{level} id="{label}">{escape(_title(section))}</h{level}>'
            f"{words or _note('Nothing is written here.', 'cda-empty')}</section>"
        )

    def contents(self) -> str:
        """Links to the sections, where there are many."""
        outermost = self._inside.get(None, [])
        if len(outermost) < _CONTENTS_FROM:
            return ""
        links = "".join(
            f'<li><a href="#{self._labels[section]}">{escape(_title(section))}</a></li>'
            for section in outermost
        )
        return (
            f'<nav class="cda-contents" aria-label="Parts of this document"><ul>{links}</ul></nav>'
        )


def _language(element: Element) -> str:
    """The language that an element says it is in, as HTML writes it; "" for none."""
    said = attribute(first(element, "languageCode"), "code")
    if not _LANGUAGE.fullmatch(said):
        return ""
    language, _, rest = said.partition("-")
    language = _SHORT.get(language.lower(), language)
    return f"{language}-{rest}" if rest else language


def _title(section: Element) -> str:
    code = first(section, "code")
    called = line(first(section, "title")) or one_line(attribute(code, "displayName"))
    return called or "Part without a title"


def _facts(about: Header) -> str:
    facts = [
        ("Patient", ", ".join(map(_called, about.patients))),
        ("Date of birth", ", ".join(_day(one.birth_date) for one in about.patients)),
        ("Sex", ", ".join(_SEX.get(one.sex, "") for one in about.patients)),
        ("Date", _day(moments.day(about.written))),
        ("Author", about.author),
        ("From", about.organization),
        ("Type", about.kind if about.kind != about.title else ""),
        ("Version", "Replaces an earlier document" if about.replaces else ""),
    ]
    written = "".join(
        f'<div><dt lang="en">{name}</dt><dd>{escape(said)}</dd></div>'
        for name, said in facts
        if said.strip(" ,")
    )
    return f'<dl class="cda-facts">{written}</dl>' if written else ""


def _called(patient: Patient) -> str:
    return f"{patient.given} {patient.family}".strip()


def _day(day: date | None) -> str:
    return f"{day.day} {day:%B} {day.year}" if day else ""


def _file(root: Element) -> str:
    """What stands for the file of an unstructured document: its text, or where to find it."""
    match embedded(root):
        case Embedded(media_type, content) if media_type.startswith("text/plain"):
            return f'<pre class="cda-plain">{escape(content.decode("utf-8", "replace"))}</pre>'
        case Embedded(_, _):
            return _note("The content of this document is a file. It is in the list of documents.")
        case Missing(_, reason):
            return _note(_MISSING.get(reason, "The file inside this document can't be opened."))
        case None:
            return ""


def _note(words: str, name: str = "cda-note") -> str:
    return f'<p class="{name}" lang="en">{words}</p>'
