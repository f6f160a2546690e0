"""A one-time code's key, for a person's authenticator app: as text."""

from urllib.parse import parse_qs, urlsplit


def one_time_key(enrolment: str) -> str:
    """The key by itself, in groups of four to be typed."""
    key = parse_qs(urlsplit(enrolment).query).get("secret", [""])[0]
    return " ".join(key[start : start + 4] for start in range(0, len(key), 4))
