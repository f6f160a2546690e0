"""E-mail addresses: one each, in one form, so that the same person is found again."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

LONGEST = 254
"""Characters (RFC 5321, 4.5.3.1.3, less the angle brackets)."""


def canonical(text: str) -> str | None:
    """The address to compare and keep: NFKC, lower case, domain as IDNA. None for no address.

    A local part that mixes look-alikes of another script stays different from the one it imitates:
    nothing is folded beyond case and compatibility forms.
    """
    if not text or len(text) > LONGEST:
        return None
    try:
        checked = validate_email(
            unicodedata.normalize("NFKC", text.strip()),
            check_deliverability=False,
            test_environment=True,
        )
    except (EmailNotValidError, ValueError):
        return None
    local, domain = checked.local_part.casefold(), checked.ascii_domain
    return f"{local}@{domain.lower()}" if domain else None
