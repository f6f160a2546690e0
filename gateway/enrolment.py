"""A one-time code's key, for a person's authenticator app: as a picture and as text."""

from urllib.parse import parse_qs, urlsplit

import segno
from markupsafe import Markup


def qr(enrolment: str) -> Markup:
    """The enrolment as a picture to be scanned, black on white in either colour scheme."""
    drawn = segno.make(enrolment, error="m").svg_inline(
        scale=5, border=4, dark="#000", light="#fff", svgclass="qr-code", lineclass=None
    )
    return Markup(drawn.replace("<svg ", '<svg role="img" aria-label="The key as a picture" ', 1))  # noqa: S704  (made here, of squares)


def one_time_key(enrolment: str) -> str:
    """The key by itself, in groups of four to be typed."""
    key = parse_qs(urlsplit(enrolment).query).get("secret", [""])[0]
    return " ".join(key[start : start + 4] for start in range(0, len(key), 4))
