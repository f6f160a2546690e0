"""The one place time comes from."""

from datetime import UTC, datetime
from typing import Annotated

from faststream import Depends


def utcnow() -> datetime:
    return datetime.now(UTC)


async def _now() -> datetime:
    """A coroutine: for anything else FastStream goes to another thread and back."""
    return utcnow()


Now = Annotated[datetime, Depends(_now)]
"""A handler's moment: one for the whole request."""
