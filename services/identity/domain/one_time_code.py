"""One-time codes from an authenticator app (TOTP, RFC 6238)."""

import secrets
from datetime import datetime

import pyotp

STEP = 30
"""Seconds that a code is shown."""
ISSUER = "CareSpace"


def new_secret() -> str:
    """160 random bits, as an app takes them."""
    return pyotp.random_base32()


def enrolment(secret: str, email: str) -> str:
    """The address behind the picture that an app scans."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def step_of(secret: str, code: str, *, now: datetime) -> int | None:
    """The step that this code is of: now's, the one before or the one after; None for no code."""
    totp, current = pyotp.TOTP(secret), int(now.timestamp()) // STEP
    given = code.encode()
    fitting = [
        step
        for step in (current - 1, current, current + 1)
        if secrets.compare_digest(totp.at(step * STEP).encode(), given)
    ]
    return fitting[-1] if fitting else None
