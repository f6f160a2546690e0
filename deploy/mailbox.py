"""The built-in mailbox of one-machine mode: a mail server that keeps every letter and sends none.

Two addresses' domains behave as real ones sometimes do: `bounces.example.com` refuses for good, and
`later.example.com` asks to come again.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session
from uuid_utils.compat import uuid7

from libs.runtime import service

KEPT = 2000
"""Letters kept; the oldest go first."""
LARGEST = 10 * 1024 * 1024
"""Bytes of a letter."""
REFUSED = "@bounces.example.com"
PUT_OFF = "@later.example.com"


@dataclass(frozen=True, kw_only=True)
class Config:
    """What the mailbox needs to be told."""

    mailbox_folder: str
    smtp_port: int
    host: str = "127.0.0.1"
    port: int
    log_level: str = "INFO"
    otlp_endpoint: str = ""


class Letters:
    """A folder with a file for each letter, whose names sort by time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._ids = sorted(file.stem for file in folder.glob("*.json"))

    def keep(self, recipients: list[str], content: bytes) -> None:
        """One more letter: complete on the disk, or not there at all."""
        letter = _read(recipients, content)
        number = letter["id"]
        unfinished = self._folder / f"{number}.unfinished"
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(letter))
        unfinished.rename(self._file(number))
        self._ids.append(number)
        for old in self._ids[:-KEPT]:
            self._file(old).unlink(missing_ok=True)
        del self._ids[:-KEPT]

    def all(self) -> str:
        """Every letter, newest first, as JSON."""
        return f"[{','.join(self._file(number).read_text() for number in reversed(self._ids))}]"

    def one(self, number: str) -> str | None:
        """The letter with this id, as JSON."""
        return self._file(number).read_text() if number in self._ids else None

    def _file(self, number: str) -> Path:
        return self._folder / f"{number}.json"


class Sink:
    """Takes letters as a mail server does. It is aiosmtpd that asks, by these names."""

    def __init__(self, letters: Letters) -> None:
        self._letters = letters

    async def handle_RCPT(  # noqa: N802
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if address.casefold().endswith(REFUSED):
            return "550 5.1.1 There is no such mailbox."
        if address.casefold().endswith(PUT_OFF):
            return "451 4.7.1 Come again later."
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        self._letters.keep(envelope.rcpt_tos, content if isinstance(content, bytes) else b"")
        return "250 2.0.0 Kept in the mailbox."


LETTERS = web.AppKey("letters", Letters)
routes = web.RouteTableDef()


@routes.get("/health/ready")
async def ready(_: web.Request) -> web.Response:
    return web.Response(text="ready")


@routes.get("/mails")
async def mails(request: web.Request) -> web.Response:
    """Every letter, newest first."""
    return web.json_response(text=request.app[LETTERS].all())


@routes.get("/mails/{id}")
async def mail(request: web.Request) -> web.Response:
    """One letter."""
    letter = request.app[LETTERS].one(request.match_info["id"])
    if letter is None:
        raise web.HTTPNotFound
    return web.json_response(text=letter)


def build(config: Config) -> web.Application:
    """The mail server and its pages' source, both on loopback."""

    async def listening(app: web.Application) -> AsyncIterator[None]:
        sink, loop = Sink(app[LETTERS]), asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(sink, loop=loop, enable_SMTPUTF8=True, data_size_limit=LARGEST),
            config.host,
            config.smtp_port,
        )
        yield
        server.close()

    app = web.Application()
    app[LETTERS] = Letters(Path(config.mailbox_folder))
    app.add_routes(routes)
    app.cleanup_ctx.append(listening)
    return app


def run() -> None:
    """As a process of its own."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # it would tell every address
    service.run("mailbox", Config, build)


def _read(recipients: list[str], content: bytes) -> dict[str, Any]:
    message = message_from_bytes(content, policy=policy.default)
    return {
        "id": str(uuid7()),
        "to": ", ".join(recipients),
        "from": str(message["From"] or ""),
        "subject": str(message["Subject"] or ""),
        "message_id": str(message["Message-ID"] or ""),
        "text": _part(message, "plain"),
        "html": _part(message, "html"),
        "sent_at": datetime.now(UTC).isoformat(),
    }


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    try:
        text = str(part.get_content())
    except LookupError:  # a character set that nobody knows
        text = bytes(part.get_payload(decode=True)).decode("latin-1")
    return text.replace("\r\n", "\n")
