"""Why identity says no."""

from enum import StrEnum


class Refusal(StrEnum):
    """Why identity says no."""

    NOT_RECOGNISED = "not_recognised"
    """E-mail, password, date of birth and code do not belong together. It never says which."""
    CODE_NEEDED = "code_needed"
    """All else fits, and this account also has a one-time code."""
    TRY_LATER = "try_later"
    """Too many tries. The e-mail link still lets the owner in."""
    NO_SESSION = "no_session"
    LINK_UNKNOWN = "link_unknown"
    LINK_EXPIRED = "link_expired"
    LINK_VOID = "link_void"
    """A newer link was sent, or what it was for is no longer so."""
    LINK_USED = "link_used"
    LINK_LOCKED = "link_locked"
    """Too many wrong dates of birth at this link."""
    WRONG_DATE_OF_BIRTH = "wrong_date_of_birth"
    TERMS_NOT_ACCEPTED = "terms_not_accepted"
    HAS_ACCOUNT = "has_account"
    """Someone with this e-mail address has an account: log in and accept instead."""
    WRONG_PASSWORD = "wrong_password"  # noqa: S105
    EMAIL_NOT_USABLE = "email_not_usable"
    SAME_EMAIL = "same_email"
    SENT_MOMENTS_AGO = "sent_moments_ago"
    ALREADY_REGISTERED = "already_registered"
    UNKNOWN_PATIENT = "unknown_patient"
    UNKNOWN_PRACTICE = "unknown_practice"
    UNKNOWN_KEY = "unknown_key"
    NOT_ALLOWED = "not_allowed"
    BUSY = "busy"
    """More log-ins at this moment than can be checked; nothing was counted against anyone."""
