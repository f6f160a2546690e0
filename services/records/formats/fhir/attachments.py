"""What an Attachment holds, if it holds it itself; an address in it is never followed."""

import binascii
from typing import Any, Final

from services.records.domain.found import Reason
from services.records.formats.fhir.elements import text
from services.records.formats.fhir.leftout import NotTaken
from services.records.formats.fhir.window import Json

_URL_SAFE: Final = str.maketrans("-_", "+/")
_ADDRESS: Final = ("http:", "https:", "urn:", "data:", "ftp:", "file:", "/", "./", "../", "Binary/")
UNKNOWN_TYPE: Final = "application/octet-stream"


def decoded(data: Any) -> bytes:
    """The bytes of inline content: base64, with line breaks, without padding, or URL-safe."""
    if not isinstance(data, str):
        raise NotTaken(Reason.BAD_CONTENT)
    try:
        found = _strictly(data)
    except ValueError:
        tidy = "".join(data.split()).translate(_URL_SAFE).rstrip("=")
        try:
            found = _strictly(tidy + "=" * (-len(tidy) % 4))
        except ValueError:
            raise NotTaken(Reason.BAD_CONTENT)
    if not found:
        raise NotTaken(Reason.NO_CONTENT)
    return found


def _strictly(data: str) -> bytes:
    return binascii.a2b_base64(data, strict_mode=True)


def content(attachment: Any) -> bytes | None:
    """The attachment's bytes; None if it only says where they are."""
    if isinstance(attachment, str):
        is_address = attachment.startswith(_ADDRESS)
        raise NotTaken(Reason.CONTENT_ELSEWHERE if is_address else Reason.BAD_CONTENT)
    if not isinstance(attachment, dict):
        raise NotTaken(Reason.BAD_CONTENT)
    if attachment.get("data"):
        return decoded(attachment["data"])
    if text(attachment.get("url")):
        return None
    raise NotTaken(Reason.NO_CONTENT)


def media_type(attachment: Json) -> str:
    """The content's type as it is declared."""
    return text(attachment.get("contentType")) or UNKNOWN_TYPE
