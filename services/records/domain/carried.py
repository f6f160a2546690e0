"""Codes that no standard format can hold: of a system without an address, or with spaces in them.

They travel as `urn:carespace:code:<system>` and the code, both percent-encoded (RFC 3986), and are
the same code again where they arrive.
"""

from urllib.parse import quote, unquote

CARRIER = "urn:carespace:code:"


def carried(system: str, code: str) -> tuple[str, str]:
    """The system and the code, as any format can hold them."""
    return CARRIER + quote(system, safe=""), quote(code, safe="")


def original(system: str, code: str) -> tuple[str, str]:
    """What they were before; others are what they are."""
    if not system.startswith(CARRIER):
        return system, code
    return unquote(system.removeprefix(CARRIER)), unquote(code)
