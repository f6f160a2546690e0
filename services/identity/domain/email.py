"""E-mail addresses: one each, in one form, so that the same person is found again."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

LONGEST = 254
"""Characters (RFC 5321, 4.5.3.1.3, less the angle brackets)."""


def canonical(text: str) -> str | None:
    """The address to compare and to write to: NFKC, lower case, IDNA. None for no address.

    Nothing is folded beyond case and compatibility forms: a look-alike from another script, a dot
    or a tag after a plus make another address, and `ß` is not `ss`. A letter only ever goes to the
    form that is kept, so that no look-alike can have another's letter sent to itself.
    """
    if not text or len(text) > LONGEST:
        return None
    try:
        checked = validate_email(
            unicodedata.normalize("NFKC", text.strip()),
            check_deliverability=False,
            strict=True,
            test_environment=True,
        )
    except (EmailNotValidError, ValueError):
        return None
    local = unicodedata.normalize("NFKC", checked.local_part.lower())
    return f"{local}@{checked.ascii_domain.lower()}" if checked.ascii_domain else None
