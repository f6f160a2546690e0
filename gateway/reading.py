"""What a page may read from its address and its form. What does not fit is never an exception."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from aiohttp import web
from multidict import MultiDictProxy

from gateway.protection import IDEMPOTENCY_FIELD, fresh_key

Form = MultiDictProxy[Any] | Mapping[str, Any]

LONGEST = 10_000
"""Characters of one field; a longer one is cut, and the service that reads it says so."""
DEVICES = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)


def path_id(request: web.Request, name: str = "id") -> UUID:
    """The id in the address; an address without one leads nowhere."""
    try:
        return UUID(request.match_info[name])
    except ValueError:
        raise web.HTTPNotFound from None


def form_id(form: Form, name: str) -> UUID:
    """An id in a form; a form with a broken one is not one of ours."""
    try:
        return UUID(raw(form, name))
    except ValueError:
        raise web.HTTPNotFound from None


def optional_id(form: Form, name: str) -> UUID | None:
    """An id in a form or an address, or None where there is none."""
    return form_id(form, name) if raw(form, name) else None


def cursor(form: Form, name: str) -> str:
    """Where a page of a list begins, as the page before said; "" for what is no such thing."""
    try:
        return str(UUID(raw(form, name)))
    except ValueError:
        return ""


def text(form: Form, name: str) -> str:
    """A field as one line of text, without spaces around it."""
    return " ".join(raw(form, name).split())


def raw(form: Form, name: str) -> str:
    """A field just as it was typed: passwords, and text of several lines."""
    value = form.get(name, "")
    return value[:LONGEST] if isinstance(value, str) else ""


def whole(form: Form, name: str) -> str:
    """A large field, such as a list of patients, uncut."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def ticked(form: Form, name: str) -> bool:
    """Whether a box was ticked."""
    return bool(raw(form, name))


def number(form: Form, name: str) -> int:
    """A number that one of our pages wrote; 0 for what is no such number."""
    given = raw(form, name)
    return int(given) if re.fullmatch(r"\d{1,9}", given, re.ASCII) else 0


def key(form: Form) -> UUID:
    """The form's idempotency key; a form without one is a form of its own."""
    try:
        return UUID(raw(form, IDEMPOTENCY_FIELD))
    except ValueError:
        return fresh_key()


def day(form: Form, name: str) -> date | None:
    """A date, as one ISO field or as `_day`, `_month`, `_year`; None for what is no date."""
    whole = text(form, name)
    if whole:
        try:
            return date.fromisoformat(whole)
        except ValueError:
            return None
    parts = [text(form, f"{name}_{part}") for part in ("year", "month", "day")]
    if not all(re.fullmatch(r"\d{1,4}", part, re.ASCII) for part in parts):
        return None
    year, month, day_ = (int(part) for part in parts)
    try:
        return date(year, month, day_)
    except ValueError:
        return None


def day_given(form: Form, name: str) -> bool:
    """Whether anything was typed for a date at all."""
    return any(text(form, f"{name}{part}") for part in ("", "_year", "_month", "_day"))


def over(last_day: date, zone: str) -> datetime:
    """The moment at which a last day is over, at the practice."""
    return datetime.combine(last_day + timedelta(days=1), time(), tzinfo=ZoneInfo(zone))


def moment(form: Form, name: str, zone: str) -> tuple[datetime, bool] | None:
    """A date with an optional `_time`, in the practice's zone; and whether a time was given."""
    on = day(form, name)
    if on is None:
        return None
    given = text(form, f"{name}_time")
    try:
        at = time.fromisoformat(given) if given else time()
    except ValueError:
        return None
    return datetime.combine(on, at, tzinfo=ZoneInfo(zone)), bool(given)


def device(request: web.Request) -> str:
    """What a list of sessions calls this browser: "Firefox on Android"."""
    agent = request.headers.get("User-Agent", "")[:400]
    browser = next((name for mark, name in BROWSERS if mark in agent), "A browser")
    system = next((name for mark, name in DEVICES if mark in agent), "")
    return f"{browser} on {system}" if system else browser


def way_back(request: web.Request) -> str:
    """Where to go after logging in: one of our own pages, or the start."""
    wanted = request.query.get("next", "")
    plain = re.fullmatch(r"/(p|staff|account|invitations)(/[\w.~%?=&+-]*)*", wanted, re.ASCII)
    return wanted if plain and "//" not in wanted and "/." not in wanted else "/"
