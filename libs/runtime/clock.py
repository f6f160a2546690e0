"""The one place time comes from."""

from datetime import UTC, datetime
from typing import Annotated

from faststream import Depends


def utcnow() -> datetime:
    return datetime.now(UTC)


Now = Annotated[datetime, Depends(utcnow)]
"""A handler's moment: one for the whole request."""
