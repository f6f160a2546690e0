"""Who may look into a chart, and how the front desk may in an emergency."""

from libs.contracts.base import Refused
from libs.contracts.records.emergency import REASON_LIMIT
from libs.contracts.records.refusals import Refusal
from libs.contracts.visa import Capacity, Role, Visa


def includes_charts(visa: Visa) -> bool:
    """Whether results and documents are part of what this visa is for."""
    return visa.capacity is not Capacity.STAFF or visa.role is not Role.FRONT_DESK


def why(reason: str) -> str:
    """The reason in one line; refused without one."""
    said = " ".join(reason.split())
    if not said or not said.isprintable():
        raise Refused(Refusal.REASON_MISSING)
    if len(said) > REASON_LIMIT:
        raise Refused(Refusal.REASON_TOO_LONG)
    return said
