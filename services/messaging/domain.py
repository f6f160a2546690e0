"""The rules of a mailbox. Nothing here waits, writes, or reads a clock."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Mailbox:
    """Where a patient's messages are kept."""

    opened_at: datetime
