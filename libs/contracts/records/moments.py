"""How exactly the time of something is known."""

from enum import StrEnum


class Precision(StrEnum):
    """How exactly a time was written."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    INSTANT = "instant"
