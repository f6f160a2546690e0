"""Letters out of templates: a folder each, with `subject.txt`, `body.txt` and `body.html`."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from libs.contracts.identity.letters import Letter
from services.notifier.domain import Job

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "letters"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def write(job: Job, letter: Letter, *, public_url: str, mail_from: str) -> EmailMessage:
    """The e-mail itself: text and HTML with the same words, to one person, with a lasting id."""
    said = {
        "letter": letter,
        "sender": letter.practice.name if letter.practice else "CareSpace",
        "link": public_url.rstrip("/") + letter.path if letter.path else "",
        "link_ends": _moment(letter.link_expires_at, letter.time_zone),
        "happened": _moment(letter.happened_at, letter.time_zone),
    }
    sender = Address(display_name=_one_line(said["sender"]), addr_spec=mail_from)
    message = EmailMessage()
    message["From"] = sender
    message["To"] = Address(addr_spec=letter.email)
    message["Subject"] = _one_line(_render(job, "subject.txt", said))
    message["Date"] = format_datetime(job.queued_at)
    message["Message-ID"] = f"<{job.id}.{job.version}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_render(job, "body.txt", said))
    message.add_alternative(_render(job, "body.html", said), subtype="html")
    return message


def _render(job: Job, part: str, said: dict[str, object]) -> str:
    return TEMPLATES.get_template(f"{job.kind}/{part}").render(said)


def _one_line(text: object) -> str:
    return " ".join(str(text).split())


def _moment(at: datetime | None, zone: str) -> str:
    """26 November 2026, 9:30 am (Denver Time)"""
    if at is None:
        return ""
    local = at.astimezone(ZoneInfo(zone))
    day = format_date(local, "EEEE, d MMMM y", locale="en")
    time = format_time(local, "h:mm a", locale="en").replace("\u202f", " ").lower()
    return f"{day}, {time} ({local:%Z})"
