"""Text as a picture to be scanned."""

import segno
from markupsafe import Markup, escape


def qr(text: str, said: str) -> Markup:
    """The picture, black on white in either colour scheme, and what a screen reader calls it."""
    drawn = segno.make(text, error="m", boost_error=False).svg_inline(
        border=4, dark="#000", light="#fff", svgclass="qr-code", lineclass=None, omitsize=True
    )
    named = f'<svg role="img" aria-label="{escape(said)}" '
    return Markup(drawn.replace("<svg ", named, 1))  # noqa: S704  (made here, of squares)
