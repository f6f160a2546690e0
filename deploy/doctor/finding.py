"""What the doctor found."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    about: str
    """Which thing was looked at: a short name that stays the same, for a machine."""
    what: str
    """What is wrong, in a sentence."""
    remedy: str
    """What to do, in a sentence."""
