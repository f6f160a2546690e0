"""The rules of closing a record to its patient."""

from dataclasses import dataclass
from datetime import datetime

from libs.contracts.base import Refused
from libs.contracts.records.refusals import Refusal
from libs.contracts.records.standing import REASON_LIMIT


@dataclass(frozen=True, kw_only=True)
class Closing:
    """Since when a record is closed, by whom and why."""

    at: datetime
    by: str
    reason: str


def why(reason: str) -> str:
    """The reason in one line; refused without one."""
    said = " ".join(reason.split())
    if not said or not said.isprintable():
        raise Refused(Refusal.REASON_MISSING)
    if len(said) > REASON_LIMIT:
        raise Refused(Refusal.REASON_TOO_LONG)
    return said
