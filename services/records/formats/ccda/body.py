"""The body of an unstructured document: one file, inside it or elsewhere."""

from base64 import b64decode
from dataclasses import dataclass
from io import BytesIO

from services.records.domain.found import Reason
from services.records.formats.ccda.charset import PIECE
from services.records.formats.ccda.narrative import reference
from services.records.formats.ccda.tree import Element, attribute, first

_MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"{\\rtf", "application/rtf"),
)


@dataclass(frozen=True, slots=True)
class Embedded:
    """A file, and what it says it is."""

    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Missing:
    """A file that isn't there, and why."""

    media_type: str
    reason: Reason


def embedded(root: Element) -> Embedded | Missing | None:
    """The file that is the whole body of an unstructured document; None for any other document."""
    body = first(root, "component/nonXMLBody/text")
    if body is None:
        return None
    media_type = attribute(body, "mediaType").lower()
    if attribute(body, "compression"):
        return Missing(media_type, Reason.NOT_SUPPORTED)
    if attribute(body, "representation").upper() == "B64":
        try:
            content = decoded(body.text or "")
        except ValueError:
            return Missing(media_type, Reason.BAD_CONTENT)
    else:
        content = "".join(map(str, body.itertext())).strip().encode()
        media_type = media_type or "text/plain"
    if not content:
        elsewhere = bool(reference(body))
        return Missing(media_type, Reason.CONTENT_ELSEWHERE if elsewhere else Reason.NO_CONTENT)
    return Embedded(media_type or _recognised(content), content)


def decoded(text: str) -> bytes:
    """The bytes of base64 with line breaks and without padding; ValueError for anything else."""
    content = BytesIO()
    rest = ""
    for start in range(0, len(text), PIECE):
        letters = rest + "".join(text[start : start + PIECE].split())
        whole = len(letters) // 4 * 4
        content.write(b64decode(letters[:whole], validate=True))
        rest = letters[whole:]
    content.write(b64decode(rest + "=" * (-len(rest) % 4), validate=True))
    return content.getvalue()


def _recognised(content: bytes) -> str:
    found = (media_type for magic, media_type in _MAGIC if content.startswith(magic))
    return next(found, "application/octet-stream")
