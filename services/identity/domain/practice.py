"""What a practice says of itself: what has to be there, and how long it may be."""

from dataclasses import dataclass, replace
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from libs.contracts.base import Refused
from libs.contracts.identity.practices import RESOURCES_AT_MOST, Link
from libs.contracts.identity.refusals import Refusal
from services.identity.domain.email import canonical

LINE, TEXT = 200, 2000
"""Characters of a line, and of a text of several lines."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """All of it."""

    name: str
    phone: str
    address: str
    hours: str
    emergency: str
    time_zone: str
    contact_email: str
    resources: tuple[Link, ...]


def checked(words: Words) -> Words:
    """The same without spaces around it; the first thing that is wrong with it, if it can't be."""
    kept = replace(
        words,
        name=words.name.strip(),
        phone=words.phone.strip(),
        address=words.address.strip(),
        hours=words.hours.strip(),
        emergency=words.emergency.strip(),
        contact_email=canonical(words.contact_email) or "",
    )
    for text, refusal in (
        (kept.name, Refusal.PRACTICE_NAME_MISSING),
        (kept.phone, Refusal.PHONE_MISSING),
        (kept.emergency, Refusal.EMERGENCY_MISSING),
        (kept.contact_email, Refusal.EMAIL_NOT_USABLE),
    ):
        if not text:
            raise Refused(refusal)
    lines = (kept.name, kept.phone, kept.address, kept.hours)
    if any(len(line) > LINE for line in lines) or len(kept.emergency) > TEXT:
        raise Refused(Refusal.TOO_LONG)
    if kept.time_zone not in available_timezones():
        raise Refused(Refusal.TIME_ZONE_UNKNOWN)
    if len(kept.resources) > RESOURCES_AT_MOST:
        raise Refused(Refusal.TOO_MANY_RESOURCES)
    return replace(kept, resources=tuple(map(_resource, kept.resources)))


def _resource(link: Link) -> Link:
    """A link that leads to another site, and nowhere else."""
    title, url, about = link.title.strip(), link.url.strip(), link.about.strip()
    if not title or max(len(title), len(about)) > LINE or not _leads_out(url):
        raise Refused(Refusal.RESOURCE_NOT_USABLE)
    return Link(title=title, url=url, about=about)


def _leads_out(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= TEXT
    return (
        plain
        and parts.scheme == "https"
        and "." in host
        and parts.username is None
        and port in (None, 443)
    )
