"""XML, an element at a time, in which no text can be anything but text."""

import re
from xml.sax.saxutils import escape, quoteattr

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def can_hold(text: str) -> bool:
    """Whether every character of the text is one of XML's (XML 1.0, section 2.2)."""
    return not _NOT_IN_XML.search(text)


def text(content: str) -> str:
    """Text between elements; what is no character of XML is a mark."""
    return escape(_NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", content)).replace("\r", "&#13;")


def element(name: str, *content: str, **attributes: str | None) -> str:
    """An element with content that is XML already; attributes that are None are left out.

    `class_` is the attribute `class`, and `xsi_type` is `xsi:type`.
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', ':')}={_quoted(value)}"
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{''.join(content)}</{name}>" if content else f"<{name}{written}/>"


def _quoted(value: str) -> str:
    plain = _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", value)
    return quoteattr(plain, {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
