"""How a file that somebody else made is handed to a browser: as data, under its own name."""

from urllib.parse import quote

SANDBOX = (
    "default-src 'none'; img-src 'self'; style-src 'self' 'unsafe-inline'; sandbox; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
"""For content in a frame of its own: it may be shown, and may do nothing."""


def attachment(file_name: str) -> dict[str, str]:
    """The headers of a file that is kept, never opened here."""
    return {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": disposition("attachment", file_name),
        "Content-Security-Policy": SANDBOX,
    }


def disposition(kind: str, file_name: str) -> str:
    """The name in ASCII for old browsers and as it is beside it, unable to break out (RFC 6266)."""
    plain = "".join(
        character if character.isascii() and character.isprintable() and character not in '"\\/%;'
        else "_"
        for character in file_name
    )  # fmt: skip
    return (
        f"{kind}; filename=\"{plain or 'document'}\"; filename*=UTF-8''{quote(file_name, safe='')}"
    )
