"""What of a record travels in a form of ours, and is the same again where it arrives.

Codes that no standard format can hold, of a system without an address or with spaces in them,
travel as `urn:carespace:code:<system>` and the code, both percent-encoded (RFC 3986). A result
travels with the id that it has here, and is called by it whichever format brings it.
"""

from urllib.parse import quote, unquote
from uuid import UUID

CARRIER = "urn:carespace:code:"
ITEMS = "urn:carespace:item"
"""The system of our ids, where a format asks for one."""
AUTHORITY = "CareSpace"
"""Who gave them, where it asks for that."""
_CALLED = "carespace:"


def carried(system: str, code: str) -> tuple[str, str]:
    """The system and the code, as any format can hold them."""
    return CARRIER + quote(system, safe=""), quote(code, safe="")


def original(system: str, code: str) -> tuple[str, str]:
    """What they were before; others are what they are."""
    if not system.startswith(CARRIER):
        return system, code
    return unquote(system.removeprefix(CARRIER)), unquote(code)


def called(item: str) -> str:
    """What a source calls the result that has this id with us; "" if it is none."""
    try:
        return f"{_CALLED}{UUID(item)}"
    except ValueError:
        return ""


def item_of(source_id: str) -> UUID | None:
    """The id again; None for what has another name."""
    is_ours = source_id.startswith(_CALLED)
    return UUID(source_id.removeprefix(_CALLED)) if is_ours else None
