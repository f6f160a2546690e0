"""A page out of a template: what stands around it, and what every template may use."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode
from uuid import UUID

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gateway import enrolment, labs, protection, qr, shelf, static_files, wording
from libs.contracts.identity.practices import Practice
from libs.contracts.identity.sessions import Session
from libs.contracts.records.patients import Person
from libs.runtime.clock import utcnow

NOTICE_COOKIE = "__Host-notice"


class AboutSomeone(Protocol):
    """A reply that says whose record it is."""

    @property
    def person(self) -> Person: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """A sentence about what was just done, said once."""

    text: str
    kind: str = "done"
    """`done`, `warn`, or `plain`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chrome:
    """What stands around a page's own content. Each part may be away, and is then left out."""

    practice: Practice | None = None
    """Whose name, telephone, hours and emergency words the page carries, and whose clock."""
    session: Session | None = None
    """Who is logged in; None at the door."""
    patient_id: UUID | None = None
    """Whose record the tabs lead to; None on pages that are about nobody's record."""
    patient: Person | None = None
    """The same by name; None while the records service is away."""
    acting: bool = False
    """The record is somebody else's: every page says so."""
    own: UUID | None = None
    """The record of whoever is logged in, whose users are theirs to manage."""
    messages: bool = True
    """Messages are among what whoever is logged in may see of this record."""
    sending: bool = False
    """Whoever is logged in may send this record to somebody."""
    several: bool = False
    """There are other records to switch to."""
    tab: str = ""
    unread: int | None = None
    unclaimed: int | None = None
    """Messages that no member of staff has claimed."""
    waiting: int | None = None
    """Imports that wait for staff."""
    notice: Notice | None = None

    def about(self, reply: AboutSomeone | None) -> "Chrome":
        """The same, with the name of the person whose record the reply is from."""
        return replace(self, patient=reply.person) if reply else self

    def counting(self, unread: int) -> "Chrome":
        """The same, with this many messages unread."""
        return replace(self, unread=unread)

    @property
    def time_zone(self) -> str:
        return self.practice.time_zone if self.practice else "UTC"

    @property
    def name(self) -> str:
        """Whose record this is."""
        return f"{self.patient.given} {self.patient.family}".strip() if self.patient else ""

    def idle_seconds(self, now: datetime) -> int:
        """How long the session lasts if nothing is done."""
        if self.session is None:
            return 0
        end = min(self.session.idle_ends_at, self.session.ends_at)
        return max(0, int((end - now).total_seconds()))


ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
    cache_size=-1,
)
ENVIRONMENT.filters |= {
    "about": wording.about,
    "amount": wording.amount,
    "clock": wording.clock,
    "day": wording.day,
    "file_type": wording.file_type,
    "hour": wording.hour,
    "initials": wording.initials,
    "known": wording.known,
    "local_day": wording.local_day,
    "last_day": wording.last_day,
    "listed": wording.listed,
    "moment": wording.moment,
    "month": wording.month,
    "number": wording.number,
    "lines": wording.lines,
    "one_time_key": enrolment.one_time_key,
    "qr": qr.qr,
    "size": wording.size,
    "span": wording.span,
    "telephone": wording.telephone,
    "written_moment": wording.written_moment,
}
ENVIRONMENT.globals |= {
    "by_month": shelf.by_month,
    "lab_groups": labs.groups,
    "lab_row": labs.row,
    "preloaded": static_files.preloaded,
    "static": static_files.static,
}


def warm() -> None:
    """Compile every template now, so that no visitor waits for it."""
    for name in ENVIRONMENT.list_templates(["html"]):
        ENVIRONMENT.get_template(name)


def render(
    request: web.Request, template: str, chrome: Chrome, *, status: int = 200, **content: Any
) -> web.Response:
    """The page that this template makes of what stands around it and what is in it."""
    html = ENVIRONMENT.get_template(template).render(
        chrome=chrome,
        zone=chrome.time_zone,
        now=utcnow(),
        path=here(request),
        request_id=request.get(protection.REQUEST, ""),
        url=partial(url, request.app.router),
        csrf_field=partial(csrf_field, request),
        idempotency_field=idempotency_field,
        **content,
    )
    response = web.Response(text=html, content_type="text/html", status=status)
    if chrome.notice and NOTICE_COOKIE in request.cookies:
        response.del_cookie(NOTICE_COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
    return response


def here(request: web.Request) -> str:
    """The page's own address, which never leads to another site however it was written."""
    return "/" + request.rel_url.raw_path.lstrip("/").replace("\\", "%5C")


def url(
    router: web.UrlDispatcher,
    name: str,
    *,
    query: Mapping[str, object] | None = None,
    **parts: object,
) -> str:
    """The address of a page by its route's name; what is empty of a query is left out."""
    address = str(router[name].url_for(**{key: str(part) for key, part in parts.items()}))
    asked = {key: str(value) for key, value in (query or {}).items() if value not in ("", None)}
    return f"{address}?{urlencode(asked)}" if asked else address


def csrf_field(request: web.Request) -> Markup:
    """The proof that a form came from a page of ours."""
    return _hidden(protection.CSRF_FIELD, protection.proof(request))


def idempotency_field() -> Markup:
    """A key of this form's own: however often it is sent, it does one thing."""
    return _hidden(protection.IDEMPOTENCY_FIELD, str(protection.fresh_key()))


def _hidden(name: str, value: str) -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(name, value)
