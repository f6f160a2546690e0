"""JSON with numbers as they were written: `3.10` stays `3.10`, and no number becomes a float."""

import json
from decimal import Decimal
from typing import Any


def written(value: Any) -> str:
    """The value as JSON; members that are None, "" or empty are left out."""
    if isinstance(value, dict):
        members = (
            f"{json.dumps(name)}:{written(each)}"
            for name, each in value.items()
            if each is not None and each not in ("", [], {})
        )
        return "{" + ",".join(members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(written, value)) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    return json.dumps(value, ensure_ascii=False)
